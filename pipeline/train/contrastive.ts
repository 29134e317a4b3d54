/**
 * The training loop of the static document embedder: a document's vector is the sum of its tokens' rows,
 * scaled to length 1, and the rows are moved so that a title finds its abstract, and one part of a
 * document the other part, among all documents of the batch.
 */

import { pause } from '../math/pause.ts';
import { createRandom, type Random, shuffled } from '../math/random.ts';
import { Arena, type SparseRows } from '../math/sparse.ts';
import { sublinear } from '../math/tf-idf.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { openInfoNce } from './info-nce.ts';
import { RowAdam } from './row-adam.ts';
import type { TokenCorpus } from './token-corpus.ts';

export interface ContrastiveSettings {
  /** Documents a step; the last, smaller batch of a pass is spread over the others. */
  batchSize: number;
  /** Passes over the corpus. */
  passes: number;
  /** Adam's rate at the start; it falls linearly to `finalRate`. */
  rate: number;
  finalRate: number;
  temperature: number;
  /** Share of documents that pair title with abstract; the others pair two parts of their text. */
  titleShare: number;
  /** Share of tokens left out of each view, at random. */
  dropout: number;
  seed: number;
}

export interface ContrastiveJob {
  corpus: TokenCorpus;
  /** Float32Array [v × d], changed in place. */
  table: Float32Array;
  d: number;
  settings: ContrastiveSettings;
  signal?: AbortSignal | undefined;
  /** File that keeps the state after every pass; a run that finds it goes on from there, to the same bytes. */
  checkpoint?: string | undefined;
  onStep?: ((done: number, total: number, loss: number) => void) | undefined;
}

/** A view needs this many tokens to say anything. */
const minViewTokens = 3;

/** @throws Interrupted when the signal is raised; the table is then half trained. */
export async function trainContrastive({
  corpus,
  table: start,
  d,
  settings,
  signal,
  checkpoint,
  onStep,
}: ContrastiveJob): Promise<void> {
  const v = start.length / d;
  const usable = usableDocuments(corpus);
  const steps = Math.max(1, Math.round(usable.length / settings.batchSize));
  const b = Math.ceil(usable.length / steps);
  if (b < 2) return;
  const longest = longestDocument(corpus);
  const arena = new Arena(Arena.bytesFor(v * d, v * d, b * d, b * d, ...viewSizes(b, longest)));
  const table = arena.floats(v * d);
  const gradient = arena.floats(v * d);
  const sides = [0, 1].map(() => ({ view: createView(arena, b, longest, v), vectors: arena.floats(b * d) }));
  const lengths = [new Float64Array(b), new Float64Array(b)];
  table.set(start);

  const adam = new RowAdam(v, d);
  const loss = await openInfoNce(settings.temperature);
  const touched = new RowSet(v);
  const total = steps * settings.passes;
  const facts = { ...settings, documents: usable.length, tokens: corpus.ids.length, v, d };
  const firstPass = checkpoint === undefined ? 0 : resume(checkpoint, facts, table, adam);
  try {
    for (let pass = firstPass; pass < settings.passes; pass++) {
      const random = createRandom(settings.seed, pass + 1);
      const order = shuffled(usable.length, random).map((i) => usable[i]);
      for (let step = 0; step < steps; step++) {
        await pause(signal);
        const batch = order.subarray(
          Math.floor((step * usable.length) / steps),
          Math.floor(((step + 1) * usable.length) / steps),
        );
        touched.clear();
        for (const { view } of sides) view.clear();
        for (const document of batch)
          addPair(corpus, document, settings, random, sides[0].view, sides[1].view);

        for (const [side, { view, vectors }] of sides.entries()) {
          vectors.fill(0);
          arena.multiplyInto(view.rows, table, d, vectors);
          normalizeRows(vectors, view.rows.n, d, lengths[side]);
          touched.addAll(view.rows);
        }
        const size = batch.length * d;
        const result = await loss.step(
          sides[0].vectors.subarray(0, size),
          sides[1].vectors.subarray(0, size),
          d,
        );
        const slopes = [result.firstGradient, result.secondGradient];
        for (const [side, { view, vectors }] of sides.entries()) {
          throughNormalization(vectors, slopes[side] as Float32Array, batch.length, d, lengths[side]);
          arena.multiplyTransposedInto(view.rows, vectors, d, gradient);
        }
        const done = pass * steps + step;
        const rate = settings.rate + (settings.finalRate - settings.rate) * (done / total);
        adam.update(table, gradient, touched.rows(), rate);
        onStep?.(done + 1, total, result.loss);
      }
      if (checkpoint !== undefined) {
        const arrays = new Map([['table', table], ...adam.state()]);
        writeCheckpoint(checkpoint, { arrays, numbers: { ...facts, passesDone: pass + 1 } });
      }
    }
  } finally {
    await loss.close();
  }
  start.set(table);
}

function usableDocuments(corpus: TokenCorpus): Int32Array {
  const rows: number[] = [];
  for (let i = 0; i < corpus.n; i++) {
    if (corpus.starts[2 * i + 2] - corpus.starts[2 * i] >= 2 * minViewTokens) rows.push(i);
  }
  return Int32Array.from(rows);
}

function longestDocument(corpus: TokenCorpus): number {
  let longest = 1;
  for (let i = 0; i < corpus.n; i++) {
    longest = Math.max(longest, corpus.starts[2 * i + 2] - corpus.starts[2 * i]);
  }
  return longest;
}

