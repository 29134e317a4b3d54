/**
 * Checks a converted model: its float32 graph against reference arithmetic on a few sentences, and its int8
 * graph against the float32 one on all of them, up to the longest sequence that the model takes.
 */

import { UserError } from '../errors.ts';
import { idsInput, taskInput } from '../model/converted-model.ts';
import type { Session } from '../model/session.ts';
import type { BertConfig } from './bert-config.ts';
import type { BertModel, Head } from './bert-model.ts';
import { type ReferenceCase, referenceOutputs } from './bert-reference.ts';
import { parityTexts } from './parity-texts.ts';

/** Largest difference allowed, as a part of the largest number in the output. */
export const float32Tolerance = 1e-4;
/** Lowest cosine allowed between int8 and float32, for every output of every sentence. */
export const int8Cosine = 0.999;
/** Least share of the clear tokens that int8 must give the same label. */
export const int8Labels = 0.995;
/** A token is clear when its label is this much likelier than the next: other labels are a matter of rounding. */
export const clearMargin = 0.1;

/** As it stands in card.json. */
export interface Float32Parity {
  /** Largest absolute difference to the reference, and the largest absolute number it was found among. */
  largest_difference: number;
  largest_output: number;
  sentences: number;
  tokens: number;
  longest: number;
}

export interface Int8Parity {
  lowest_cosine: number;
  /** Of taggers: the share of the clear tokens with the label that float32 gives; 1 where none is clear. */
  equal_labels?: number;
  sentences: number;
  tokens: number;
  longest: number;
}

/** What a model must give for one sequence, kept on its card so that any machine can see whether it does. */
export interface Probe {
  ids: number[];
  /** Adapter; 0 for the base. */
  task: number;
  /** The reference's output, to six digits. */
  output: number[];
}

/** A document's tokens without the special ones, and how to frame them. */
export interface ParityTokenizer {
  clsId: number;
  sepId: number;
  encode(text: string): { ids: Int32Array };
}

/** Multiplications that the reference may spend, about ten seconds of one core: 200 tokens of BERT-base. */
const baseBudget = 2e10;
const adapterBudget = 0.8e10;

/** Place of the title among the sequences for the reference. */
const titleCase = 3;

/** Sequences of adapters in the int8 check: every third text, since the base has been through all. */
const adapterStep = 3;

export interface ParityCases {
  /** For the reference: few and mostly short. */
  few: ReferenceCase[];
  /** For graph against graph. */
  many: ReferenceCase[];
}

/** @param tasks Number of adapters. */
export function parityCases(
  config: BertConfig,
  tokenizer: ParityTokenizer,
  maxTokens: number,
  tasks: number,
): ParityCases {
  const frame = (ids: Int32Array): Int32Array =>
    Int32Array.of(tokenizer.clsId, ...ids.subarray(0, maxTokens - 2), tokenizer.sepId);
  const encoded = parityTexts.map((text) => tokenizer.encode(text).ids);
  const joined = Int32Array.from(encoded.flatMap((ids) => [...ids]));
  const longest = repeated(joined, maxTokens - 2);

  const { hidden: d, intermediate, layers } = config;
  const perToken = layers * (4 * d * d + 2 * d * intermediate);
  const few: ReferenceCase[] = [];
  // [CLS] alone, no word, one piece of a word, a title, and as much of the longest as can be afforded.
  const short = [
    Int32Array.of(tokenizer.clsId),
    frame(new Int32Array(0)),
    frame(encoded[0].subarray(0, 1)),
    frame(encoded[2]),
  ];
  const spent = short.reduce((sum, ids) => sum + ids.length, 0);
  const affordable = Math.max(16, Math.floor(baseBudget / perToken) - spent);
  for (const ids of [...short, frame(longest.subarray(0, affordable))]) few.push({ ids, task: 0 });
  const perAdapter = Math.max(8, Math.floor(adapterBudget / perToken / Math.max(1, tasks)));
  for (let task = 1; task <= tasks; task++) few.push({ ids: frame(longest.subarray(0, perAdapter)), task });

  const many = [...encoded, longest].map((ids): ReferenceCase => ({ ids: frame(ids), task: 0 }));
  for (let task = 1; task <= tasks; task++) {
    for (let i = task % adapterStep; i < encoded.length; i += adapterStep) {
      many.push({ ids: frame(encoded[i]), task });
    }
  }
  return { few, many };
}

