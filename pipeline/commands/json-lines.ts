/** JSON lines of titles and abstracts, as the commands take them. */

import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { UserError } from '../errors.ts';

/** A JSON-lines file, plain or gzip, one object a line; `line` counts from 1. */
export async function* readJsonLines(
  path: string,
): AsyncGenerator<{ value: Record<string, unknown>; line: number }> {
  if (!existsSync(path)) throw new UserError(`There is no file ${path}.`);
  const bytes = createReadStream(path);
  const input = path.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes;
  let line = 0;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    line++;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new UserError(`${path}, line ${line}: expected a JSON object, ${(error as Error).message}`, {
        cause: error,
      });
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new UserError(`${path}, line ${line}: expected a JSON object, got ${text.slice(0, 40)}`);
    }
    yield { value: value as Record<string, unknown>, line };
  }
}

/** A field's text; anything else counts as none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
