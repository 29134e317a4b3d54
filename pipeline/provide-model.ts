/**
 * Model references to folders on this machine. Models of the hub are fetched, converted once and pinned: the
 * first use of `hf:owner/name` settles which commit it stands for here, and later ones ask nothing of the
 * network. A pin names the converted folder, so that a newer converter does not move vectors that are stored.
 */

import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { adapterBase, adapterTask } from './checkpoint/checkpoint-folder.ts';
import { convertCheckpoint, converterVersion, type Precision } from './checkpoint/convert.ts';
import type { ModelPin } from './contract.ts';
import { UserError } from './errors.ts';
import { type HubEnvironment, hubEnvironment } from './hub/environment.ts';
import { NotOnHub } from './hub/faults.ts';
import { fetchRepository } from './hub/fetch.ts';
import { adaptersOf, familyOf, prefixOf, presets } from './hub/known-models.ts';
import type { HubFile } from './hub/listing.ts';
import { chooseModelFiles } from './hub/model-files.ts';
import { checkRepository, checkRevision } from './hub/names.ts';
import type { Snapshot } from './hub/snapshot.ts';
import { cardHash, readCard } from './model/card.ts';
import { resolveModel } from './model/reference.ts';

export type { Precision };

/** Where models stand on this machine. */
export interface ModelPlaces {
  /** Folder that relative references start from. */
  baseFolder: string;
  hub: HubEnvironment;
  /** Folder of the models converted from the hub, and of their pins. */
  convertedFolder: string;
}

/**
 * @param cacheFolder Folder for everything that comes from the hub; the standard one when left out.
 * @param variables As process.env.
 */
export function modelPlaces(
  baseFolder: string,
  cacheFolder?: string,
  variables: Readonly<Record<string, string | undefined>> = process.env,
): ModelPlaces {
  const hub = hubEnvironment(variables, cacheFolder === undefined ? undefined : join(cacheFolder, 'hub'));
  // Beside Hugging Face's own folders and not among them: their tools warn of strangers.
  return { baseFolder, hub, convertedFolder: join(dirname(hub.cacheFolder), 'scinertopic') };
}

/** A reference to the hub, taken apart. */
interface HubReference {
  reference: string;
  repository: string;
  /** Null for the main branch. */
  revision: string | null;
}

/**
 * Finds a model without using the network.
 *
 * @throws UserError when it is not here, naming the command that fetches it.
 */
export function findModel(reference: string, places: ModelPlaces, precision: Precision = 'auto'): ModelPin {
  const parsed = parseReference(reference, places);
  if (parsed === null) return resolveModel(reference, places.baseFolder);
  const pin = findPinned(parsed, places, precision);
  if (pin === null) {
    throw new UserError(
      `The model ${reference} is not on this machine yet. Fetch it with: npm run models -- pull ${reference}${precision === 'auto' ? '' : ` --precision ${precision}`}`,
    );
  }
  return { ...pin, reference };
}

export interface ProvideOptions {
  precision?: Precision;
  /** Fetches and converts again what is here already; the pin moves to what the hub has now. */
  again?: boolean;
  signal?: AbortSignal;
  /** `work` says what is done; `done` of `total` in its own unit. */
  onProgress?: (work: string, done: number, total: number) => void;
  /** Something that takes time and passes: a server that is asked again, another process that is waited for. */
  onNotice?: (message: string) => void;
}

/**
 * Makes sure that a model is on this machine: fetches and converts it when it comes from the hub.
 *
 * @throws UserError when it cannot be had, saying why and what to do; Interrupted when the signal is raised.
 */
export async function provideModel(
  reference: string,
  places: ModelPlaces,
  options: ProvideOptions = {},
): Promise<ModelPin> {
  const parsed = parseReference(reference, places);
  if (parsed === null) return resolveModel(reference, places.baseFolder);
  const precision = options.precision ?? 'auto';
  const here = options.again ? null : findPinned(parsed, places, precision);
  if (here !== null) return { ...here, reference };
  const parts = await fetchParts(parsed, places, options);
  const folder = await convert(parts, places, precision, options);
  writePin(pinPath(parsed, places, precision), { commit: parts.commit, folder: folderName(folder, places) });
  return { reference, folder, hash: cardHash(readCard(folder)) };
}

