/** Worker threads of this machine: batches of documents in, what the stage found out, in the order of the batches. */

import { join } from 'node:path';
import { SHARE_ENV, Worker } from 'node:worker_threads';
import PQueue from 'p-queue';
import type { DocumentColumns, Machine, ModelPin } from '../contract.ts';
import { Interrupted, UserError } from '../errors.ts';
import { packageRoot } from '../model/package-root.ts';

/** The stages that work on each document alone. */
export type DocumentStageName = 'entities' | 'embed';

/** What a thread is started with. */
export interface ThreadData {
  stage: DocumentStageName;
  config: unknown;
  model: ModelPin;
  machine: Machine;
}

export interface Request {
  id: number;
  documents: DocumentColumns;
}

/** An error loses its class between threads; whether the user can mend it is told beside it. */
export interface Failure {
  message: string;
  stack: string | undefined;
  mendable: boolean;
}

export type Reply = { id: number; output: unknown } | { id: number; failure: Failure };

// Threads run compiled code also when the caller runs from its sources: Node loads no .ts in a worker.
const threadFile = join(packageRoot(), 'dist', 'pipeline', 'workers', 'thread.js');

/**
 * Runs every batch through a stage on `threads` workers and yields the outputs in the order of the
 * batches, whichever thread finishes first. At most twice as many batches as threads are in memory.
 *
 * @param batches Taken one at a time, as workers become free.
 * @throws What a worker threw; Interrupted when `signal` is aborted.
 */
export async function* workInOrder<Batch extends { documents: DocumentColumns }, Output>(
  data: ThreadData,
  threads: number,
  batches: Iterable<Batch>,
  signal: AbortSignal,
): AsyncGenerator<{ batch: Batch; output: Output }> {
  const workers: WorkerThread[] = [];
  const queue = new PQueue({ concurrency: threads });
  const idle: WorkerThread[] = [];
  const waiting: { batch: Batch; output: Promise<Output> }[] = [];
  try {
    for (const batch of batches) {
      if (signal.aborted) throw new Interrupted('Interrupted.');
      const output = queue.add(async () => {
        const worker = idle.pop() ?? startThread(data, workers);
        const result = (await worker.run(batch.documents)) as Output;
        idle.push(worker);
        return result;
      });
      // A failure is thrown where its turn comes; until then it must not count as unhandled.
      output.catch(() => {});
      waiting.push({ batch, output });
      if (waiting.length >= threads * 2) yield await settle(waiting);
    }
    while (waiting.length > 0) {
      if (signal.aborted) throw new Interrupted('Interrupted.');
      yield await settle(waiting);
    }
  } finally {
    // A thread is ended between batches: the native runtime must not be torn down in the middle of a run.
    queue.clear();
    await queue.onIdle();
    await Promise.all(workers.map((worker) => worker.stop()));
  }
}

async function settle<Batch, Output>(
  waiting: { batch: Batch; output: Promise<Output> }[],
): Promise<{ batch: Batch; output: Output }> {
  const [first] = waiting.splice(0, 1);
  return { batch: first.batch, output: await first.output };
}

interface WorkerThread {
  run(documents: DocumentColumns): Promise<unknown>;
  stop(): Promise<unknown>;
}

function startThread(data: ThreadData, workers: WorkerThread[]): WorkerThread {
  // One environment, since what a thread sets in a copy of it does not reach native code.
  const worker = new Worker(threadFile, { workerData: data, env: SHARE_ENV });
  let nextId = 0;
  let pending: { id: number; resolve: (value: unknown) => void; reject: (reason: unknown) => void } | null =
    null;
  /** Why the thread takes no more work; it may die while it has none. */
  let fault: { reason: unknown } | null = null;
  worker.on('message', (reply: Reply) => {
    if (pending === null || pending.id !== reply.id) return;
    const { resolve, reject } = pending;
    pending = null;
    if ('failure' in reply) reject(revive(reply.failure));
    else resolve(reply.output);
  });
  const fail = (reason: unknown): void => {
    fault ??= { reason };
    pending?.reject(fault.reason);
    pending = null;
  };
  worker.on('error', fail);
  worker.on('exit', (code) => fail(new Error(`A ${data.stage} worker ended with code ${code}.`)));
  const thread: WorkerThread = {
    run: (documents) =>
      new Promise((resolve, reject) => {
        if (fault !== null) {
          reject(fault.reason);
          return;
        }
        const id = nextId++;
        pending = { id, resolve, reject };
        worker.postMessage({ id, documents } satisfies Request);
      }),
    stop: () => worker.terminate(),
  };
  workers.push(thread);
  return thread;
}

function revive(failure: Failure): Error {
  const error = failure.mendable ? new UserError(failure.message) : new Error(failure.message);
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}
