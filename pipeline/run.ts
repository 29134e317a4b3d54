/** Walks the seven stages: skips what is up to date, runs what is not, and can be taken up where it was cut off. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { StageName } from './contract.ts';
import { Interrupted, UserError } from './errors.ts';
import { fetchSources, sourceRevisions } from './fetch-sources.ts';
import { requireDevice } from './model/session.ts';
import { stageOrder } from './order.ts';
import { inputsNow, lookOutside, type Outside, unfit, whyStale } from './plan.ts';
import { provideModel } from './provide-model.ts';
import { pruneExports } from './prune-exports.ts';
import {
  databasePath,
  exportFolder,
  loadSettings,
  placesOf,
  precisionOf,
  type Settings,
} from './settings.ts';
import { type StepResult, steps } from './steps.ts';
import { backUp } from './store/backup.ts';
import { countDocuments } from './store/documents.ts';
import { countMerged, type IntakeCounts, readSkipped } from './store/intake.ts';
import { takeLock } from './store/lock.ts';
import { openDatabase, openForReading, type Store } from './store/open.ts';
import { databaseBytes, pruneHistory, reclaim } from './store/retention.ts';
import {
  beginRun,
  beginStage,
  describeHolder,
  endRun,
  endStage,
  lastDoneRunId,
  lastRuns,
  type RunRow,
  readStates,
} from './store/runs.ts';
import { wordSqliteError } from './store/sqlite-errors.ts';
import { readTopicSizes } from './store/topics.ts';

export interface RunOptions {
  /** config.yaml. */
  config: string;
  /** `section.key=value`, winning over the file. */
  set?: readonly string[];
  /** Runs this stage and all after it, up to date or not. */
  from?: StageName;
  /** Runs these stages alone, up to date or not. */
  only?: readonly StageName[];
  /** Runs every selected stage again (with `from`, it and all after it), and every document again in it. */
  force?: boolean;
  signal?: AbortSignal;
  reporter?: Reporter;
}

/** Where a run tells what it is doing; the command line prints it. */
export interface Reporter {
  stageBegins(stage: StageName, why: readonly string[]): void;
  /** Documents done of a total; where `work` is given, its own steps. */
  progress(stage: StageName, done: number, total?: number, work?: string): void;
  notice(stage: StageName, message: string): void;
  stageEnds(stage: StageName, seconds: number, documents: number): void;
  upToDate(stage: StageName): void;
}

export interface StageSummary {
  stage: StageName;
  state: 'done' | 'up to date' | 'not selected';
  seconds: number;
  documents: number;
  why: string[];
}

export interface RunSummary {
  /** The run's id; the last finished run's where nothing had to be done. */
  runId: string | null;
  upToDate: boolean;
  stages: StageSummary[];
  seconds: number;
  /** Rows read from the sources by the last ingest: kept, merged and left out. */
  documentsIn: number;
  /** Documents in the corpus. */
  documentsOut: number;
  /** What tonight's ingest did; null when it was up to date. */
  intake: IntakeCounts | null;
  skipped: { reason: string; rows: number }[];
  topics: number;
  /** Outliers ÷ documents, 0–1. */
  noiseShare: number;
  largestTopics: { topicId: number; label: string; size: number }[];
  notices: string[];
  exportFolder: string;
  database: string;
  databaseBytes: number;
}

/**
 * Runs the pipeline.
 *
 * @throws UserError for what the user can mend; exit code 3 when another run holds the lock.
 * @throws Interrupted when `signal` is aborted; the same call resumes.
 */
export async function runPipeline(options: RunOptions): Promise<RunSummary> {
  const settings = loadSettings(options.config, options.set);
  checkSelection(options);
  const path = databasePath(settings);
  const lock = takeLock(path, () => holderOf(path));
  try {
    const store = openDatabase(path);
    try {
      return await walk(store, settings, options, lock.lost);
    } catch (error) {
      if (lock.lost.aborted) throw lostLock(path, error);
      throw wordSqliteError(error, path);
    } finally {
      store.close();
    }
  } finally {
    lock.release();
  }
}

