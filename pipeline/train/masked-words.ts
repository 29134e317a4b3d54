/**
 * Learning from texts without labels: some words are hidden, and the network has to say from the others which
 * they were (Devlin et al. 2019). The guess is a vector, compared with the word vectors themselves: those of the
 * words hidden in the batch and of words drawn by their frequency (sampled softmax, Jean et al. 2015).
 */

import type { Random } from '../math/random.ts';
import { GraphBuilder } from '../model/onnx.ts';
import { openSession } from '../model/session.ts';
import { marksPerWord } from '../model/word-features.ts';
import type { WordTable } from './network-feeds.ts';
import type { EncodedSentences } from './tagger-data.ts';
import type { Objective } from './train-network.ts';

/** Share of words hidden. */
const hiddenShare = 0.15;

/** Words more frequent than this ("of", commas) are hidden less often, by the other factor: they teach little. */
const frequentShare = 0.01;
const frequentFactor = 0.3;

/** Words that a hidden one is told from, itself among them. */
const candidateCount = 2048;

/** Candidates are drawn by frequency to this power, as negatives in word2vec are (Mikolov et al. 2013). */
const frequencyPower = 0.75;

/**
 * @param data The training sentences; their words' frequencies are counted.
 * @param table Word vectors; hidden words are guessed among its rows. Vectors stay as they are.
 */
export async function maskedWords(data: EncodedSentences, table: WordTable): Promise<Objective> {
  const { d, values } = table;
  const v = values.length / d;
  const counts = new Float64Array(v);
  for (const row of data.words) if (row < v) counts[row]++;
  const cumulated = new Float64Array(v);
  let total = 0;
  counts.forEach((count, row) => {
    total += count ** frequencyPower;
    cumulated[row] = total;
  });
  const frequent = frequentShare * data.words.length;
  const candidates = Math.min(
    candidateCount,
    counts.reduce((seen, count) => seen + (count > 0 ? 1 : 0), 0),
  );
  // Vectors of entries around 1 would make products of the size of d.
  const scale = 1 / Math.sqrt(d);
  const session = await openSession(lossGraph(d));

  let places: number[] = [];
  let hidden: number[] = [];
  let drawn = new Map<number, number>();
  return {
    prepare(rows, random) {
      places = [];
      hidden = [];
      drawn = new Map();
      rows.words.forEach((row, i) => {
        if (row >= v || random.nextFloat() >= hiddenShare) return;
        if (counts[row] > frequent && random.nextFloat() >= frequentFactor) return;
        places.push(i);
        hidden.push(row);
        if (!drawn.has(row)) drawn.set(row, drawn.size);
        rows.words[i] = v;
        rows.marks.fill(-1, i * marksPerWord, (i + 1) * marksPerWord);
      });
      while (drawn.size < candidates) {
        const row = drawRow(cumulated, random);
        if (!drawn.has(row)) drawn.set(row, drawn.size);
      }
    },
    async evaluate(output) {
      const gradient = new Float32Array(output.length);
      const count = places.length;
      if (count === 0) return { loss: 0, count, gradient, own: new Map() };
      const guesses = new Float32Array(count * d);
      places.forEach((row, k) => {
        guesses.set(output.subarray(row * d, (row + 1) * d), k * d);
      });
      const vectors = new Float32Array(drawn.size * d);
      const offsets = new Float32Array(drawn.size);
      for (const [row, k] of drawn) {
        for (let c = 0; c < d; c++) vectors[k * d + c] = scale * values[row * d + c];
        // Less the logarithm of how often a word is drawn: the sampled softmax then aims at the whole one.
        offsets[k] = -frequencyPower * Math.log(Math.max(1, counts[row]));
      }
      const found = await session.run({
        guesses: { dims: [count, d], data: guesses },
        vectors: { dims: [drawn.size, d], data: vectors },
        offsets: { dims: [drawn.size], data: offsets },
        right: { dims: [count], data: BigInt64Array.from(hidden, (row) => BigInt(drawn.get(row) ?? 0)) },
      });
      const slopes = found.slopes.data as Float32Array;
      places.forEach((row, k) => {
        gradient.set(slopes.subarray(k * d, (k + 1) * d), row * d);
      });
      const loss = (found.losses.data as Float32Array).reduce((sum, value) => sum + value, 0);
      return { loss, count, gradient, own: new Map() };
    },
    close: () => session.close(),
  };
}

/** Cross-entropy of each guess, and its gradient by the guess. */
function lossGraph(d: number): Uint8Array {
  const graph = new GraphBuilder('masked words');
  const guesses = graph.input('guesses', 'float32', ['hidden', d]);
  const vectors = graph.input('vectors', 'float32', ['candidates', d]);
  const offsets = graph.input('offsets', 'float32', ['candidates']);
  const right = graph.input('right', 'int64', ['hidden']);
  const logits = graph.node('Gemm', [guesses, vectors, offsets], { transB: 1 });
  const logs = graph.node('LogSoftmax', [logits], { axis: -1 });
  const offAndOn = graph.initializer({ dims: [2], data: Float32Array.of(0, 1) });
  const target = graph.node('OneHot', [right, graph.node('Shape', [offsets]), offAndOn], { axis: -1 });
  const hits = graph.node('ReduceSum', [graph.node('Mul', [logs, target]), graph.int64([-1])], {
    keepdims: 0,
  });
  graph.output(graph.node('Neg', [hits]), 'float32', ['hidden'], 'losses');
  const excess = graph.node('Sub', [graph.node('Exp', [logs]), target]);
  graph.output(graph.node('MatMul', [excess, vectors]), 'float32', ['hidden', d], 'slopes');
  return graph.encode();
}

/** Row whose share of the cumulated weights a uniform number falls into. */
function drawRow(cumulated: Float64Array, random: Random): number {
  const wanted = random.nextFloat() * cumulated[cumulated.length - 1];
  let low = 0;
  let high = cumulated.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulated[middle] > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}