/** @returns Passes done. 0 where there is no state, or one of another corpus or other settings. */
function resume(path: string, facts: Record<string, number>, table: Float32Array, adam: RowAdam): number {
  const kept = readCheckpoint(path);
  const keptTable = kept?.arrays.get('table');
  if (kept === undefined || keptTable === undefined) return 0;
  for (const [name, value] of Object.entries(facts)) if (kept.numbers[name] !== value) return 0;
  table.set(keptTable);
  adam.restore(
    kept.arrays,
    Math.max(1, Math.round(facts.documents / facts.batchSize)) * kept.numbers.passesDone,
  );
  return kept.numbers.passesDone;
}

// Views ----------------------------------------------------------------------------------------

/** Bags of tokens, one row per document; a token that occurs c times is one entry of value 1 + ln c. */
interface View {
  rows: SparseRows;
  clear(): void;
  /** Adds entries to the row under construction; `keep` is the share of tokens taken. */
  add(ids: Int32Array, start: number, end: number, keep: number, random: Random): void;
  endRow(): void;
}

const viewSizes = (b: number, longest: number): number[] => [
  ...[b + 1, b * longest, b * longest],
  ...[b + 1, b * longest, b * longest],
];

function createView(arena: Arena, b: number, longest: number, v: number): View {
  const rows: SparseRows = {
    n: 0,
    offsets: arena.integers(b + 1),
    columns: arena.integers(b * longest),
    values: arena.floats(b * longest),
  };
  const { offsets, columns, values } = rows;
  // Entry of a token in the row under construction, where that entry lies at or after the row's start.
  const entryOf = new Int32Array(v).fill(-1);
  let size = 0;
  return {
    rows,
    clear() {
      rows.n = 0;
      size = 0;
      entryOf.fill(-1);
    },
    add(ids, start, end, keep, random) {
      const rowStart = offsets[rows.n];
      for (let at = start; at < end; at++) {
        if (keep < 1 && random.nextFloat() >= keep) continue;
        const id = ids[at];
        const entry = entryOf[id];
        if (entry >= rowStart) values[entry]++;
        else {
          entryOf[id] = size;
          columns[size] = id;
          values[size++] = 1;
        }
      }
    },
    endRow() {
      for (let k = offsets[rows.n]; k < size; k++) values[k] = sublinear(values[k]);
      offsets[++rows.n] = size;
    },
  };
}

/** Cuts one document into two views. */
function addPair(
  corpus: TokenCorpus,
  document: number,
  settings: ContrastiveSettings,
  random: Random,
  first: View,
  second: View,
): void {
  const { ids, starts } = corpus;
  const [title, abstract, end] = starts.subarray(2 * document, 2 * document + 3);
  const keep = 1 - settings.dropout;
  const chance = random.nextFloat();
  const canSplitByTitle = abstract - title >= minViewTokens && end - abstract >= minViewTokens;
  const canCut = end - abstract >= 4 * minViewTokens;
  if (canSplitByTitle && (chance < settings.titleShare || !canCut)) {
    first.add(ids, title, abstract, keep, random);
    second.add(ids, abstract, end, keep, random);
  } else {
    // A border in the middle third; without an abstract to cut, the whole text is cut.
    const from = canCut ? abstract : title;
    const cut = from + Math.floor((end - from) * (1 / 3 + random.nextFloat() / 3));
    first.add(ids, from, cut, keep, random);
    second.add(ids, cut, end, keep, random);
  }
  first.endRow();
  second.endRow();
}

/** Distinct rows, in the order in which they came. */
class RowSet {
  readonly #stamps: Int32Array;
  readonly #rows: Int32Array;
  #size = 0;
  #round = 0;

  constructor(v: number) {
    this.#stamps = new Int32Array(v);
    this.#rows = new Int32Array(v);
  }

  clear(): void {
    this.#size = 0;
    this.#round++;
  }

  addAll({ n, offsets, columns }: SparseRows): void {
    for (let k = 0; k < offsets[n]; k++) {
      const row = columns[k];
      if (this.#stamps[row] === this.#round) continue;
      this.#stamps[row] = this.#round;
      this.#rows[this.#size++] = row;
    }
  }

  rows(): Int32Array {
    return this.#rows.subarray(0, this.#size);
  }
}

// Length ---------------------------------------------------------------------------------------

/** Scales each row to length 1 and keeps what it was divided by; a row of zeros stays. */
export function normalizeRows(
  vectors: Float32Array | Float64Array,
  n: number,
  d: number,
  lengths: Float64Array,
): void {
  for (let i = 0; i < n; i++) {
    let square = 0;
    for (let at = i * d; at < (i + 1) * d; at++) square += vectors[at] * vectors[at];
    const length = Math.sqrt(square) || 1;
    lengths[i] = length;
    for (let at = i * d; at < (i + 1) * d; at++) vectors[at] /= length;
  }
}

/** Replaces unit rows by the gradient with respect to the rows before scaling. */
export function throughNormalization(
  vectors: Float32Array | Float64Array,
  slopes: Float32Array | Float64Array,
  n: number,
  d: number,
  lengths: Float64Array,
): void {
  for (let i = 0; i < n; i++) {
    let along = 0;
    for (let at = i * d; at < (i + 1) * d; at++) along += vectors[at] * slopes[at];
    for (let at = i * d; at < (i + 1) * d; at++) {
      vectors[at] = (slopes[at] - along * vectors[at]) / lengths[i];
    }
  }
}
