/** `scinertopic models encode` and `tag`: models used by hand on a file of titles and abstracts. */

import { createWriteStream, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Interrupted, UserError } from '../errors.ts';
import type { Aggregation } from '../model/aggregation.ts';
import { type DocumentEncoder, openEncoder, readModelType } from '../model/document-encoder.ts';
import { NpyWriter } from '../model/npy.ts';
import { type Device, requireDevice } from '../model/session.ts';
import { openTagger } from '../model/tagger.ts';
import { type Precision, provideModel } from '../provide-model.ts';
import { adaptEmbedder, minAdaptDocuments } from '../train/adapt.ts';
import { type Console, count, duration } from './console.ts';
import { readJsonLines, textOf } from './json-lines.ts';
import { placesHere } from './places.ts';
import { workReporter } from './progress.ts';

/** What both commands take. */
interface UseArguments {
  model: string;
  input: string;
  output: string;
  precision?: Precision;
  device?: Device;
  threads: number;
  cache?: string;
}

export interface EncodeArguments extends UseArguments {
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
  const pin = await provide(given, console, signal);
  const scratch = mkdtempSync(join(tmpdir(), 'scinertopic-'));
  try {
    const folder = given.adapt ? await adaptToFile(given, pin.folder, scratch, console, signal) : pin.folder;
    const { threads, device = 'cpu', task } = given;
    const encoder = await openEncoder(folder, { threads, device, ...(task === undefined ? {} : { task }) });
    const textless = new TextlessLines();
    const { rows, truncated } = await writeAside(given.output, (aside) =>
      writeVectors(aside, encoder, given.input, textless, signal),
    ).finally(() => encoder.close());
    textless.tell(console);
    if (truncated > 0) {
      console.say(
        `Note: ${count(truncated)} of ${count(rows)} lines are longer than the model reads; the end of their text is not in their vectors.`,
      );
    }
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
): Promise<{ rows: number; truncated: number }> {
  const writer = new NpyWriter(path, encoder.dimensions);
  let truncated = 0;
  const onTruncated = (): void => {
    truncated++;
  };
  try {
    for await (const lines of batches(input, encodeBatch)) {
      const documents = lines.map(({ value }) => ({
        title: textOf(value.title),
        abstract: textOf(value.abstract),
      }));
      textless.look(lines);
      writer.append(await encoder.encode(documents, { signal, onTruncated }));
      if (signal.aborted) throw new Interrupted('Interrupted; no vectors were written.');
    }
  } finally {
    writer.close();
  }
  return { rows: writer.rows, truncated };
}

export interface TagArguments extends UseArguments {
  aggregation?: Aggregation;
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
  const { folder } = await provide(given, console, signal);
  const { threads, device = 'cpu', aggregation } = given;
  const tagger = await openTagger(folder, {
    threads,
    device,
    ...(aggregation === undefined ? {} : { aggregation }),
  });
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

function provide(given: UseArguments, console: Console, signal: AbortSignal) {
  requireDevice(given.device ?? 'cpu');
  return provideModel(given.model, placesHere(given.cache), {
    ...(given.precision === undefined ? {} : { precision: given.precision }),
    signal,
    onProgress: workReporter(console),
    onNotice: (message) => console.say(message),
  });
}

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
