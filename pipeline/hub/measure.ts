/**
 * Asks for the size and checksum of single files where the listing is silent, as mirrors' listings are: the hub
 * tells both in the headers of the file itself, the way Hugging Face's own libraries ask.
 */

import { UserError } from '../errors.ts';
import { type Headers, headerText } from '../http/transfer-fault.ts';
import type { HubConnection } from './connection.ts';
import { reference } from './faults.ts';
import type { HubFile } from './listing.ts';
import { type HubRetry, withHubRetries } from './retry.ts';

/**
 * @param address Of the file's content.
 * @returns The file with what the headers say of it.
 * @throws UserError when they do not tell its size.
 */
export async function measureFile(
  connection: HubConnection,
  retry: Omit<HubRetry, 'environment'>,
  address: string,
  file: HubFile,
): Promise<HubFile> {
  const { environment } = connection;
  const answers = await withHubRetries({ ...retry, environment }, () =>
    connection.head(address, retry.asked),
  );
  const bytes = sizeOf(answers);
  if (bytes === null) {
    throw new UserError(
      `${reference(retry.asked)}: ${environment.endpoint} does not tell the size of ${file.path}, so nothing bounds its download. Set HF_ENDPOINT to a hub that does.`,
    );
  }
  return { path: file.path, bytes, ...sumsOf(answers, file) };
}

/** The hub's own word on a file that it keeps elsewhere comes before what that place says. */
function sizeOf(answers: readonly Headers[]): number | null {
  const linked = answers.map((headers) => headerText(headers, 'x-linked-size')).find((text) => text !== null);
  const last = answers.at(-1);
  const text = linked ?? (last === undefined ? null : headerText(last, 'content-length'));
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Entity tags are SHA-256 of large files and git's SHA-1 of small ones; any other tag is no checksum. */
function sumsOf(answers: readonly Headers[], file: HubFile): Pick<HubFile, 'sha256' | 'gitSha1'> {
  const tags = ['x-linked-etag', 'etag'].flatMap((name) =>
    answers.flatMap((headers) => headerText(headers, name)?.replace(/^(?:W\/)?"(.*)"$/, '$1') ?? []),
  );
  return {
    sha256: file.sha256 ?? tags.find((tag) => /^[0-9a-f]{64}$/.test(tag)) ?? null,
    gitSha1: file.gitSha1 ?? tags.find((tag) => /^[0-9a-f]{40}$/.test(tag)) ?? null,
  };
}
