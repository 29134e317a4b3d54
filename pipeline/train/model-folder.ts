/** Writes a model's folder: its files, then card.json with their sizes and checksums, all aside and renamed. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cardHash, type ModelCard } from '../model/card.ts';

/**
 * Adds a folder named by the model's hash to `parent`. A folder of that name already there is the same model
 * and stays as it is.
 *
 * @param files Content by name.
 * @param card All but `files`.
 */
export function writeModelFolder(
  parent: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  card: Omit<ModelCard, 'files'> & Record<string, unknown>,
): { folder: string; hash: string } {
  const whole = withFiles(card, files);
  const hash = cardHash(whole);
  const folder = join(parent, hash);
  if (existsSync(join(folder, 'card.json'))) return { folder, hash };
  mkdirSync(parent, { recursive: true });
  const aside = mkdtempSync(join(parent, '.partial-'));
  try {
    writeFiles(aside, files, whole);
    // What a killed run may have left under the final name has no card and is no model.
    rmSync(folder, { recursive: true, force: true });
    renameSync(aside, folder);
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    throw error;
  }
  return { folder, hash };
}

/** Replaces the files of one folder, the card last; for models that have a name of their own. */
export function replaceModelFolder(
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  card: Omit<ModelCard, 'files'> & Record<string, unknown>,
): { folder: string; hash: string } {
  const whole = withFiles(card, files);
  mkdirSync(folder, { recursive: true });
  // Without its card the folder is no model while its files change.
  rmSync(join(folder, 'card.json'), { force: true });
  writeFiles(folder, files, whole);
  return { folder, hash: cardHash(whole) };
}

function withFiles(
  card: Omit<ModelCard, 'files'> & Record<string, unknown>,
  files: Readonly<Record<string, string | Uint8Array>>,
): ModelCard {
  const entries = Object.entries(files).map(([name, content]) => {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    return [
      name,
      { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.byteLength },
    ] as const;
  });
  return { ...card, files: Object.fromEntries(entries) } as ModelCard;
}

function writeFiles(
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  card: ModelCard,
): void {
  const writeAside = (name: string, content: string | Uint8Array): void => {
    const path = join(folder, name);
    writeFileSync(`${path}.partial`, content);
    renameSync(`${path}.partial`, path);
  };
  for (const [name, content] of Object.entries(files)) writeAside(name, content);
  writeAside('card.json', `${JSON.stringify(card, null, 2)}\n`);
}