/** The models converted from the hub, in order of their folders. */
export function convertedModels(places: ModelPlaces): ModelPin[] {
  if (!existsSync(places.convertedFolder)) return [];
  return readdirSync(places.convertedFolder)
    .sort()
    .map((name) => join(places.convertedFolder, name))
    .filter((folder) => existsSync(join(folder, 'card.json')))
    .map((folder) => {
      const card = readCard(folder);
      return { reference: `hf:${card.name}`, folder, hash: cardHash(card) };
    });
}

// References -----------------------------------------------------------------------------------

/** @returns Null for a shipped model or a folder. */
function parseReference(reference: string, places: ModelPlaces): HubReference | null {
  const preset = presets.get(reference);
  const isFolder = (): boolean => existsSync(join(places.baseFolder, reference));
  const full = preset !== undefined && !isFolder() ? preset : reference;
  if (!full.startsWith('hf:')) return null;
  const [repository, ...revisions] = full.slice('hf:'.length).split('@');
  const revision = revisions.length === 0 ? null : revisions.join('@');
  checkRepository(repository);
  if (revision !== null) checkRevision(revision);
  return { reference: full, repository, revision };
}

// Pins -----------------------------------------------------------------------------------------

const pinSchema = z.object({
  /** Commit of the repository that was asked for. */
  commit: z.string(),
  /** Name of the folder below the converted models. */
  folder: z.string().regex(/^[\w.-]+$/),
});
type Pin = z.infer<typeof pinSchema>;

function findPinned(
  parsed: HubReference,
  places: ModelPlaces,
  precision: Precision,
): Omit<ModelPin, 'reference'> | null {
  const pin = readPin(pinPath(parsed, places, precision));
  if (pin === null) return null;
  const folder = join(places.convertedFolder, pin.folder);
  if (!existsSync(join(folder, 'card.json'))) return null;
  return { folder, hash: cardHash(readCard(folder)) };
}

/** A branch's name may hold any sign, so that only its hash stands in the file's name. */
function pinPath({ repository, revision }: HubReference, places: ModelPlaces, precision: Precision): string {
  const suffix = revision === null ? '' : `@${shortHash(revision)}`;
  return join(places.convertedFolder, 'pins', `${flat(repository)}${suffix}.${precision}.json`);
}

function readPin(path: string): Pin | null {
  if (!existsSync(path)) return null;
  try {
    return pinSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // A pin that cannot be read is made again from what was fetched.
    return null;
  }
}

function writePin(path: string, pin: Pin): void {
  mkdirSync(dirname(path), { recursive: true });
  const aside = `${path}.${process.pid}`;
  writeFileSync(aside, `${JSON.stringify(pin)}\n`);
  renameSync(aside, path);
}

// Fetching -------------------------------------------------------------------------------------

/** What makes one converted model. */
interface Parts {
  repository: string;
  /** Of the repository that was asked for. */
  commit: string;
  base: { repository: string; snapshot: Snapshot };
  adapters: { task: string; repository: string; snapshot: Snapshot }[];
}

/** Fetches a model and its adapters, or an adapter and the model it belongs to. */
async function fetchParts(
  parsed: HubReference,
  places: ModelPlaces,
  options: ProvideOptions,
): Promise<Parts> {
  const { repository } = parsed;
  const fetch = fetcher(places, options);
  const asked = await fetch(repository, parsed.revision);
  const whole = { repository, commit: asked.commit };
  if (existsSync(join(asked.folder, 'config.json'))) {
    return {
      ...whole,
      base: { repository, snapshot: asked },
      adapters: await fetchAdapters(parsed, fetch, options),
    };
  }
  const known = familyOf(repository);
  const base = known?.base ?? adapterBase(asked.folder);
  if (base === null) {
    throw new UserError(
      `hf:${repository} is an adapter, and does not say for which model. Convert it together with its model: npm run models -- convert FOLDER --adapter TASK=FOLDER --out FOLDER`,
    );
  }
  const task = known?.task ?? adapterTask(asked.folder);
  const adapters = [{ task, repository, snapshot: asked }];
  return { ...whole, base: { repository: base, snapshot: await fetch(base, null) }, adapters };
}

type Fetch = (repository: string, revision: string | null) => Promise<Snapshot>;

/**
 * The adapters that are known to belong to a base.
 *
 * @throws UserError when the hub has none of them: such a base is a start for training, not a model to use.
 */
