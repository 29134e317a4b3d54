/** One worker thread: opens a stage's model once, then answers batch after batch. */

import { parentPort, workerData } from 'node:worker_threads';
import type { DocumentWork } from '../contract.ts';
import { UserError } from '../errors.ts';
import { stages } from '../order.ts';
import type { Reply, Request, ThreadData } from './pool.ts';

const data = workerData as ThreadData;
const port = parentPort;
if (port === null) throw new Error('thread.ts runs as a worker thread only.');

let work: Promise<DocumentWork<unknown>> | undefined;

port.on('message', (request: Request) => {
  answer(request).then((reply) => port.postMessage(reply));
});

async function answer({ id, documents }: Request): Promise<Reply> {
  try {
    work ??= open();
    return { id, output: await (await work)(documents) };
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    return { id, failure: { message, stack, mendable: error instanceof UserError } };
  }
}

/** The config was checked by the coordinator; the thread trusts it. */
function open(): Promise<DocumentWork<unknown>> {
  return data.stage === 'entities'
    ? stages.entities.open(data.config as never, data.model, data.machine)
    : stages.embed.open(data.config as never, data.model, data.machine);
}
