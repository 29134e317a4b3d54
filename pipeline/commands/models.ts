/** `scinertopic models list`, `pull`, `convert` and `verify`: the models on this machine. */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type AdapterFolder, findCheckpoint } from '../checkpoint/checkpoint-folder.ts';
import { convertCheckpoint } from '../checkpoint/convert.ts';
import { verifyConversion } from '../checkpoint/verify.ts';
import type { ModelPin } from '../contract.ts';
import { UserError } from '../errors.ts';
import { checkFiles, type ModelCard, readCard } from '../model/card.ts';
import { openEncoder } from '../model/document-encoder.ts';
import { builtinNames, resolveModel } from '../model/reference.ts';
import { openTagger } from '../model/tagger.ts';
import { convertedModels, findModel, type Precision, provideModel } from '../provide-model.ts';
import { type Console, count, duration, table } from './console.ts';
import { placesHere } from './places.ts';
import { workReporter } from './progress.ts';

export function listModels(cache: string | undefined, console: Console): void {
  const shipped = builtinNames().map((name) => resolveModel(`builtin:${name}`, process.cwd()));
  const rows = [...shipped, ...convertedModels(placesHere(cache))].map(describe);
  for (const line of table(rows)) console.out(line);
}

function describe({ reference, folder, hash }: ModelPin): string[] {
  const card = readCard(folder);
  return [reference, card.task, megabytes(card), hash.slice(0, 12), card.description];
}

function megabytes(card: ModelCard): string {
  const bytes = Object.values(card.files).reduce((sum, file) => sum + file.bytes, 0);
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

export interface PullArguments {
  precision?: Precision;
  again?: boolean;
  cache?: string;
}

/** @throws UserError saying why the model cannot be had; Interrupted when the signal is raised. */
export async function pullModel(
  reference: string,
  given: PullArguments,
  console: Console,
  signal: AbortSignal,
): Promise<void> {
  const { precision, again = false, cache } = given;
  const places = placesHere(cache);
  const began = performance.now();
  const { folder, hash } = await provideModel(reference, places, {
    ...(precision === undefined ? {} : { precision }),
    again,
    signal,
    onProgress: workReporter(console),
    onNotice: (message) => console.say(message),
  });
  const card = readCard(folder);
  console.say(`${duration((performance.now() - began) / 1000)}`);
  console.out(`${reference}: ${card.task}, ${megabytes(card)}, in ${folder}; ${hash}`);
}

export interface ConvertArguments {
  out: string;
  precision: Precision;
  /** `TASK=FOLDER` each. */
  adapter: string[];
  name?: string;
  prefix?: string;
  join?: 'separator' | 'text';
}

/** @throws UserError saying what of the checkpoint is not supported; Interrupted when the signal is raised. */
export async function convertModel(
  folder: string,
  given: ConvertArguments,
  console: Console,
  signal: AbortSignal,
): Promise<void> {
  const began = performance.now();
  const checkpoint = findCheckpoint(resolve(folder), given.adapter.map(parseAdapter));
  const out = resolve(given.out);
  const report = workReporter(console);
  await convertCheckpoint({
    ...checkpoint,
    out,
    precision: given.precision,
    ...(given.name === undefined ? {} : { name: given.name }),
    ...(given.prefix === undefined ? {} : { prefix: given.prefix }),
    ...(given.join === undefined ? {} : { join: given.join }),
    signal,
    onProgress: (done, total) => report(`converting ${folder}`, done, total),
  });
  const card = readCard(out);
  console.out(
    `${out}: ${card.task}, ${megabytes(card)}, in ${duration((performance.now() - began) / 1000)}.`,
  );
}

function parseAdapter(text: string): AdapterFolder {
  const at = text.indexOf('=');
  if (at <= 0 || at === text.length - 1) {
    throw new UserError(`--adapter: expected TASK=FOLDER, got "${text}".`);
  }
  const folder = resolve(text.slice(at + 1));
  if (!existsSync(folder)) throw new UserError(`--adapter ${text}: there is no folder ${folder}.`);
  return { task: text.slice(0, at), folder };
}

/** @throws UserError naming each file that differs from the model's card. */
export async function verifyModel(
  reference: string,
  { precision, cache }: { precision?: Precision; cache?: string },
  console: Console,
): Promise<void> {
  const { folder, hash } = findModel(reference, placesHere(cache), precision);
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
  const probes = await verifyConversion(folder, card);
  const computes = probes === 0 ? '' : ` and computes what it should (${count(probes)} sequences)`;
  console.out(
    `${reference}: ${count(Object.keys(card.files).length)} files match the card, the model opens${computes}; ${hash}`,
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