async function fetchAdapters(
  { repository }: HubReference,
  fetch: Fetch,
  { onNotice }: ProvideOptions,
): Promise<Parts['adapters']> {
  const adapters: Parts['adapters'] = [];
  let absent: NotOnHub | null = null;
  for (const [task, adapter] of adaptersOf(repository)) {
    try {
      adapters.push({ task, repository: adapter, snapshot: await fetch(adapter, null) });
    } catch (error) {
      if (!(error instanceof NotOnHub)) throw error;
      absent = error;
      onNotice?.(`${error.message} The model will be without its adapter for ${task}.`);
    }
  }
  if (absent !== null && adapters.length === 0) throw absent;
  return adapters;
}

/** More than any BERT has; a repository that claims more is not one. */
const maxRepositoryBytes = 8e9;

function fetcher(places: ModelPlaces, options: ProvideOptions): Fetch {
  const { again = false, signal, onProgress, onNotice } = options;
  return (repository, revision) => {
    checkRepository(repository);
    return fetchRepository({
      repository,
      revision,
      environment: places.hub,
      choose: (files) => [...chooseModelFiles(files), ...licensePages(files)],
      maxBytes: maxRepositoryBytes,
      renew: again,
      signal: signal ?? new AbortController().signal,
      onProgress: (progress) => {
        if (progress.kind === 'notice') onNotice?.(progress.message);
        else onProgress?.(`downloading ${repository}`, progress.bytes, progress.totalBytes);
      },
    });
  };
}

/** Larger pages are no descriptions of a model. */
const maxPageBytes = 1 << 20;

/** The page that names the licence, which goes onto the model's card. */
function licensePages(files: readonly HubFile[]): string[] {
  return files
    .filter(({ path, bytes }) => path === 'README.md' && bytes <= maxPageBytes)
    .map(({ path }) => path);
}

// Conversion -----------------------------------------------------------------------------------

/**
 * The converted folder's name follows from all that decides its content, so that two processes make the same
 * one, and whichever is first stays.
 */
async function convert(
  parts: Parts,
  places: ModelPlaces,
  precision: Precision,
  { signal, onProgress }: ProvideOptions,
): Promise<string> {
  const { base, adapters } = parts;
  const source = {
    repository: base.repository,
    commit: base.snapshot.commit,
    adapters: adapters.map(({ task, repository, snapshot }) => ({
      task,
      repository,
      commit: snapshot.commit,
    })),
  };
  const key = shortHash(JSON.stringify([converterVersion, precision, source]));
  const folder = join(places.convertedFolder, `${flat(parts.repository)}-${key}`);
  if (existsSync(join(folder, 'card.json'))) return folder;
  mkdirSync(places.convertedFolder, { recursive: true });
  removeLeftOver(places);
  const scratch = mkdtempSync(join(places.convertedFolder, 'converting-'));
  try {
    const made = join(scratch, 'model');
    const prefix = prefixOf(base.repository);
    await convertCheckpoint({
      folder: base.snapshot.folder,
      adapters: adapters.map(({ task, snapshot }) => ({ task, folder: snapshot.folder })),
      out: made,
      precision,
      name: parts.repository,
      source,
      ...(prefix === null ? {} : { prefix }),
      ...(signal === undefined ? {} : { signal }),
      onProgress: (done, total) => onProgress?.(`converting ${parts.repository}`, done, total),
    });
    moveInto(made, folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return folder;
}

/** A conversion takes minutes at most; what is a day old was left by a process that died. */
const leftOverAgeMilliseconds = 24 * 3600 * 1000;

function removeLeftOver({ convertedFolder }: ModelPlaces): void {
  for (const name of readdirSync(convertedFolder)) {
    if (!name.startsWith('converting-')) continue;
    const path = join(convertedFolder, name);
    const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (changed !== undefined && Date.now() - changed > leftOverAgeMilliseconds) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}

/** Another process may have been faster with the same model; then its folder stays. */
function moveInto(made: string, folder: string): void {
  try {
    renameSync(made, folder);
  } catch (error) {
    if (!existsSync(join(folder, 'card.json'))) throw error;
  }
}

const flat = (repository: string): string => repository.replace('/', '--');

const folderName = (folder: string, places: ModelPlaces): string =>
  folder.slice(places.convertedFolder.length + 1);

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
