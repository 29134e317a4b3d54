/** `scinertopic models`: the models on disk, their checks, and models used by hand: encode and tag. */

import { createWriteStream, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Interrupted, UserError } from '../errors.ts';
import { checkFiles, readCard } from '../model/card.ts';
import { type DocumentEncoder, openEncoder, readModelType } from '../model/document-encoder.ts';
import { NpyWriter } from '../model/npy.ts';
import { builtinNames, resolveModel } from '../model/reference.ts';
import { openTagger } from '../model/tagger.ts';
import { adaptEmbedder, minAdaptDocuments } from '../train/adapt.ts';
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
  if (Object.keys(card.files).length === 0) {
    throw new UserError(
      `${reference}: its card names no files, so there is nothing to compare. Make it again.`,
    );
  }
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

/**
 * Vectors of a JSON-lines file, as .npy: row i for line i. The file appears when it is whole.
 *
 * @throws UserError for a missing model or file, a broken line, or a task; Interrupted when the signal is raised.
 */
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
    const folder = given.adapt ? await adaptToFile(given, pin.folder, scratch, console, signal) : pin.folder;
    const encoder = await openEncoder(folder);
    const textless = new TextlessLines();
    const rows = await writeAside(given.output, (aside) =>
      writeVectors(aside, encoder, given.input, textless, signal),
    ).finally(() => encoder.close());
    textless.tell(console);
    console.say(`${count(rows)} × ${encoder.dimensions} vectors in ${given.output}, ${since(began)}.`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** @returns Folder of the model adapted to the file's texts, below `scratch`. */
async function adaptToFile(
  given: EncodeArguments,
  base: string,
  scratch: string,
  console: Console,
  signal: AbortSignal,
): Promise<string> {
  const began = performance.now();
  if (readModelType(base) !== 'static') {
    throw new UserError(
      `--adapt: ${given.model} cannot be adapted; use builtin:static, or leave --adapt out.`,
    );
  }
  const documents = { title: [] as string[], abstract: [] as string[] };
  for await (const { value } of readJsonLines(given.input)) {
    documents.title.push(textOf(value.title));
    documents.abstract.push(textOf(value.abstract));
  }
  const n = documents.title.length;
  if (n < minAdaptDocuments) {
    throw new UserError(
      `--adapt: expected at least ${minAdaptDocuments} lines to adapt ${given.model} to, got ${n} in ${given.input}. Leave --adapt out.`,
    );
  }
  const { folder } = await adaptEmbedder({ base, documents, seed: given.seed, out: scratch, signal });
  console.say(`Adapted ${given.model} to ${count(n)} documents in ${since(began)}.`);
  return folder;
}

async function writeVectors(
  path: string,
  encoder: DocumentEncoder,
  input: string,
  textless: TextlessLines,
  signal: AbortSignal,
): Promise<number> {
  const writer = new NpyWriter(path, encoder.dimensions);
  try {
    for await (const lines of batches(input, encodeBatch)) {
      const documents = lines.map(({ value }) => ({
        title: textOf(value.title),
        abstract: textOf(value.abstract),
      }));
      textless.look(lines);
      writer.append(await encoder.encode(documents, { signal }));
      if (signal.aborted) throw new Interrupted('Interrupted; no vectors were written.');
    }
  } finally {
    writer.close();
  }
  return writer.rows;
}

export interface TagArguments {
  model: string;
  input: string;
  output: string;
}

/** Lines per call of the tagger. */
const tagBatch = 64;

/**
 * Entities of a JSON-lines file: one line out per line in. The file appears when it is whole.
 *
 * @throws UserError for a missing model or file or a broken line; Interrupted when the signal is raised.
 */
export async function tagFile(given: TagArguments, console: Console, signal: AbortSignal): Promise<void> {
  const began = performance.now();
  const tagger = await openTagger(resolveModel(given.model, process.cwd()).folder);
  const textless = new TextlessLines();
  let rows = 0;
  async function* taggedLines(): AsyncGenerator<string> {
    for await (const lines of batches(given.input, tagBatch)) {
      if (signal.aborted) throw new Interrupted('Interrupted; no entities were written.');
      textless.look(lines);
      const texts = lines.flatMap(({ value }) => [textOf(value.title), textOf(value.abstract)]);
      const found = await tagger.tagTexts(texts);
      for (const [i, { value, line }] of lines.entries()) {
        const entities = [
          ...found[2 * i].map((entity) => ({ field: 'title', ...entity })),
          ...found[2 * i + 1].map((entity) => ({ field: 'abstract', ...entity })),
        ];
        yield `${JSON.stringify({ id: value.id ?? String(line), entities })}\n`;
        rows++;
      }
    }
  }
  await writeAside(given.output, (aside) => pipeline(taggedLines, createWriteStream(aside))).finally(() =>
    tagger.close(),
  );
  textless.tell(console);
  console.say(`${count(rows)} lines tagged into ${given.output}, ${since(began)}.`);
}

// ---------------------------------------------------------------------------------------------

interface Line {
  value: Record<string, unknown>;
  line: number;
}

async function* batches(path: string, size: number): AsyncGenerator<Line[]> {
  let batch: Line[] = [];
  for await (const line of readJsonLines(path)) {
    batch.push(line);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Lines that have neither title nor abstract: misnamed fields, more often than not. */
class TextlessLines {
  #first = 0;
  #lines = 0;

  look(batch: readonly Line[]): void {
    for (const { value, line } of batch) {
      if (textOf(value.title) !== '' || textOf(value.abstract) !== '') continue;
      this.#first ||= line;
      this.#lines++;
    }
  }

  tell(console: Console): void {
    if (this.#lines === 0) return;
    console.say(
      `Note: ${count(this.#lines)} lines have neither title nor abstract, the first is line ${this.#first}.`,
    );
  }
}

/** Writes under another name and renames, so that a file of the given name is always whole. */
async function writeAside<Result>(path: string, write: (aside: string) => Promise<Result>): Promise<Result> {
  // A device or a pipe would be replaced by a file.
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) {
    throw new UserError(`--output: expected a file to write, got ${path}, which is a folder or a device.`);
  }
  mkdirSync(dirname(resolve(path)), { recursive: true });
  const aside = `${path}.partial`;
  try {
    const result = await write(aside);
    renameSync(aside, path);
    return result;
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}

function since(began: number): string {
  return duration((performance.now() - began) / 1000);
}
