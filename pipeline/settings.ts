/** The configuration of a run: config.yaml checked against the sections of all stages. */

import { resolve } from 'node:path';
import type * as z from 'zod';
import { type LoadedConfig, loadConfig } from './config.ts';
import { sectionSchemas } from './order.ts';
import { type ModelPlaces, modelPlaces, type Precision } from './provide-model.ts';
import { type ScheduleConfig, scheduleSection } from './schedule/config.ts';

export type Sections = { [K in keyof typeof sectionSchemas]: z.infer<(typeof sectionSchemas)[K]> };

/** The sections that results are made from, and beside them when they are made. */
export type Settings = LoadedConfig<Sections> & { schedule: ScheduleConfig };

/** Every section that a config file may have but `run`, in the order in which it lists them. */
export const settingSchemas = { ...sectionSchemas, schedule: scheduleSection };

/** @see loadConfig */
export function loadSettings(path: string, overrides: readonly string[] = []): Settings {
  const loaded = loadConfig(path, settingSchemas, overrides);
  // Neither manifest nor database is to tell of it: results do not depend on it, and it may hold addresses.
  const { schedule, ...sections } = loaded.sections;
  return { ...loaded, sections, schedule };
}

type SourceConfig = Exclude<Sections['ingest'], unknown[]>;

export function databasePath(settings: Settings): string {
  return resolve(settings.baseFolder, settings.sections.run.database);
}

/** Where the models of a run stand. */
export function placesOf({ baseFolder, sections }: Settings): ModelPlaces {
  const cache = sections.run.model_cache;
  return modelPlaces(baseFolder, cache === undefined ? undefined : resolve(baseFolder, cache));
}

/** Precision of a stage's model. Graphics cards have no counterpart to the processor's whole-number products. */
export function precisionOf({ sections }: Settings, stage: 'entities' | 'embed'): Precision {
  const { precision } = sections[stage];
  return sections.run.device === 'cuda' && precision === 'auto' ? 'fp32' : precision;
}

export function exportFolder(settings: Settings): string {
  return resolve(settings.baseFolder, settings.sections.export.directory);
}

/** What a stage's results depend on: its section, but for what only says how long they are kept. */
export function resultSettings<Name extends keyof Sections>(
  { sections }: Pick<Settings, 'sections'>,
  name: Name,
): unknown {
  if (name === 'ingest') {
    // Who asks a service, and how fast, changes nothing; nor is it anybody's business who reads the manifest.
    const asked = ({
      mailto: _mailto,
      api_key: _key,
      requests_per_second: _rate,
      update: _update,
      ...rest
    }: SourceConfig) => rest;
    return Array.isArray(sections.ingest) ? sections.ingest.map(asked) : asked(sections.ingest);
  }
  if (name !== 'export') return sections[name];
  const { keep_runs: _runs, keep_days: _days, ...rest } = sections.export;
  return rest;
}
