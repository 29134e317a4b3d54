/** `scinertopic evaluate ner`: span scores of a tagger on labelled sentences, and its speed. */

import { resolve } from 'node:path';
import { Interrupted } from '../errors.ts';
import { scoreLabels } from '../evaluate/spans.ts';
import { compareTypes, type TypeNames } from '../evaluate/type-names.ts';
import type { Aggregation } from '../model/aggregation.ts';
import type { Device } from '../model/session.ts';
import { openTagger } from '../model/tagger.ts';
import { type Precision, provideModel } from '../provide-model.ts';
import { readConll } from '../train/conll.ts';
import { type Console, count, table } from './console.ts';
import { placesHere } from './places.ts';
import { workReporter } from './progress.ts';

export interface EvaluateArguments {
  model: string;
  data: string;
  aggregation?: Aggregation;
  precision?: Precision;
  device?: Device;
  cache?: string;
  json?: boolean;
}

/** Sentences per call of the tagger. */
const batchSentences = 256;

/** @throws UserError when there is no such model or data; Interrupted when the signal is raised. */
export async function evaluateTagger(
  given: EvaluateArguments,
  console: Console,
  signal: AbortSignal,
): Promise<void> {
  const pin = await provideModel(given.model, placesHere(given.cache), {
    signal,
    onProgress: workReporter(console),
    onNotice: (message) => console.say(message),
    ...(given.precision === undefined ? {} : { precision: given.precision }),
  });
  const { sentences, types, scheme, strayTags } = await readConll(resolve(given.data));
  console.say(
    `${given.data}: tags read as ${scheme}${strayTags === 0 ? '' : `; ${count(strayTags)} I- tags without a B- begin an entity`}.`,
  );
  const { aggregation, device = 'cpu' } = given;
  // One thread, so that tokens per second are those of one core.
  const tagger = await openTagger(pin.folder, {
    device,
    ...(aggregation === undefined ? {} : { aggregation }),
  });
  sayTypes(compareTypes(types, tagger.types), given, console);
  const gold = sentences.map((sentence) => sentence.labels);
  const found: string[][] = [];
  const tokens = sentences.reduce((sum, sentence) => sum + sentence.tokens.length, 0);
  const began = process.cpuUsage();
  const beganWall = performance.now();
  for (let from = 0; from < sentences.length; from += batchSentences) {
    if (signal.aborted) throw new Interrupted('Interrupted; nothing was measured.');
    const batch = sentences.slice(from, from + batchSentences).map((sentence) => sentence.tokens);
    for (const tagged of await tagger.tag(batch)) found.push(tagged.labels);
  }
  const wallSeconds = (performance.now() - beganWall) / 1000;
  const used = process.cpuUsage(began);
  const cpuSeconds = (used.user + used.system) / 1e6;
  await tagger.close();

  const report = scoreLabels(gold, found);
  if (given.json) {
    console.out(
      JSON.stringify({
        model: given.model,
        hash: pin.hash,
        data: given.data,
        sentences: sentences.length,
        tokens,
        micro: report.micro,
        macro: report.macro,
        per_type: Object.fromEntries(report.types.map(({ type, ...score }) => [type, score])),
        tokens_per_second: tokens / wallSeconds,
        tokens_per_cpu_second: tokens / cpuSeconds,
      }),
    );
    return;
  }
  const row = (
    name: string,
    score: { precision: number; recall: number; f1: number },
    support?: number,
  ): (string | number)[] => [
    name,
    score.precision.toFixed(4),
    score.recall.toFixed(4),
    score.f1.toFixed(4),
    ...(support === undefined ? [] : [support]),
  ];
  console.out(
    `${given.model} on ${given.data}: ${count(sentences.length)} sentences, ${count(tokens)} tokens`,
  );
  const lines = table([
    ['type', 'P', 'R', 'F1', 'spans'],
    ...report.types.map((score) => row(score.type, score, score.gold)),
    row('micro', report.micro, report.micro.gold),
    row('macro', report.macro),
  ]);
  for (const line of lines) console.out(line);
  console.out(`${count(tokens / wallSeconds)} tokens/s, ${count(tokens / cpuSeconds)} tokens per CPU second`);
}

/** What a figure hides: types that only one side has. */
function sayTypes(
  { unknown, foreign, spelledOtherwise }: TypeNames,
  { model, data }: EvaluateArguments,
  console: Console,
): void {
  if (unknown.length > 0) {
    console.say(`Note: ${model} does not know ${unknown.join(', ')}; every such entity counts as missed.`);
  }
  if (foreign.length > 0) {
    console.say(`Note: ${data} has no ${foreign.join(', ')}; what the model finds of them counts as wrong.`);
  }
  for (const { data: own, model: other } of spelledOtherwise) {
    console.say(
      `Note: "${own}" of the data and "${other}" of the model count as two types. If they are one, rename it in the data.`,
    );
  }
}
