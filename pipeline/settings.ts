/** The configuration of a run: config.yaml checked against the sections of all stages. */

import { resolve } from 'node:path';
import type * as z from 'zod';
import { type LoadedConfig, loadConfig } from './config.ts';
import { sectionSchemas } from './order.ts';

export type Sections = { [K in keyof typeof sectionSchemas]: z.infer<(typeof sectionSchemas)[K]> };

export type Settings = LoadedConfig<Sections>;

/** @see loadConfig */
export function loadSettings(path: string, overrides: readonly string[] = []): Settings {
  return loadConfig(path, sectionSchemas, overrides);
}

export function databasePath(settings: Settings): string {
  return resolve(settings.baseFolder, settings.sections.run.database);
}

export function exportFolder(settings: Settings): string {
  return resolve(settings.baseFolder, settings.sections.export.directory);
}
