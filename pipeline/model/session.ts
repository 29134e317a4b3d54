/**
 * Runs ONNX graphs; the only importer of onnxruntime-node. `run` computes on the calling thread and blocks
 * its event loop, so long work belongs in a worker thread or in a command that does nothing else.
 */

import './no-telemetry.ts';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { UserError } from '../errors.ts';
import { elementTypeOf, type TensorData, type TensorValue } from './tensor.ts';

export type { TensorData, TensorValue } from './tensor.ts';

/** Where graphs run: the processor, or an NVIDIA card through CUDA. */
export type Device = 'cpu' | 'cuda';

export interface SessionOptions {
  threads?: number;
  device?: Device;
}

export interface Session {
  inputs: string[];
  outputs: string[];
  /**
   * @param feeds One tensor per input, by name.
   * @param fetch Outputs to compute; all of them when left out.
   * @throws Error when a name is missing or unknown, or a tensor does not fit the graph.
   */
  run(
    feeds: Readonly<Record<string, TensorValue>>,
    fetch?: readonly string[],
  ): Promise<Record<string, TensorValue>>;
  close(): Promise<void>;
}

/**
 * Opens a model from its file or its bytes. Results do not depend on the number of threads.
 *
 * @param model Path of a file, or the file's content.
 * @param options.threads Threads within one operator.
 * @param options.device Where the graph runs; `cuda` never falls back to the processor as a whole.
 * @throws UserError when the file is absent, is not a model that onnxruntime can run, or there is no such device.
 */
export async function openSession(
  model: string | Uint8Array,
  { threads = 1, device = 'cpu' }: SessionOptions = {},
): Promise<Session> {
  const options: ort.InferenceSession.SessionOptions = {
    executionProviders: [device],
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Errors only: onnxruntime writes its warnings straight to stderr, past our progress lines.
    logSeverityLevel: 3,
    // Idle threads that spin cost as much CPU as those that work.
    extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
  };
  if (typeof model === 'string' && !existsSync(model)) {
    throw new UserError(`model: expected an ONNX file at ${model}, found none. Restore the model's folder.`);
  }
  requireDevice(device);
  let session: ort.InferenceSession;
  try {
    session =
      typeof model === 'string'
        ? await ort.InferenceSession.create(model, options)
        : await ort.InferenceSession.create(model, options);
  } catch (cause) {
    if (device !== 'cpu' && /provider|cuda|cudnn|shared library/i.test(reasonOf(cause))) {
      throw new UserError(noDevice(device, reasonOf(cause)), { cause });
    }
    const where = typeof model === 'string' ? model : `the ${model.byteLength} bytes given`;
    throw new UserError(
      `model: expected ${where} to be an ONNX model that onnxruntime can run; it says: ${reasonOf(cause)}`,
      { cause },
    );
  }
  return wrap(session);
}

/**
 * Models that stay on the processor ask this too: whoever asks for a device and has none is to hear of it.
 *
 * onnxruntime-node holds its CUDA part back unless its installer fetched it. Asked without, it would write a
 * trace of its own to stderr before it refuses.
 *
 * @throws UserError when there is no such device.
 */
export function requireDevice(device: Device): void {
  if (device === 'cpu') return;
  const folder = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')), '..', 'bin');
  const library = `onnxruntime_providers_${device}`;
  const found =
    existsSync(folder) &&
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).some((name) => name.includes(library));
  if (!found) throw new UserError(noDevice(device, `its ${library} library is not installed`));
}

function noDevice(device: Device, reason: string): string {
  return (
    `run.device: expected onnxruntime to run on ${device}; it cannot: ${reason}. ` +
    'Fetch its GPU part with "ONNXRUNTIME_NODE_INSTALL=true node node_modules/onnxruntime-node/script/install.js" (Linux x64, with CUDA 12 and cuDNN 9), or set run.device: cpu.'
  );
}

function wrap(session: ort.InferenceSession): Session {
  const inputs = [...session.inputNames];
  const outputs = [...session.outputNames];
  const inputTypes = new Map(
    session.inputMetadata.map((entry) => [entry.name, entry.isTensor ? entry.type : '']),
  );
  let closed = false;

  const toTensor = (name: string, value: TensorValue): ort.Tensor => {
    const wanted = inputTypes.get(name);
    // Booleans travel as bytes.
    const type = wanted === 'bool' && value.data instanceof Uint8Array ? 'bool' : elementTypeOf(value.data);
    if (type !== wanted) throw new Error(`session: expected input "${name}" as ${wanted}, got ${type}.`);
    return new ort.Tensor(type, value.data, value.dims);
  };

  return {
    inputs,
    outputs,
    async run(feeds, fetch = outputs) {
      if (closed) throw new Error('session: run was called after close.');
      // onnxruntime ignores feeds it does not know, and a misspelt one would go unnoticed.
      checkNames('input', Object.keys(feeds), inputs);
      for (const name of inputs)
        if (!(name in feeds)) throw new Error(`session: input "${name}" is missing.`);
      checkNames('output', fetch, outputs);
      const tensors: Record<string, ort.Tensor> = {};
      for (const name of inputs) tensors[name] = toTensor(name, feeds[name]);
      let found: ort.InferenceSession.ReturnType;
      try {
        found = await session.run(tensors, fetch);
      } catch (cause) {
        const shapes = inputs.map((name) => `${name} [${feeds[name].dims}]`).join(', ');
        throw new Error(`session: onnxruntime refused ${shapes}: ${reasonOf(cause)}`, { cause });
      }
      const results: Record<string, TensorValue> = {};
      for (const name of fetch) results[name] = toValue(name, found[name]);
      return results;
    },
    async close() {
      if (closed) return;
      closed = true;
      await session.release();
    },
  };
}

function checkNames(kind: string, names: readonly string[], known: readonly string[]): void {
  for (const name of names) {
    if (!known.includes(name)) {
      throw new Error(`session: "${name}" is no ${kind} of this model; it has ${known.join(', ')}.`);
    }
  }
}

function toValue(name: string, tensor: ort.OnnxValue): TensorValue {
  const { data, dims } = tensor;
  if (isTensorData(data)) return { dims, data };
  throw new Error(`session: output "${name}" is ${tensor.type}, which is not handled here.`);
}

function isTensorData(data: unknown): data is TensorData {
  return (
    data instanceof Float32Array ||
    data instanceof Float64Array ||
    data instanceof Int8Array ||
    data instanceof Uint8Array ||
    data instanceof Int32Array ||
    data instanceof BigInt64Array
  );
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
