/** Record of a whole snapshot, written when all of its files are in their places: without it, there is none. */

import { readFile, stat } from 'node:fs/promises';
import * as z from 'zod';
import { errorCode } from '../http/transfer-fault.ts';
import { writeWhole } from './cache.ts';
import { type HubFile, maxListingBytes } from './listing.ts';

export interface SnapshotFile {
  /** Path in the repository and below the snapshot's folder, with `/`. */
  path: string;
  bytes: number;
  /** Hex, of the bytes on disk when the snapshot was made. */
  sha256: string;
}

export interface Manifest {
  repository: string;
  commit: string;
  /**
   * Every file that the hub listed, by which it can be decided later and without network what else is needed.
   * Null for a snapshot that another library fetched and that was taken as it was.
   */
  listing: HubFile[] | null;
  /** What was fetched and checked. */
  files: SnapshotFile[];
}

const version = 1;
const bytes = z.number().int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const manifestSchema = z.object({
  version: z.literal(version),
  repository: z.string(),
  commit: z.string(),
  listing: z
    .array(
      z.object({
        path: z.string(),
        bytes,
        sha256: sha256.nullable(),
        gitSha1: z
          .string()
          .regex(/^[0-9a-f]{40}$/)
          .nullable(),
      }),
    )
    .nullable(),
  files: z.array(z.object({ path: z.string(), bytes, sha256 })),
});

export async function writeManifest(path: string, manifest: Manifest): Promise<void> {
  await writeWhole(path, `${JSON.stringify({ version, ...manifest }, null, 1)}\n`);
}

/** @returns Null when there is none that this version can read: the snapshot is then made anew. */
export async function readManifest(
  path: string,
  repository: string,
  commit: string,
): Promise<Manifest | null> {
  let text: string;
  try {
    // It says of each listed file no more than the hub did.
    if ((await stat(path)).size > 2 * maxListingBytes) return null;
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return null;
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success || parsed.data.repository !== repository || parsed.data.commit !== commit) return null;
  return parsed.data;
}
