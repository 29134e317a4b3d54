/** Reads the small JSON files of a checkpoint. */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { UserError } from '../errors.ts';

/** Settings take kilobytes; a million labels take more than this. */
const maxJsonBytes = 1 << 24;

/** @throws UserError when the file is missing, is too large or is no JSON. */
export function readJsonFile(path: string): unknown {
  const content = readOptionalJsonFile(path);
  if (content === undefined) throw new UserError(`Expected a file at ${path}, found none.`);
  return content;
}

/** @returns Undefined when there is no such file. */
export function readOptionalJsonFile(path: string): unknown {
  if (!existsSync(path)) return undefined;
  const { size } = statSync(path);
  if (size > maxJsonBytes) {
    throw new UserError(`${path}: expected at most ${maxJsonBytes} bytes of settings, found ${size}.`);
  }
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new UserError(`${path} is not JSON: ${(cause as Error).message}. Fetch it again.`, { cause });
  }
}
