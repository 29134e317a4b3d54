/** Which stages are stale, and why: what each would be made from now against what it was made from. */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { StageName } from './contract.ts';
import { UserError } from './errors.ts';
import { fileSha256 } from './model/card.ts';
import { stageOrder, stages } from './order.ts';
import { findModel } from './provide-model.ts';
import { exportFolder, placesOf, precisionOf, resultSettings, type Settings } from './settings.ts';
import type { StageInputs, StageState } from './store/runs.ts';

/** The stages whose output each stage reads. */
const reads: Record<StageName, readonly StageName[]> = {
  ingest: [],
  entities: ['ingest'],
  embed: ['ingest'],
  reduce: ['embed'],
  cluster: ['reduce'],
  label: ['ingest', 'entities', 'embed', 'reduce', 'cluster'],
  export: ['ingest', 'entities', 'reduce', 'cluster', 'label'],
};

/** What lies outside the database and decides staleness; found once per run. */
export interface Outside {
  /** sha256 by path, relative to the config file, so that a folder can be moved as a whole. */
  files: Record<string, string>;
  /** What tells the records of each kept source from those of another time, by its name. */
  sources: Record<string, string>;
  /** Hash of each stage's model. */
  models: Partial<Record<StageName, Record<string, string>>>;
}

/** What stands for the hash of a file that is not there. */
const missing = 'missing';

/**
 * Hashes the input files and the models.
 *
 * @param orMissing Takes a file or a model that is not there for another input instead of refusing it.
 * @param runs The stages that are to run; the model of another may be missing.
 * @throws UserError when a file or a model is missing or cannot be read.
 */
export async function lookOutside(
  settings: Settings,
  {
    orMissing = false,
    runs = () => true,
  }: { orMissing?: boolean; runs?: (stage: StageName) => boolean } = {},
): Promise<Outside> {
  const { baseFolder, sections } = settings;
  const files: Record<string, string> = {};
  for (const path of stages.ingest.files(sections.ingest, baseFolder)) {
    try {
      files[relative(baseFolder, path)] = await fileSha256(path);
    } catch (error) {
      if (orMissing && (error as NodeJS.ErrnoException).code === 'ENOENT') {
        files[relative(baseFolder, path)] = missing;
        continue;
      }
      throw new UserError(
        `ingest: ${path} cannot be read: ${(error as Error).message} (ingest.path in ${settings.file}).`,
        { cause: error },
      );
    }
  }
  const places = placesOf(settings);
  const hashOf = (stage: 'entities' | 'embed'): Record<string, string> => {
    const { model } = sections[stage];
    try {
      return { [model]: findModel(model, places, precisionOf(settings, stage)).hash };
    } catch (error) {
      if ((orMissing || !runs(stage)) && error instanceof UserError) return { [model]: missing };
      throw error;
    }
  };
  return { files, sources: {}, models: { entities: hashOf('entities'), embed: hashOf('embed') } };
}

/** What a stage would be made from if it ran now. */
export function inputsNow(
  name: StageName,
  settings: Settings,
  outside: Outside,
  states: Map<StageName, StageState>,
): StageInputs {
  const stage = stages[name];
  const from: Record<string, string> = name === 'ingest' ? { ...outside.files, ...outside.sources } : {};
  for (const upstream of reads[name]) from[upstream] = outputFor(name, upstream, states) ?? 'nothing';
  return {
    version: stage.version,
    config: resultSettings(settings, name),
    seed: stage.seeded ? settings.sections.run.seed : null,
    models: outside.models[name] ?? {},
    from,
  };
}

/**
 * What a stage reads of another's output. Ingest's is the documents, then what it says of the rows left out;
 * only the report tells the latter.
 */
function outputFor(
  name: StageName,
  upstream: StageName,
  states: Map<StageName, StageState>,
): string | undefined {
  const output = states.get(upstream)?.output;
  return upstream === 'ingest' && name !== 'export' ? output?.split(' ')[0] : output;
}

/** Reasons why a stage must run; none when what is stored is up to date. */
export function whyStale(
  name: StageName,
  now: StageInputs,
  state: StageState | undefined,
  settings: Settings,
): string[] {
  if (state === undefined) return ['never run'];
  const then = state.inputs;
  const why: string[] = [];
  if (then.version !== now.version) why.push(`stage version ${then.version} → ${now.version}`);
  why.push(...differences(then.config, now.config, name));
  if (then.seed !== now.seed) why.push(`run.seed ${then.seed} → ${now.seed}`);
  for (const [reference, hash] of Object.entries(now.models)) {
    // Another reference shows as a changed setting already.
    if (!(reference in then.models) || then.models[reference] === hash) continue;
    why.push(`model ${reference} ${hash === missing ? 'is not on this machine' : 'changed'}`);
  }
  for (const source of new Set([...Object.keys(then.from), ...Object.keys(now.from)])) {
    if (then.from[source] === now.from[source]) continue;
    const change = now.from[source] === missing ? 'is missing' : 'changed';
    why.push(source === name ? 'cut off while it was made again' : `${source} ${change}`);
  }
  if (name === 'export' && !existsSync(join(exportFolder(settings), 'latest', 'manifest.json'))) {
    why.push(`${settings.sections.export.directory}/latest is missing`);
  }
  return why;
}

/** "cluster.min_cluster_size 15 → 10" for each setting that differs. */
export function differences(then: unknown, now: unknown, path: string): string[] {
  if (isRecord(then) && isRecord(now)) {
    return [...new Set([...Object.keys(then), ...Object.keys(now)])].flatMap((key) =>
      differences(then[key], now[key], `${path}.${key}`),
    );
  }
  const before = JSON.stringify(then) ?? 'default';
  const after = JSON.stringify(now) ?? 'default';
  return before === after ? [] : [`${path} ${before} → ${after}`];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Key under which a document's result is kept: equal keys and equal texts give equal results. */
export function workKey(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** All stages with what makes them stale now; a stage below a stale one waits for it. */
export function planAll(
  settings: Settings,
  outside: Outside,
  states: Map<StageName, StageState>,
): { name: StageName; why: string[] }[] {
  const stale = new Set<StageName>();
  return stageOrder.map((name) => {
    const why = whyStale(name, inputsNow(name, settings, outside, states), states.get(name), settings);
    for (const upstream of reads[name]) if (stale.has(upstream)) why.push(`${upstream} will run first`);
    if (why.length > 0) stale.add(name);
    return { name, why };
  });
}

/**
 * What a stage reads and was not made from what is stored now, through all that lies between; null when it fits.
 * Only where stages are left out by choice can a stage come upon such a thing.
 */
export function unfit(
  name: StageName,
  states: Map<StageName, StageState>,
): { stage: StageName; why: 'never run' | 'out of date' } | null {
  for (const stage of reads[name]) {
    const state = states.get(stage);
    if (state === undefined) return { stage, why: 'never run' };
    const below = unfit(stage, states);
    if (below !== null) return below;
    if (stage === 'ingest') continue;
    const from = Object.entries(state.inputs.from) as [StageName, string][];
    const fits = from.every(([upstream, output]) => outputFor(stage, upstream, states) === output);
    if (!fits) return { stage, why: 'out of date' };
  }
  return null;
}