async function walk(
  store: Store,
  settings: Settings,
  options: RunOptions,
  lost: AbortSignal,
): Promise<RunSummary> {
  const began = performance.now();
  const signal = options.signal === undefined ? lost : AbortSignal.any([options.signal, lost]);
  await provideModels(settings, options, signal);
  if (isSelected('ingest', options)) await askSources(store, settings, options, signal);
  const outside: Outside = {
    ...(await lookOutside(settings, { runs: (name) => isSelected(name, options) })),
    sources: sourceRevisions(store, settings),
  };
  const stages: StageSummary[] = [];
  let run: RunRow | null = null;
  let intake: IntakeCounts | null = null;
  try {
    for (const name of stageOrder) {
      if (!isSelected(name, options)) {
        stages.push({ stage: name, state: 'not selected', seconds: 0, documents: 0, why: [] });
        continue;
      }
      const states = readStates(store);
      const inputs = inputsNow(name, settings, outside, states);
      checkUpstream(name, states);
      const why = whyRun(name, options, whyStale(name, inputs, states.get(name), settings));
      if (why.length === 0) {
        options.reporter?.upToDate(name);
        stages.push({ stage: name, state: 'up to date', seconds: 0, documents: 0, why });
        continue;
      }
      if (run === null) {
        await backUpBefore(store, settings, signal);
        run = beginRun(store, settings.sections);
        pruneHistory(store, run.runNumber, settings.sections.run.keep_history);
      }
      const { result, seconds } = await runStage(store, settings, options, run, name, inputs, why, signal);
      intake = result.intake ?? intake;
      stages.push({ stage: name, state: 'done', seconds, documents: result.documents, why });
    }
  } catch (error) {
    const status = error instanceof Interrupted || signal.aborted ? 'interrupted' : 'failed';
    // A full disk must not hide what went wrong; a run that is not marked is taken up all the same.
    try {
      if (run !== null && !lost.aborted) endRun(store, run.runNumber, status, { error: String(error) });
    } catch {}
    if (status === 'interrupted')
      throw new Interrupted('Interrupted; the same command resumes.', { cause: error });
    throw error;
  }
  const summary = summarise(store, settings, stages, run, intake, (performance.now() - began) / 1000);
  if (run !== null) endRun(store, run.runNumber, 'done', summary);
  else finishCutOff(store, summary);
  tidyUp(store, settings, options);
  return summary;
}

/** Before a run changes what the last one left; one that is taken up has its copy from before. */
async function backUpBefore(store: Store, settings: Settings, signal: AbortSignal): Promise<void> {
  const { backups } = settings.sections.run;
  const last = lastRuns(store, 1)[0];
  if (backups === 0 || last?.status !== 'done') return;
  await backUp(store, databasePath(settings), last.runId, backups, signal);
}

/** A run that was cut off between its last stage and its last word has nothing left to do but to say it. */
function finishCutOff(store: Store, summary: RunSummary): void {
  const last = lastRuns(store, 1)[0];
  if (last === undefined || last.status === 'done') return;
  const whole = summary.stages.every(({ state }) => state === 'up to date');
  if (!whole || readStates(store).get('export')?.runNumber !== last.runNumber) return;
  endRun(store, last.runNumber, 'done', { ...summary, runId: last.runId });
  summary.runId = last.runId;
}

/** Bounds what is kept. The run is done: what fails here is said, and tried again the next time. */
function tidyUp(store: Store, settings: Settings, options: RunOptions): void {
  if (!isSelected('export', options)) return;
  try {
    pruneExports(exportFolder(settings), settings.sections.export);
    reclaim(store, databasePath(settings));
  } catch (error) {
    options.reporter?.notice(
      'export',
      `Earlier runs could not be cleared away: ${(error as Error).message}.`,
    );
  }
}

function lostLock(path: string, cause: unknown): UserError {
  return new UserError(
    `Another machine has taken over ${path}, because this one gave no sign for minutes (did it sleep?). Nothing more was written here.`,
    { exitCode: 3, cause },
  );
}

/** Fetches the models that come from the hub and are not here yet; without such, this asks nothing of anybody. */
async function provideModels(settings: Settings, options: RunOptions, signal: AbortSignal): Promise<void> {
  // Before anything is downloaded for it.
  requireDevice(settings.sections.run.device);
  for (const name of ['entities', 'embed'] as const) {
    if (!isSelected(name, options)) continue;
    await provideModel(settings.sections[name].model, placesOf(settings), {
      precision: precisionOf(settings, name),
      signal,
      onProgress: (work, done, total) => options.reporter?.progress(name, done, total, work),
      onNotice: (message) => options.reporter?.notice(name, message),
    });
  }
}

/** Brings what is new from the sources whose records are kept; without such, this asks nothing of anybody. */
async function askSources(
  store: Store,
  settings: Settings,
  { reporter }: RunOptions,
  signal: AbortSignal,
): Promise<void> {
  try {
    await fetchSources(store, settings, {
      signal,
      variables: process.env,
      progress: (done, work) => reporter?.progress('ingest', done, undefined, work),
      notice: (message) => reporter?.notice('ingest', message),
    });
  } catch (error) {
    if (signal.aborted) throw new Interrupted('Interrupted; the same command resumes.', { cause: error });
    throw error;
  }
}

