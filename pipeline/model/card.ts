/** A model folder's card.json: what the model is, and the size and sha256 of each of its files. */

import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import * as z from 'zod';
import { UserError } from '../errors.ts';

/** Unknown keys are kept: cards of later versions and of other makers say more. */
const cardSchema = z.looseObject({
  name: z.string(),
  task: z.enum(['document-embedding', 'token-classification']),
  description: z.string(),
  files: z.record(
    z.string(),
    z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/), bytes: z.number().int().nonnegative() }),
  ),
});

export type ModelCard = z.infer<typeof cardSchema>;

const maxCardBytes = 1 << 20;

/**
 * @param folder A model folder.
 * @throws UserError when the card is missing, is no JSON or lacks a field, or names a file outside the folder.
 */
export function readCard(folder: string): ModelCard {
  const path = join(folder, 'card.json');
  if (!existsSync(path)) {
    throw new UserError(
      `Expected a model folder with a card.json, found none in ${folder}. Name a folder made by "train" or by "models convert"; ` +
        `a checkpoint becomes one with: npm run models -- convert ${folder} --out FOLDER`,
    );
  }
  if (statSync(path).size > maxCardBytes)
    throw new UserError(`${path} is larger than ${maxCardBytes} bytes.`);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError(`${path} is not JSON: ${(error as Error).message}`, { cause: error });
  }
  const parsed = cardSchema.safeParse(value);
  if (!parsed.success) throw new UserError(`${path}: ${z.prettifyError(parsed.error)}`);
  for (const name of Object.keys(parsed.data.files)) {
    if (!resolve(folder, name).startsWith(resolve(folder) + sep)) {
      throw new UserError(`${path} names "${name}", which lies outside the model's folder.`);
    }
  }
  return parsed.data;
}

/** A model's identity: sha256 over the names and sha256 of its files, in name order. */
export function cardHash(card: ModelCard): string {
  const hash = createHash('sha256');
  for (const name of Object.keys(card.files).sort()) hash.update(`${name}\0${card.files[name]?.sha256}\n`);
  return hash.digest('hex');
}

/** What is wrong with one of a model's files. */
export interface FileFault {
  name: string;
  fault: string;
}

/**
 * Compares every file with its size and sha256 on the card.
 *
 * @returns One fault per file that differs; empty when all agree.
 */
export async function checkFiles(folder: string, card: ModelCard): Promise<FileFault[]> {
  const faults: FileFault[] = [];
  for (const [name, expected] of Object.entries(card.files)) {
    const path = join(folder, name);
    if (!existsSync(path)) {
      faults.push({ name, fault: 'missing' });
      continue;
    }
    const bytes = statSync(path).size;
    if (bytes !== expected.bytes) {
      faults.push({ name, fault: `expected ${expected.bytes} bytes, found ${bytes}` });
      continue;
    }
    const found = await fileSha256(path);
    if (found !== expected.sha256) {
      faults.push({ name, fault: `expected sha256 ${expected.sha256}, found ${found}` });
    }
  }
  return faults;
}

/** sha256 of a file's bytes, in hex, read as a stream. */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
