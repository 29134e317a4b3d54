/** Asks the hub which files a repository has at a revision, and which commit that is. */

import * as z from 'zod';
import { UserError } from '../errors.ts';
import type { HubConnection } from './connection.ts';
import { type Asked, NotOnHub, reference } from './faults.ts';
import { isCommit } from './names.ts';
import { type HubRetry, withHubRetries } from './retry.ts';

/** One file of a repository, as the hub lists it or as the cache holds it. */
export interface HubFile {
  /** Path in the repository, with `/`; from outside, to be checked before it is used as one. */
  path: string;
  bytes: number;
  /** Hex, of the content; null for small files, which git keeps by itself. */
  sha256: string | null;
  /** Hex; the SHA-1 by which git names the content. Null for large files, of which git keeps a pointer only. */
  gitSha1: string | null;
}

export interface Listing {
  /** Hex. */
  commit: string;
  files: HubFile[];
  /** Paths of the files whose size the listing did not tell; it stands as 0. */
  unmeasured: ReadonlySet<string>;
}

/** Repositories of many thousand files stay well below. */
export const maxListingBytes = 32 << 20;

const size = z.number().int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256');

/** What is read of the hub's answer; all else is left out. */
const answerSchema = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}$/, 'expected a commit'),
  siblings: z.array(
    z.object({
      rfilename: z.string(),
      size: size.nullish(),
      blobId: z.string().nullish(),
      // The hub's list of a folder calls the same sum oid.
      lfs: z.object({ sha256: sha256.nullish(), oid: sha256.nullish(), size: size.nullish() }).nullish(),
    }),
  ),
});

/**
 * @throws UserError when there is no such repository or revision, it may not be read, or the hub cannot be asked.
 */
export async function listFiles(
  connection: HubConnection,
  retry: Omit<HubRetry, 'asked' | 'environment'>,
  repository: string,
  revision: string,
): Promise<Listing> {
  const { environment } = connection;
  const asked: Asked = { repository, revision, path: null };
  const model = `${environment.endpoint}/api/models/${repository}`;
  const ask = (address: string): Promise<string> =>
    withHubRetries({ ...retry, asked, environment }, () => listingText(connection, address, asked));
  const text = await ask(`${model}/revision/${encodeURIComponent(revision)}?blobs=true`).catch((error) => {
    // Some mirrors list the main branch alone, without its name.
    if (!(error instanceof NotOnHub) || revision !== 'main') throw error;
    return ask(`${model}?blobs=true`).catch(() => {
      throw error;
    });
  });
  const listing = readListing(text, asked, environment.endpoint);
  if (isCommit(revision) && listing.commit !== revision) {
    throw new UserError(
      `${reference(asked)}: asked for this commit, ${environment.endpoint} lists ${listing.commit}. Check HF_ENDPOINT.`,
    );
  }
  return listing;
}

async function listingText(connection: HubConnection, address: string, asked: Asked): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  await connection.get(address, asked, {}, () => (piece) => {
    bytes += piece.length;
    if (bytes > maxListingBytes) {
      throw new UserError(
        `${reference(asked)}: the list of its files is larger than ${maxListingBytes} bytes.`,
      );
    }
    pieces.push(piece);
  });
  return Buffer.concat(pieces, bytes).toString('utf8');
}

function readListing(text: string, asked: Asked, endpoint: string): Listing {
  const wrong = (detail: string): UserError =>
    new UserError(
      `${reference(asked)}: expected the model hub's list of files from ${endpoint}, got something else: ${detail}. Check HF_ENDPOINT and the proxy.`,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong('it is not JSON');
  }
  const parsed = answerSchema.safeParse(value);
  if (!parsed.success) throw wrong(z.prettifyError(parsed.error).split('\n').slice(0, 4).join(' '));
  const unmeasured = new Set<string>();
  const files = parsed.data.siblings.map(({ rfilename, size, blobId, lfs }): HubFile => {
    const bytes = lfs?.size ?? size ?? 0;
    if ((lfs?.size ?? size ?? null) === null) unmeasured.add(rfilename);
    // What git names by its SHA-1 is, for a large file, the pointer that stands in its place.
    return {
      path: rfilename,
      bytes,
      sha256: lfs?.sha256 ?? lfs?.oid ?? null,
      // A mirror's own kind of id is no checksum; the file itself is asked for one then.
      gitSha1: !lfs && /^[0-9a-f]{40}$/.test(blobId ?? '') ? (blobId ?? null) : null,
    };
  });
  return { commit: parsed.data.sha, files, unmeasured };
}
