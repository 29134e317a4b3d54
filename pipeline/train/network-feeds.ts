/** Batches as the network's graphs are fed them: sentences end to end, summed marks, neighbours, dropout masks. */

import type { Random } from '../math/random.ts';
import type { TensorValue } from '../model/tensor.ts';
import { windowIndices } from '../model/window.ts';
import { marksPerWord } from '../model/word-features.ts';
import type { EncodedSentences } from './tagger-data.ts';
import {
  marksInput,
  maskInputs,
  type NetworkShape,
  neighboursInput,
  parameterDims,
  wordsInput,
} from './tagger-network.ts';

/** Word vectors as the network is fed them: float32 [v × d]; a row number of v or more reads zeros. */
export interface WordTable {
  d: number;
  values: Float32Array;
}

/** Sentences of a batch, end to end; its own copy, which may be changed. */
export interface PackedRows {
  lengths: Int32Array;
  words: Int32Array;
  /** [rows × marksPerWord]; −1 for none. */
  marks: Int32Array;
}

/** @param chosen Sentence numbers. */
export function packRows(data: EncodedSentences, chosen: Int32Array): PackedRows {
  const lengths = Int32Array.from(chosen, (s) => data.lengths[s]);
  const n = lengths.reduce((sum, length) => sum + length, 0);
  const words = new Int32Array(n);
  const marks = new Int32Array(n * marksPerWord);
  let at = 0;
  for (const s of chosen) {
    const first = data.firsts[s];
    const end = first + data.lengths[s];
    words.set(data.words.subarray(first, end), at);
    marks.set(data.marks.subarray(first * marksPerWord, end * marksPerWord), at * marksPerWord);
    at += end - first;
  }
  return { lengths, words, marks };
}

/** All feeds but dropout masks. */
export function feedsOf(
  shape: NetworkShape,
  table: WordTable,
  rows: PackedRows,
  parameters: ReadonlyMap<string, Float32Array>,
): Record<string, TensorValue> {
  const n = rows.words.length;
  const feeds: Record<string, TensorValue> = {};
  const weights = (name: string): Float32Array => {
    const values = parameters.get(name);
    if (values === undefined) throw new Error(`network: no parameter "${name}".`);
    return values;
  };
  for (const [name, dims] of parameterDims(shape)) {
    if (name !== 'marks') feeds[name] = { dims, data: weights(name) };
  }
  const { d, values } = table;
  const words = new Float32Array(n * d);
  for (let i = 0; i < n; i++) {
    const from = rows.words[i] * d;
    if (from < values.length) words.set(values.subarray(from, from + d), i * d);
  }
  feeds[wordsInput] = { dims: [n, d], data: words };

  const width = shape.markDimensions;
  const marks = weights('marks');
  const sums = new Float32Array(n * width);
  for (let k = 0; k < rows.marks.length; k++) {
    if (rows.marks[k] < 0) continue;
    const from = rows.marks[k] * width;
    const to = Math.floor(k / marksPerWord) * width;
    for (let c = 0; c < width; c++) sums[to + c] += marks[from + c];
  }
  feeds[marksInput] = { dims: [n, width], data: sums };
  for (const dilation of new Set(shape.dilations)) {
    feeds[neighboursInput(dilation)] = { dims: [n, 3], data: windowIndices(rows.lengths, dilation) };
  }
  return feeds;
}

/** Adds the gradient of each token's summed marks to the rows that were summed; returns those rows. */
export function scatterMarks(
  gradient: Float32Array,
  marks: Int32Array,
  table: Float32Array,
  width: number,
): Set<number> {
  const touched = new Set<number>();
  for (let k = 0; k < marks.length; k++) {
    if (marks[k] < 0) continue;
    const to = marks[k] * width;
    const from = Math.floor(k / marksPerWord) * width;
    touched.add(marks[k]);
    for (let c = 0; c < width; c++) table[to + c] += gradient[from + c];
  }
  return touched;
}

/** Share of channels zeroed per place, and of word vectors zeroed as a whole. */
export interface Dropout {
  inputDropout: number;
  hiddenDropout: number;
  /** So that spelling and context learn to do without. */
  wordDropout: number;
}

/** Draws dropout masks; zeroes the vectors of some words in the feeds themselves. */
export function addMasks(
  feeds: Record<string, TensorValue>,
  shape: NetworkShape,
  n: number,
  options: Dropout,
  random: Random,
): void {
  const d = shape.wordDimensions;
  const words = feeds[wordsInput].data;
  for (let i = 0; i < n; i++) {
    if (random.nextFloat() < options.wordDropout && words instanceof Float32Array) {
      words.fill(0, i * d, (i + 1) * d);
    }
  }
  maskInputs(shape).forEach(({ name, columns }, place) => {
    const dropped = place === 0 ? options.inputDropout : options.hiddenDropout;
    feeds[name] = { dims: [n, columns], data: dropoutMask(n * columns, dropped, random) };
  });
}

/** Zeros with the given probability (in steps of 1/256: each draw serves four entries), else 1 / share kept. */
function dropoutMask(size: number, dropped: number, random: Random): Float32Array {
  const mask = new Float32Array(size);
  const threshold = Math.round(256 * dropped);
  const kept = 256 / (256 - threshold);
  for (let k = 0; k < size; ) {
    let bits = random.nextUint32();
    for (const end = Math.min(k + 4, size); k < end; k++) {
      mask[k] = (bits & 255) < threshold ? 0 : kept;
      bits >>>= 8;
    }
  }
  return mask;
}
