/** References to models on this disk, `builtin:NAME` or a folder, resolved to the model's folder and its hash. */

import { existsSync, readdirSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import type { ModelPin } from '../contract.ts';
import { UserError } from '../errors.ts';
import { cardHash, readCard } from './card.ts';
import { packageRoot } from './package-root.ts';

/** Folder of the models shipped with the package. */
export function builtinFolder(): string {
  return join(packageRoot(), 'data', 'models');
}

/** Names of the shipped models, sorted. */
export function builtinNames(): string[] {
  const folder = builtinFolder();
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'card.json')))
    .sort();
}

/**
 * Finds a model's folder and its identity.
 *
 * @param reference As in the config: `builtin:science`, `models/mine`.
 * @param baseFolder Where a relative folder starts from.
 * @throws UserError when there is no such model, saying what there is.
 */
export function resolveModel(reference: string, baseFolder: string): ModelPin {
  const folder = modelFolder(reference, baseFolder);
  return { reference, folder, hash: cardHash(readCard(folder)) };
}

function modelFolder(reference: string, baseFolder: string): string {
  if (reference.startsWith('builtin:')) {
    const name = reference.slice('builtin:'.length);
    const names = builtinNames();
    if (!names.includes(name)) {
      throw new UserError(`Expected a shipped model (${names.join(', ')}), got "${reference}".`);
    }
    return join(builtinFolder(), name);
  }
  const folder = isAbsolute(reference) ? reference : resolve(baseFolder, reference);
  if (!existsSync(folder)) {
    throw new UserError(
      `Expected a model reference (builtin:NAME, hf:owner/name or a folder), got "${reference}": there is no folder ${folder}.`,
    );
  }
  return folder;
}
