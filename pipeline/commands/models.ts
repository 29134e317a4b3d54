/** `scinertopic models`: the models on disk, their checks, and models used by hand: encode and tag. */

import { once } from 'node:events';
import { createWriteStream, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { checkFiles, readCard } from '../model/card.ts';
import { openEncoder } from '../model/document-encoder.ts';
import { NpyWriter } from '../model/npy.ts';
import { builtinNames, resolveModel } from '../model/reference.ts';
import { openTagger } from '../model/tagger.ts';
import { adaptEmbedder } from '../train/adapt.ts';
import { type Console, count, duration, table } from './console.ts';
import { readJsonLines, textOf } from './json-lines.ts';

export function listModels(console: Console): void {
  const rows = builtinNames().map((name) => {
    const { folder, hash } = resolveModel(`builtin:${name}`, process.cwd());
    const card = readCard(folder);
    const bytes = Object.values(card.files).reduce((sum, file) => sum + file.bytes, 0);
    return [
      `builtin:${name}`,
      card.task,
      `${(bytes / 1e6).toFixed(1)} MB`,
      hash.slice(0, 12),
      card.description,
    ];
  });
  for (const line of table(rows)) console.out(line);
}

/** @throws UserError naming each file that differs from the model's card. */
export async function verifyModel(reference: string, console: Console): Promise<void> {
  const { folder, hash } = resolveModel(reference, process.cwd());
  const card = readCard(folder);
  const faults = await checkFiles(folder, card);
  if (faults.length > 0) {
    const list = faults.map(({ name, fault }) => `${name}: ${fault}`).join('; ');
    throw new UserError(`${reference} does not match its card: ${list}. Fetch or make it again.`);
  }
  await openToCheck(folder, card.task);
  console.out(
    `${reference}: ${count(Object.keys(card.files).length)} files match the card, the model opens; ${hash}`,
  );
}

/** A model whose files are whole must also open and answer. */
async function openToCheck(folder: string, task: string): Promise<void> {
  if (task === 'token-classification') {
    const tagger = await openTagger(folder);
    await tagger.tagText('A neural network is trained for machine translation.');
    await tagger.close();
  } else {
    const encoder = await openEncoder(folder);
    await encoder.encode([{ title: 'Machine translation', abstract: 'A neural network is trained.' }]);
    await encoder.close();
  }
}

export interface EncodeArguments {
  model: string;
  input: string;
  output: string;
  task?: string;
  adapt?: boolean;
  seed: number;
}

/** Rows per call of the encoder. */
const encodeBatch = 256;

/** Vectors of a JSON-lines file, as .npy: row i for line i. */
export async function encodeFile(
  given: EncodeArguments,
  console: Console,
  signal: AbortSignal,
): Promise<void> {
  const began = performance.now();
  const pin = resolveModel(given.model, process.cwd());
  if (given.task !== undefined) {
    throw new UserError(`--task ${given.task}: ${given.model} has no adapters; leave --task out.`);
  }
  const scratch = mkdtempSync(join(tmpdir(), 'scinertopic-'));
  try {
    let folder = pin.folder;
    if (given.adapt) {
      const documents = { title: [] as string[], abstract: [] as string[] };
      for await (const { value } of readJsonLines(given.input)) {
        documents.title.push(textOf(value.title));
        documents.abstract.push(textOf(value.abstract));
      }
      const options = { base: pin.folder, documents, seed: given.seed, out: scratch, signal };
      folder = (await adaptEmbedder(options)).folder;
      console.say(`Adapted ${given.model} to ${count(documents.title.length)} documents in ${since(began)}.`);
    }
    const encoder = await openEncoder(folder);
    const aside = `${given.output}.partial`;
    mkdirSync(dirname(resolve(given.output)), { recursive: true });
    const writer = new NpyWriter(aside, encoder.dimensions);
    let batch: { title: string; abstract: string }[] = [];
    const flush = async (): Promise<void> => {
      writer.append(await encoder.encode(batch));
      batch = [];
    };
    for await (const { value } of readJsonLines(given.input)) {
      batch.push({ title: textOf(value.title), abstract: textOf(value.abstract) });
      if (batch.length === encodeBatch) await flush();
    }
    if (batch.length > 0) await flush();
    const rows = writer.close();
    renameSync(aside, given.output);
    console.say(`${count(rows)} × ${encoder.dimensions} vectors in ${given.output}, ${since(began)}.`);
    await encoder.close();
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

export interface TagArguments {
  model: string;
  input: string;
  output: string;
}

/** Entities of a JSON-lines file: one line out per line in. */
export async function tagFile(given: TagArguments, console: Console): Promise<void> {
  const began = performance.now();
  const pin = resolveModel(given.model, process.cwd());
  const tagger = await openTagger(pin.folder);
  mkdirSync(dirname(resolve(given.output)), { recursive: true });
  const aside = `${given.output}.partial`;
  const output = createWriteStream(aside);
  let rows = 0;
  for await (const { value, line } of readJsonLines(given.input)) {
    const entities = [];
    for (const field of ['title', 'abstract'] as const) {
      for (const entity of await tagger.tagText(textOf(value[field]))) entities.push({ field, ...entity });
    }
    const id = value.id ?? String(line);
    if (!output.write(`${JSON.stringify({ id, entities })}\n`)) {
      await once(output, 'drain');
    }
    rows++;
  }
  output.end();
  await once(output, 'finish');
  renameSync(aside, given.output);
  await tagger.close();
  console.say(`${count(rows)} lines tagged into ${given.output}, ${since(began)}.`);
}

function since(began: number): string {
  return duration((performance.now() - began) / 1000);
}
