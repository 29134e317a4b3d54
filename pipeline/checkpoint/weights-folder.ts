/** Opens the weights of a model's or an adapter's folder, in one file or in several (shards). */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { quoted } from './byte-source.ts';
import { missingTensor, openWeights, type TensorShape, type Weights } from './weights.ts';

/** Files that hold weights, the safer format first. */
const fileNames = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
  'adapter.safetensors',
  'pytorch_adapter.bin',
] as const;

/** Weights of other libraries, to be named where no others are found. */
const strangers = /\.(h5|msgpack|ckpt(\.index)?|gguf|onnx|ot|tflite|pt|pth|bin|safetensors)$/;

/** Larger indexes are none; that of a 70-billion model has 70 kB. */
const maxIndexBytes = 2 ** 24;
const maxShards = 1000;

/**
 * Opens the first of the known names that the folder has.
 *
 * @throws UserError when it has none, or the file is damaged.
 */
export function openWeightsFolder(folder: string): Weights {
  const name = fileNames.find((candidate) => existsSync(join(folder, candidate)));
  if (name === undefined) throw new UserError(noWeights(folder));
  return name.endsWith('.index.json') ? openShards(folder, name) : openWeights(join(folder, name));
}

function noWeights(folder: string): string {
  const expected = `${folder}: expected one of ${fileNames.join(', ')}`;
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return `${expected}; there is no such folder.`;
  const others = readdirSync(folder).filter((name) => strangers.test(name));
  if (others.length === 0) return `${expected}, found no weights.`;
  return `${expected}, found only ${others.slice(0, 5).join(', ')}.`;
}

/** All tensors of all shards that an index names. */
function openShards(folder: string, indexName: string): Weights {
  const indexPath = join(folder, indexName);
  const shardOf = readIndex(indexPath);
  const shards = new Map<string, Weights>();
  const close = (): void => {
    for (const shard of shards.values()) shard.close();
  };
  try {
    for (const name of [...new Set(shardOf.values())].sort()) {
      shards.set(name, openWeights(join(folder, name)));
    }
    return joinShards(indexPath, shardOf, shards, close);
  } catch (error) {
    close();
    throw error;
  }
}

function joinShards(
  indexPath: string,
  shardOf: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, Weights>,
  close: () => void,
): Weights {
  const home = new Map<string, Weights>();
  const tensors = new Map<string, TensorShape>();
  for (const [shardName, shard] of shards) {
    for (const [name, tensor] of shard.tensors) {
      if (shardOf.get(name) !== shardName) {
        throw new UserError(
          `${indexPath}: ${shardName} holds tensor ${quoted(name)}, which the index ${shardOf.has(name) ? `puts into ${shardOf.get(name)}` : 'does not name'}. Fetch the whole model again.`,
        );
      }
      home.set(name, shard);
      tensors.set(name, tensor);
    }
  }
  for (const [name, shardName] of shardOf) {
    if (!home.has(name)) {
      throw new UserError(
        `${indexPath}: expected tensor ${quoted(name)} in ${shardName}, it is not there. Fetch the whole model again.`,
      );
    }
  }
  const formats = new Set([...shards.values()].map((shard) => shard.format));
  return {
    format: `${[...formats].join(' and ')} in ${shards.size} files`,
    tensors,
    read: (name) => {
      const shard = home.get(name);
      if (shard === undefined) throw new UserError(`${indexPath}: ${missingTensor(name, [...home.keys()])}`);
      return shard.read(name);
    },
    close,
  };
}

/** @returns The shard's file name, by tensor. */
function readIndex(path: string): Map<string, string> {
  const { size } = statSync(path);
  if (size > maxIndexBytes) {
    throw new UserError(`${path}: expected an index of at most ${maxIndexBytes} bytes, found ${size}.`);
  }
  let index: unknown;
  try {
    index = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new UserError(`${path}: expected JSON: ${cause.message}. Fetch it again.`, { cause });
  }
  const map = isRecord(index) ? index.weight_map : undefined;
  if (!isRecord(map)) throw new UserError(`${path}: expected an object "weight_map" of file names.`);
  const shardOf = new Map<string, string>();
  for (const [name, shard] of Object.entries(map)) {
    // A plain name in the same folder: letters, digits, points, hyphens, and no point at the start.
    if (typeof shard !== 'string' || !/^\w[\w.-]{0,199}$/.test(shard)) {
      throw new UserError(
        `${path}: expected the name of a file beside the index for tensor ${quoted(name)}, found ${quoted(String(shard))}.`,
      );
    }
    shardOf.set(name, shard);
  }
  const shards = new Set(shardOf.values()).size;
  if (shards > maxShards)
    throw new UserError(`${path}: expected at most ${maxShards} files, found ${shards}.`);
  return shardOf;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