/**
 * @throws UserError when the checkpoint gives no finite numbers, or the graph differs from the reference.
 */
export async function checkFloat32(
  model: BertModel,
  head: Head,
  session: Session,
  cases: readonly ReferenceCase[],
  turn?: () => Promise<void>,
): Promise<{ parity: Float32Parity; probes: Probe[] }> {
  const expected = await referenceOutputs(model, head, cases, turn);
  const parity: Float32Parity = { largest_difference: 0, largest_output: 0, ...sizesOf(cases) };
  for (const [c, wanted] of expected.entries()) {
    const { ids, task } = cases[c];
    const found = await runGraph(session, cases[c]);
    const where = `a sequence of ${ids.length} tokens${task === 0 ? '' : `, adapter ${task}`}`;
    if (found.length !== wanted.length) {
      throw new Error(`parity: expected ${wanted.length} numbers for ${where}, got ${found.length}.`);
    }
    let difference = 0;
    let largest = 0;
    for (let i = 0; i < wanted.length; i++) {
      if (!Number.isFinite(wanted[i])) {
        throw new UserError(
          `The checkpoint gives no finite numbers for ${where}: its weights are damaged. Fetch it again.`,
        );
      }
      // A NaN in the graph's output must not pass as a small difference.
      const apart = Math.abs(found[i] - wanted[i]);
      difference = Number.isNaN(apart) ? Infinity : Math.max(difference, apart);
      largest = Math.max(largest, Math.abs(wanted[i]));
    }
    if (difference > float32Tolerance * largest) {
      throw new UserError(
        `The converted model differs from the reference by ${difference} for ${where}, where numbers reach ${largest}; at most ${float32Tolerance} of that is allowed. Its weights may be too wide for float32; nothing was written.`,
      );
    }
    parity.largest_difference = Math.max(parity.largest_difference, difference);
    parity.largest_output = Math.max(parity.largest_output, largest);
  }
  return { parity: rounded(parity), probes: probesOf(cases, expected) };
}

/** A title by the base, and one sequence by each adapter. */
function probesOf(cases: readonly ReferenceCase[], expected: readonly ArrayLike<number>[]): Probe[] {
  return cases.flatMap(({ ids, task }, c) => {
    if (task === 0 && c !== titleCase) return [];
    return { ids: [...ids], task, output: Array.from(expected[c], (value) => Number(value.toPrecision(6))) };
  });
}

/**
 * Runs a model's probes on this machine.
 *
 * @returns What differs by more than rounding, in words; null when nothing does.
 */
export async function probeFault(
  session: Session,
  probes: readonly Probe[],
  precision: 'int8' | 'fp32',
): Promise<string | null> {
  for (const { ids, task, output } of probes) {
    const found = await runGraph(session, { ids: Int32Array.from(ids), task });
    const where = `a sequence of ${ids.length} tokens${task === 0 ? '' : `, adapter ${task}`}`;
    if (found.length !== output.length) {
      return `expected ${output.length} numbers for ${where}, got ${found.length}`;
    }
    const wanted = Float32Array.from(output);
    if (precision === 'int8') {
      const agreement = cosine(found, wanted);
      if (agreement < int8Cosine)
        return `cosine to the reference ${agreement} for ${where}, below ${int8Cosine}`;
      continue;
    }
    const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const apart = found.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i])), 0);
    // Six digits of the reference stand on the card.
    if (!(apart <= (float32Tolerance + 1e-6) * largest)) {
      return `differs from the reference by ${apart} for ${where}, where numbers reach ${largest}`;
    }
  }
  return null;
}

