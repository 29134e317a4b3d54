/**
 * Named float32 arrays and numbers in a file, written aside and renamed, so that a run that was killed goes on
 * from its last whole state. The file is an ONNX model without nodes: one format less.
 */

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { GraphBuilder, readModel } from '../model/onnx.ts';

export interface Checkpoint {
  arrays: Map<string, Float32Array>;
  numbers: Record<string, number>;
}

export function writeCheckpoint(path: string, { arrays, numbers }: Checkpoint): void {
  const graph = new GraphBuilder('checkpoint');
  for (const [name, data] of arrays) graph.initializer({ dims: [data.length], data }, name);
  graph.metadata('numbers', JSON.stringify(numbers));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.part`, graph.encode());
  renameSync(`${path}.part`, path);
}

/** undefined when there is no such file. */
export function readCheckpoint(path: string): Checkpoint | undefined {
  if (!existsSync(path)) return undefined;
  const { initializers, metadata } = readModel(readFileSync(path));
  const arrays = new Map<string, Float32Array>();
  for (const [name, { data }] of initializers) if (data instanceof Float32Array) arrays.set(name, data);
  return { arrays, numbers: JSON.parse(metadata.get('numbers') ?? '{}') };
}