async function runStage(
  store: Store,
  settings: Settings,
  options: RunOptions,
  run: RunRow,
  name: StageName,
  inputs: Parameters<(typeof steps)[StageName]>[0]['inputs'],
  why: string[],
  signal: AbortSignal,
): Promise<{ result: StepResult; seconds: number }> {
  await stopIfAsked(signal);
  const began = performance.now();
  const elapsed = (): number => (performance.now() - began) / 1000;
  const notices: string[] = [];
  beginStage(store, run.runNumber, name, why);
  options.reporter?.stageBegins(name, why);
  try {
    const result = await steps[name]({
      store,
      settings,
      run,
      inputs,
      force: isForced(name, options),
      signal,
      progress: (done, total, work) => options.reporter?.progress(name, done, total, work),
      notice: (message) => {
        notices.push(message);
        options.reporter?.notice(name, message);
      },
      notices,
    });
    endStage(store, run.runNumber, name, 'done', elapsed(), result.documents);
    options.reporter?.stageEnds(name, elapsed(), result.documents);
    return { result, seconds: elapsed() };
  } catch (error) {
    const status = error instanceof Interrupted || signal.aborted ? 'interrupted' : 'failed';
    try {
      endStage(store, run.runNumber, name, status, elapsed(), 0);
    } catch {}
    throw error;
  }
}

function checkSelection({ from, only }: RunOptions): void {
  if (from !== undefined && only !== undefined) throw new UserError('Give --from or --only, not both.');
  for (const name of [...(only ?? []), ...(from === undefined ? [] : [from])]) {
    if (!stageOrder.includes(name)) {
      throw new UserError(`Expected a stage (${stageOrder.join(', ')}), got "${name}".`);
    }
  }
}

function isSelected(name: StageName, { only }: RunOptions): boolean {
  return only === undefined || only.includes(name);
}

function whyRun(name: StageName, options: RunOptions, why: string[]): string[] {
  if (why.length > 0) return why;
  if (isForced(name, options)) return ['asked for by --force'];
  if (options.only?.includes(name)) return ['asked for by --only'];
  if (options.from !== undefined && isFrom(name, options.from)) return ['asked for by --from'];
  return [];
}

function isForced(name: StageName, { force = false, from }: RunOptions): boolean {
  return force && (from === undefined || isFrom(name, from));
}

function isFrom(name: StageName, from: StageName): boolean {
  return stageOrder.indexOf(name) >= stageOrder.indexOf(from);
}

/** With --only, what a stage reads may never have been made, or belong to another corpus by now. */
function checkUpstream(name: StageName, states: ReturnType<typeof readStates>): void {
  const fault = unfit(name, states);
  if (fault === null) return;
  const state = fault.why === 'never run' ? 'has never run' : 'is out of date';
  throw new UserError(
    `${name} needs what ${fault.stage} gives, which ${state}. Run without --only, or name ${fault.stage} as well.`,
  );
}

/** Stops here when asked to. Signals reach the program only between pieces of work, so it rests for a moment. */
async function stopIfAsked(signal: AbortSignal): Promise<void> {
  // The first turn may have been under way already when the signal came.
  await setImmediate();
  await setImmediate();
  if (signal.aborted) throw new Interrupted('Interrupted.');
}

/** For a message only, so that no fault of the database may take that message's place. */
function holderOf(path: string): string {
  if (!existsSync(path)) return '';
  try {
    const store = openForReading(path);
    try {
      return describeHolder(store);
    } finally {
      store.close();
    }
  } catch {
    return '';
  }
}

function summarise(
  store: Store,
  settings: Settings,
  stages: StageSummary[],
  run: RunRow | null,
  intake: IntakeCounts | null,
  seconds: number,
): RunSummary {
  const documents = countDocuments(store);
  const skipped = readSkipped(store);
  const topics = readTopicSizes(store);
  const states = readStates(store);
  const clustered = topics.reduce((sum, { size }) => sum + size, 0);
  return {
    runId: run?.runId ?? lastDoneRunId(store),
    upToDate: run === null,
    stages,
    seconds,
    documentsIn: documents + countMerged(store) + skipped.reduce((sum, { rows }) => sum + rows, 0),
    documentsOut: documents,
    intake,
    skipped,
    topics: topics.length,
    noiseShare: documents === 0 ? 0 : (documents - clustered) / documents,
    largestTopics: topics.toSorted((a, b) => b.size - a.size || a.topicId - b.topicId).slice(0, 10),
    notices: stageOrder.flatMap((name) => states.get(name)?.notices ?? []),
    exportFolder: join(exportFolder(settings), 'latest'),
    database: databasePath(settings),
    databaseBytes: databaseBytes(store),
  };
}
