/** What a run left in its export folder, as far as two runs are compared by it. */

import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from '../errors.ts';
import { csvRows } from './csv-rows.ts';

export interface ExportedRun {
  runId: string;
  /** By id. */
  documents: Map<string, ExportedDocument>;
  topics: Map<number, ExportedTopic>;
  /** Of this run and those before it, oldest first. */
  events: ExportedEvent[];
  config: Record<string, unknown>;
  models: { role: string; reference: string; hash: string }[];
}

export interface ExportedDocument {
  title: string;
  /** −1 for a document in no topic. */
  topic: number;
  probability: number;
}

export interface ExportedTopic {
  label: string;
  size: number;
}

export interface ExportedEvent {
  runId: string;
  event: string;
  topicId: number;
  fromTopicIds: number[];
}

/** Runs that an export folder keeps, oldest first. */
export function keptRuns(exportFolder: string): string[] {
  const folder = join(exportFolder, 'runs');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^run-\d+$/.test(name) && existsSync(join(folder, name, 'manifest.json')))
    .sort((a, b) => numberOf(a) - numberOf(b));
}

/** run-0012 → 12. */
export function numberOf(runId: string): number {
  return Number(/\d+$/.exec(runId)?.[0] ?? Number.NaN);
}

/**
 * The run that a person means: run-0012, 12 or latest.
 *
 * @throws UserError when its files are not kept.
 */
export function findRun(exportFolder: string, given: string): string {
  const kept = keptRuns(exportFolder);
  const found =
    given === 'latest'
      ? latestRun(exportFolder, kept)
      : kept.find((id) => id === given || isNumber(id, given));
  if (found !== undefined) return found;
  const known =
    kept.length === 0 ? 'none' : kept.length > 12 ? `${kept[0]} to ${kept.at(-1)}` : kept.join(', ');
  throw new UserError(
    `compare: the files of the run "${given}" are not in ${join(exportFolder, 'runs')}. There: ${known}. Earlier ones are removed after export.keep_runs.`,
  );
}

function isNumber(runId: string, given: string): boolean {
  return /^\d+$/.test(given) && numberOf(runId) === Number(given);
}

function latestRun(exportFolder: string, kept: readonly string[]): string | undefined {
  try {
    const target = basename(readlinkSync(join(exportFolder, 'latest')));
    return kept.find((id) => id === target);
  } catch {
    // Where there are no links, `latest` is a copy.
    return kept.at(-1);
  }
}

/** @throws UserError when a file is missing or is not what a run writes. */
export async function readRun(exportFolder: string, runId: string): Promise<ExportedRun> {
  const folder = join(exportFolder, 'runs', runId);
  const { config, models } = readManifest(join(folder, 'manifest.json'));
  const documents = new Map<string, ExportedDocument>();
  const columns = ['id', 'title', 'topic_id', 'probability'];
  for await (const [id, title, topic, probability] of csvRows(join(folder, 'documents.csv'), columns)) {
    documents.set(id, { title, topic: Number(topic), probability: Number(probability) });
  }
  const topics = new Map<number, ExportedTopic>();
  for await (const [id, label, size] of csvRows(join(folder, 'topics.csv'), ['topic_id', 'label', 'size'])) {
    topics.set(Number(id), { label, size: Number(size) });
  }
  const events: ExportedEvent[] = [];
  const eventColumns = ['run_id', 'event', 'topic_id', 'from_topic_ids'];
  for await (const [run, event, topic, from] of csvRows(join(folder, 'topic_events.csv'), eventColumns)) {
    const fromTopicIds = from === '' ? [] : from.split('; ').map(Number);
    events.push({ runId: run, event, topicId: Number(topic), fromTopicIds });
  }
  return { runId, documents, topics, events, config, models };
}

function readManifest(path: string): Pick<ExportedRun, 'config' | 'models'> {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Partial<ExportedRun>;
    return { config: value.config ?? {}, models: Array.isArray(value.models) ? value.models : [] };
  } catch (error) {
    throw new UserError(`compare: ${path} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}
