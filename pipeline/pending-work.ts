/** The documents that a stage has no up-to-date result of: sent through its workers, and what comes back stored. */

import type { DocumentColumns, ModelPin } from './contract.ts';
import type { Settings } from './settings.ts';
import { countDocuments, pendingDocuments, readDocumentsByKey } from './store/documents.ts';
import type { Store } from './store/open.ts';
import { makeStale } from './store/runs.ts';
import { type DocumentStageName, workInOrder } from './workers/pool.ts';

/** Documents per batch: enough to keep a worker busy, few enough to lose little to a crash. */
const batchSize = 64;

/**
 * Batches are stored together until so many milliseconds have passed: storing one writes to pages all over the
 * tables, most of which the next one writes to again. Half the time goes; a crash costs no more than this.
 */
const millisecondsBetweenWrites = 1_000;
/** From this share of all documents on it pays to make an index anew. */
const MANY_SHARE = 0.2;

/** Where documents come from, and how the work on them is told and stopped. */
interface Work {
  store: Store;
  settings: Settings;
  /** Work on all documents, whatever is stored of them. */
  force: boolean;
  signal: AbortSignal;
  progress(done: number, total: number): void;
}

/**
 * Sends every document without an up-to-date result through the stage's workers and stores what comes second by
 * second, so that a crash costs the batches under way and little more.
 *
 * @returns How many documents were worked on.
 */
export async function workOnPending<Output>(
  { store, settings, force, signal, progress }: Work,
  stage: DocumentStageName,
  table: 'tagged' | 'embedding',
  key: string,
  model: ModelPin,
  into: Destination<Output>,
): Promise<number> {
  const pending = pendingDocuments(store, table, force ? '' : key);
  const { device } = settings.sections.run;
  const data = { stage, config: settings.sections[stage], model, machine: { device, threads: 1 } };
  let done = 0;
  if (pending.length > 0) makeStale(store, [stage], stage);
  if (pending.length > MANY_SHARE * countDocuments(store)) into.expectMany?.();
  progress(0, pending.length);
  const results = workInOrder<Batch, Output>(
    data,
    settings.sections.run.threads,
    batchesOf(store, pending),
    signal,
  );
  let unwritten: { batch: Batch; output: Output }[] = [];
  let wrote = performance.now();
  const writeAll = store.transaction(() => {
    for (const { batch, output } of unwritten) into.write(batch, output);
  });
  try {
    for await (const result of results) {
      unwritten.push(result);
      done += result.batch.keys.length;
      progress(done, pending.length);
      if (performance.now() - wrote < millisecondsBetweenWrites) continue;
      writeAll.immediate();
      unwritten = [];
      wrote = performance.now();
    }
  } finally {
    // What is done stays done, however the work ends.
    writeAll.immediate();
  }
  return done;
}

/** Where results go. */
interface Destination<Output> {
  /** Told before results of a large part of all documents are written. */
  expectMany?(): void;
  write(batch: Batch, output: Output): void;
}

interface Batch {
  keys: number[];
  documents: DocumentColumns & { contentHash: string[] };
}

function* batchesOf(store: Store, pending: readonly number[]): Generator<Batch> {
  for (let from = 0; from < pending.length; from += batchSize) {
    const keys = pending.slice(from, from + batchSize);
    yield { keys, documents: readDocumentsByKey(store, keys) };
  }
}
