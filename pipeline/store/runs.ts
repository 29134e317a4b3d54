/** What ran, when, on which inputs and how it ended; and what is stored of each stage now. */

import { hostname } from 'node:os';
import { relative, resolve } from 'node:path';
import type { ModelPin, StageName } from '../contract.ts';
import type { Store } from './open.ts';

/** What a stage was made from. Two that differ say why a stage is stale. */
export interface StageInputs {
  version: number;
  config: unknown;
  seed: number | null;
  models: Record<string, string>;
  /** Output of each stage or file that it reads. */
  from: Record<string, string>;
}

export interface StageState {
  stage: StageName;
  runNumber: number;
  inputs: StageInputs;
  /** Equal outputs are told by equal texts. */
  output: string;
  notices: string[];
}

export interface RunRow {
  runNumber: number;
  runId: string;
  status: 'running' | 'interrupted' | 'failed' | 'done';
  attempts: number;
  startedAt: string;
  finishedAt: string | null;
}

/**
 * Begins a run, or takes up the last one where it did not finish: a run's number is used up only by
 * finishing, so that a night that was killed and resumed leaves what an undisturbed one leaves.
 */
export function beginRun(store: Store, config: unknown): RunRow {
  const begin = store.transaction((): RunRow => {
    const last = lastRuns(store, 1)[0];
    const now = new Date().toISOString();
    const text = JSON.stringify(config);
    if (last !== undefined && last.status !== 'done') {
      store
        .prepare(
          `UPDATE run SET status = 'running', attempts = attempts + 1, finished_at = NULL, config = ?,
             process_id = ?, host = ?
           WHERE run_number = ?`,
        )
        .run(text, process.pid, hostname(), last.runNumber);
      return { ...last, status: 'running', attempts: last.attempts + 1, finishedAt: null };
    }
    const runNumber = (last?.runNumber ?? 0) + 1;
    const runId = `run-${String(runNumber).padStart(4, '0')}`;
    store
      .prepare(
        `INSERT INTO run (run_number, run_id, status, attempts, started_at, process_id, host, config)
         VALUES (?, ?, 'running', 1, ?, ?, ?, ?)`,
      )
      .run(runNumber, runId, now, process.pid, hostname(), text);
    return { runNumber, runId, status: 'running', attempts: 1, startedAt: now, finishedAt: null };
  });
  return begin.immediate();
}

/** How a run ended. Only `done` lets the next run have a number of its own. */
export function endRun(
  store: Store,
  runNumber: number,
  status: 'interrupted' | 'failed' | 'done',
  summary: unknown,
): void {
  store
    .prepare('UPDATE run SET status = ?, finished_at = ?, summary = ? WHERE run_number = ?')
    .run(status, new Date().toISOString(), JSON.stringify(summary), runNumber);
}

/** The last runs, newest first. */
export function lastRuns(store: Store, count: number): RunRow[] {
  return store
    .prepare(
      `SELECT run_number AS runNumber, run_id AS runId, status, attempts, started_at AS startedAt,
         finished_at AS finishedAt FROM run ORDER BY run_number DESC LIMIT ?`,
    )
    .all(count) as RunRow[];
}

/** The last run that finished, or null. */
export function lastDoneRunId(store: Store): string | null {
  const id = store
    .prepare("SELECT run_id FROM run WHERE status = 'done' ORDER BY run_number DESC LIMIT 1")
    .pluck()
    .get();
  return (id as string | undefined) ?? null;
}

/** Who holds the lock, as far as the database knows; for the message of whoever does not get it. */
export function describeHolder(store: Store): string {
  const row = store
    .prepare(
      "SELECT run_id, process_id, host FROM run WHERE status = 'running' ORDER BY run_number DESC LIMIT 1",
    )
    .get() as { run_id: string; process_id: number; host: string } | undefined;
  return row === undefined ? '' : ` (${row.run_id}, process ${row.process_id} on ${row.host})`;
}

export function beginStage(store: Store, runNumber: number, stage: StageName, why: string[]): void {
  store
    .prepare(
      `INSERT OR REPLACE INTO stage_run (run_number, stage, status, why, started_at) VALUES (?, ?, 'running', ?, ?)`,
    )
    .run(runNumber, stage, why.join('; '), new Date().toISOString());
}

export function endStage(
  store: Store,
  runNumber: number,
  stage: StageName,
  status: 'done' | 'failed' | 'interrupted',
  seconds: number,
  documents: number,
): void {
  store
    .prepare(
      `UPDATE stage_run SET status = ?, finished_at = ?, seconds = ?, documents = ? WHERE run_number = ? AND stage = ?`,
    )
    .run(status, new Date().toISOString(), seconds, documents, runNumber, stage);
}

/** Marks what is stored of a stage; call it in the transaction that writes the stage's last rows. */
export function writeState(store: Store, state: StageState): void {
  store
    .prepare(
      'INSERT OR REPLACE INTO stage_state (stage, run_number, inputs, output, notices) VALUES (?, ?, ?, ?, ?)',
    )
    .run(
      state.stage,
      state.runNumber,
      JSON.stringify(state.inputs),
      state.output,
      JSON.stringify(state.notices),
    );
}

/**
 * Makes stages stale because `by` is changing what is stored of them. Their inputs alone would not tell: were
 * this run cut off and the old settings or files restored, they would fit again what is no longer there. Call
 * it in the transaction that changes the rows, or before it.
 */
export function makeStale(store: Store, stages: readonly StageName[], by: StageName): void {
  const mark = store.prepare(
    `UPDATE stage_state SET inputs = json_set(inputs, '$.from.' || ?, 'overwritten') WHERE stage = ?`,
  );
  for (const stage of stages) mark.run(by, stage);
}

/** What is stored of each stage. */
export function readStates(store: Store): Map<StageName, StageState> {
  const rows = store.prepare('SELECT * FROM stage_state').all() as {
    stage: StageName;
    run_number: number;
    inputs: string;
    output: string;
    notices: string;
  }[];
  return new Map(
    rows.map((row) => [
      row.stage,
      {
        stage: row.stage,
        runNumber: row.run_number,
        inputs: JSON.parse(row.inputs) as StageInputs,
        output: row.output,
        notices: JSON.parse(row.notices) as string[],
      },
    ]),
  );
}

/** The model pinned under a role, or null. Its folder is stored relative to `base`, so that both can move. */
export function readPin(store: Store, role: string, base: string): ModelPin | null {
  const row = store.prepare('SELECT reference, hash, folder FROM model_pin WHERE role = ?').get(role) as
    | ModelPin
    | undefined;
  return row === undefined ? null : { ...row, folder: resolve(base, row.folder) };
}

export function writePin(store: Store, role: string, base: string, pin: ModelPin): void {
  store
    .prepare('INSERT OR REPLACE INTO model_pin VALUES (?, ?, ?, ?)')
    .run(role, pin.reference, pin.hash, relative(base, pin.folder));
}
