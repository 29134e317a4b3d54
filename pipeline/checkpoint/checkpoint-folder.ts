/** Finds in a folder what is to be converted: a model, and the adapters that lie beside or inside it. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from '../errors.ts';

/** An adapter and the task it is chosen by. */
export interface AdapterFolder {
  task: string;
  folder: string;
}

export interface Checkpoint {
  /** Folder of config.json, weights and tokenizer. */
  folder: string;
  adapters: AdapterFolder[];
}

/** Names that SPECTER2's adapters have in their files; they are also the control codes it was trained with. */
const taskOfName: ReadonlyMap<string, string> = new Map([
  ['[PRX]', 'proximity'],
  ['[CLF]', 'classification'],
  ['[RGN]', 'regression'],
  ['[QRY]', 'adhoc_query'],
]);

const maxAdapterConfigBytes = 1 << 20;

/**
 * @param folder A model; or a folder that holds one model's folder beside folders of its adapters.
 * @param adapters Adapters named by the user; without any, those found below `folder` are taken.
 * @throws UserError when there is no model, more than one, or two adapters for one task.
 */
export function findCheckpoint(folder: string, adapters: readonly AdapterFolder[] = []): Checkpoint {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new UserError(`Expected a checkpoint's folder, found none at ${folder}.`);
  }
  const below = foldersIn(folder);
  const base = existsSync(join(folder, 'config.json')) ? folder : onlyModel(folder, below);
  if (adapters.length > 0) return { folder: base, adapters: checkTasks([...adapters]) };
  const found = [folder, ...below, ...below.flatMap(foldersIn)]
    .filter((path) => existsSync(join(path, 'adapter_config.json')))
    .map((path) => ({ task: adapterTask(path), folder: path }));
  return { folder: base, adapters: checkTasks(found) };
}

function foldersIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name))
    .sort();
}

/**
 * The task that an adapter is chosen by: its folder's name where that is a task; else what the adapter's own
 * name stands for, or that name.
 *
 * @throws UserError when adapter_config.json cannot be read.
 */
export function adapterTask(folder: string): string {
  const { name } = readAdapterConfig(folder);
  if ([...taskOfName.values()].includes(basename(folder))) return basename(folder);
  if (typeof name !== 'string' || name.trim() === '') return basename(folder);
  return taskOfName.get(name) ?? name.trim();
}

/** The repository of the model that an adapter was trained on; null where its file does not say. */
export function adapterBase(folder: string): string | null {
  const { model_name: base } = readAdapterConfig(folder);
  return typeof base === 'string' && base.trim() !== '' ? base.trim() : null;
}

function onlyModel(folder: string, below: readonly string[]): string {
  const models = below.filter((path) => existsSync(join(path, 'config.json')));
  if (models.length === 1) return models[0];
  if (existsSync(join(folder, 'adapter_config.json'))) {
    throw new UserError(
      `${folder} holds an adapter, which works only on the model it was trained on. Name that model's folder, and the adapter with --adapter ${adapterTask(folder)}=${folder}.`,
    );
  }
  const found = models.length === 0 ? 'none' : models.map((path) => basename(path)).join(', ');
  throw new UserError(
    `Expected config.json in ${folder}, or in one folder below it, found ${models.length === 0 ? found : `several: ${found}`}. Name the folder of one checkpoint.`,
  );
}

function checkTasks(adapters: AdapterFolder[]): AdapterFolder[] {
  const byTask = new Map<string, string>();
  for (const { task, folder } of adapters) {
    const other = byTask.get(task);
    if (other !== undefined) {
      throw new UserError(
        `Expected one adapter for ${task}, found ${other} and ${folder}. Say which with --adapter TASK=FOLDER, once for each.`,
      );
    }
    byTask.set(task, folder);
  }
  return adapters;
}

function readAdapterConfig(folder: string): Record<string, unknown> {
  const path = join(folder, 'adapter_config.json');
  try {
    if (statSync(path).size > maxAdapterConfigBytes)
      throw new Error(`more than ${maxAdapterConfigBytes} bytes`);
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('not an object');
    return value as Record<string, unknown>;
  } catch (cause) {
    throw new UserError(`Expected an adapter's settings as JSON in ${path}: ${(cause as Error).message}.`, {
      cause,
    });
  }
}
