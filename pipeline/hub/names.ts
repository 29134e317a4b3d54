/**
 * Checks names before they become addresses or paths: repositories and revisions, which users type, and
 * paths of files, which the hub's listing gives and which are trusted no more than any other answer.
 */

import { UserError } from '../errors.ts';
import { quoted } from '../http/transfer-fault.ts';

const maxRevisionLength = 250;
const maxPathLength = 512;
/** Bytes that most file systems allow in one name; what is put behind a file's name while it is written fits in too. */
const maxSegmentBytes = 200;

/**
 * @param repository `owner/name`, or a name alone, as the hub's oldest models have.
 * @throws UserError when the hub could have no such repository.
 */
export function checkRepository(repository: string): void {
  const parts = repository.split('/');
  const isName = (part: string): boolean =>
    part.length <= 96 && /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?$/.test(part);
  if (parts.length > 2 || !parts.every(isName) || /--|\.\.|\.git$/i.test(repository)) {
    throw new UserError(
      `Expected a repository of the model hub as owner/name (letters, digits, ".", "_" and "-"), got ${quoted(repository)}.`,
    );
  }
}

/**
 * @param revision Branch, tag or commit.
 * @throws UserError when git allows no such name, or a file system would mistake it for something else.
 */
export function checkRevision(revision: string): void {
  const isName = (part: string): boolean => isPlainSegment(part) && !/^\.|\.lock$|[ ~^*?[]|@\{/.test(part);
  if (revision.length > maxRevisionLength || !revision.split('/').every(isName)) {
    throw new UserError(
      `Expected a revision (branch, tag or commit) behind the "@", got ${quoted(revision)}; leave it out for the main branch.`,
    );
  }
}

/** True for a full commit id, which names the same files for ever. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** True when a listed path, taken below any folder on any system, stays there and means what it says. */
export function isSafePath(path: string): boolean {
  return path.length <= maxPathLength && path.split('/').every(isPlainSegment);
}

function isPlainSegment(segment: string): boolean {
  return (
    segment !== '' &&
    segment !== '.' &&
    segment !== '..' &&
    Buffer.byteLength(segment) <= maxSegmentBytes &&
    // Control characters, and what Windows takes for a folder, a drive, a stream or a wildcard.
    !/[\p{Cc}\p{Cs}\\:"<>|*?]/u.test(segment) &&
    // Windows drops these, so that two names become one.
    !/[. ]$/.test(segment) &&
    !/^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i.test(segment)
  );
}