/** The float32 graph's outputs, to which int8 is compared. */
export async function graphOutputs(
  session: Session,
  cases: readonly ReferenceCase[],
  turn?: () => Promise<void>,
): Promise<Float32Array[]> {
  const outputs: Float32Array[] = [];
  for (const entry of cases) {
    outputs.push(await runGraph(session, entry));
    await turn?.();
  }
  return outputs;
}

/** @param expected The float32 graph's output for each case. @param labels Labels per token; 0 for vectors. */
export async function compareInt8(
  session: Session,
  cases: readonly ReferenceCase[],
  expected: readonly Float32Array[],
  labels: number,
  turn?: () => Promise<void>,
): Promise<Int8Parity> {
  const found = await graphOutputs(session, cases, turn);
  const parity: Int8Parity = { lowest_cosine: 1, ...sizesOf(cases) };
  let tokens = 0;
  let equal = 0;
  for (const [c, wanted] of expected.entries()) {
    parity.lowest_cosine = Math.min(parity.lowest_cosine, cosine(found[c], wanted));
    for (let row = 0; labels > 0 && row < wanted.length; row += labels) {
      const best = largestAt(wanted, row, labels);
      if (leadOf(wanted, row, labels, best) < clearMargin) continue;
      tokens++;
      if (largestAt(found[c], row, labels) === best) equal++;
    }
  }
  return rounded(labels > 0 ? { ...parity, equal_labels: tokens === 0 ? 1 : equal / tokens } : parity);
}

export const passesInt8 = (parity: Int8Parity): boolean =>
  parity.lowest_cosine >= int8Cosine && (parity.equal_labels ?? 1) >= int8Labels;

async function runGraph(session: Session, { ids, task }: ReferenceCase): Promise<Float32Array> {
  const result = await session.run({
    [idsInput]: { dims: [1, ids.length], data: BigInt64Array.from(ids, BigInt) },
    ...(session.inputs.includes(taskInput)
      ? { [taskInput]: { dims: [1], data: BigInt64Array.of(BigInt(task)) } }
      : {}),
  });
  const { data } = result[session.outputs[0]];
  if (!(data instanceof Float32Array)) throw new Error('parity: expected float32 numbers from the graph.');
  return data;
}

function repeated(ids: Int32Array, length: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => ids[i % ids.length]);
}

const sizesOf = (
  cases: readonly ReferenceCase[],
): { sentences: number; tokens: number; longest: number } => ({
  sentences: cases.length,
  tokens: cases.reduce((sum, { ids }) => sum + ids.length, 0),
  longest: cases.reduce((most, { ids }) => Math.max(most, ids.length), 0),
});

/** 0 where either has no direction, or is no number. */
function cosine(a: Float32Array, b: Float32Array): number {
  let product = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let i = 0; i < a.length; i++) {
    product += a[i] * b[i];
    squaresA += a[i] * a[i];
    squaresB += b[i] * b[i];
  }
  const value = product / Math.sqrt(squaresA * squaresB);
  return Number.isFinite(value) ? value : 0;
}

function largestAt(values: Float32Array, row: number, width: number): number {
  let best = 0;
  for (let i = 1; i < width; i++) if (values[row + i] > values[row + best]) best = i;
  return best;
}

/** How much likelier the best label is than the next, as probabilities. */
function leadOf(logits: Float32Array, row: number, width: number, best: number): number {
  let sum = 0;
  let next = 0;
  for (let i = 0; i < width; i++) {
    const likelihood = Math.exp(logits[row + i] - logits[row + best]);
    sum += likelihood;
    if (i !== best) next = Math.max(next, likelihood);
  }
  return (1 - next) / sum;
}

/** Six digits say enough, and hide what differs between processors. */
function rounded<T extends object>(parity: T): T {
  const entries = Object.entries(parity).map(([key, value]) => [key, Number(Number(value).toPrecision(6))]);
  return Object.fromEntries(entries) as T;
}
