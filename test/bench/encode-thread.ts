/** One worker thread of the transformers bench: opens an encoder, then encodes what it is sent, list after list. */

import { parentPort, workerData } from 'node:worker_threads';
import {
  type DocumentEncoder,
  type EncoderDocument,
  openEncoder,
} from '../../pipeline/model/document-encoder.ts';

const { model, threads } = workerData as { model: string; threads: number };
const port = parentPort;
if (port === null) throw new Error('encode-thread.ts runs as a worker thread only.');

let encoder: Promise<DocumentEncoder> | undefined;

port.on('message', async (documents: EncoderDocument[]) => {
  encoder ??= openEncoder(model, { threads });
  await (await encoder).encode(documents);
  port.postMessage(documents.length);
});
