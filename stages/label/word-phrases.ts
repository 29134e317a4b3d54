/** Phrases of two or three plain words that a corpus repeats. */

import { createPhraseTable, pairHash } from './phrase-table.ts';
import { BREAK, type CorpusWords } from './words.ts';

/** Slots of the sketch: 2^22 of two bytes are 8 MB, enough for some millions of pairs. */
const SKETCH_SLOTS = 1 << 22;

/**
 * A pair that one certain word follows (or goes before) in more than this share of its occurrences is a
 * piece of a longer phrase: "automatic speech" of "automatic speech recognition".
 */
const PIECE_SHARE = 0.5;

/**
 * Phrases of neighbouring words, none a stop word, in at least `floor` documents: pairs, and where a pair is
 * a piece of a longer phrase, that phrase of three words in its place. Phrases come in no order; the caller
 * counts them and holds those of three to the floor.
 */
export function wordPhrases(words: CorpusWords, frequent: Uint8Array, floor: number): number[][] {
  const pairs = frequentPairs(words, frequent, floor);
  const { before, after } = constantNeighbours(words, pairs);
  const phrases = new Map<string, number[]>();
  for (let index = 0; 2 * index < pairs.length; index++) {
    const pair = [pairs[2 * index], pairs[2 * index + 1]];
    const longer: number[][] = [];
    if (after[index] !== BREAK) longer.push([...pair, after[index]]);
    if (before[index] !== BREAK) longer.push([before[index], ...pair]);
    for (const phrase of longer.length === 0 ? [pair] : longer) phrases.set(phrase.join(' '), phrase);
  }
  return [...phrases.values()];
}

/**
 * Pairs of neighbouring words, neither a stop word, in at least `floor` documents.
 *
 * A first pass counts into a sketch whose slots several pairs share, so never too low; only pairs that
 * reach the floor there are then counted exactly, and memory is bounded by them.
 *
 * @param frequent Per word id: 1 where the word itself reaches the floor.
 * @returns Int32Array [2 × pairs], each pair's words one after the other.
 */
function frequentPairs(words: CorpusWords, frequent: Uint8Array, floor: number): Int32Array {
  const { stop } = words;
  const usable = (word: number): boolean => word !== BREAK && frequent[word] === 1 && stop[word] === 0;
  const sketch = new Uint16Array(SKETCH_SLOTS);
  for (let row = 0; row < words.n; row++) {
    const tokens = words.tokensOf(row);
    for (let at = 1; at < tokens.length; at++) {
      if (!usable(tokens[at]) || !usable(tokens[at - 1])) continue;
      const slot = pairHash(tokens[at - 1], tokens[at]) & (SKETCH_SLOTS - 1);
      if (sketch[slot] < 0xffff) sketch[slot]++;
    }
  }

  const pairs = createPhraseTable(words.keys.length);
  const firstNode = words.keys.length;
  let documents = new Int32Array(1 << 12);
  let lastRow = new Int32Array(1 << 12).fill(-1);
  const pairWords: number[] = [];
  const pair = [0, 0];
  for (let row = 0; row < words.n; row++) {
    const tokens = words.tokensOf(row);
    for (let at = 1; at < tokens.length; at++) {
      if (!usable(tokens[at]) || !usable(tokens[at - 1])) continue;
      const slot = pairHash(tokens[at - 1], tokens[at]) & (SKETCH_SLOTS - 1);
      if (sketch[slot] < Math.min(floor, 0xffff)) continue;
      pair[0] = tokens[at - 1];
      pair[1] = tokens[at];
      const index = pairs.add(pair) - firstNode;
      if (2 * index === pairWords.length) pairWords.push(pair[0], pair[1]);
      if (index >= documents.length) {
        documents = doubledInts(documents, 0);
        lastRow = doubledInts(lastRow, -1);
      }
      if (lastRow[index] !== row) {
        lastRow[index] = row;
        documents[index]++;
      }
    }
  }
  const kept: number[] = [];
  for (let index = 0; 2 * index < pairWords.length; index++) {
    if (documents[index] >= floor) kept.push(pairWords[2 * index], pairWords[2 * index + 1]);
  }
  return Int32Array.from(kept);
}

/** Per pair the word that stands before (after) it in most of its occurrences; BREAK where none does. */
function constantNeighbours(
  { n, tokensOf, stop, keys }: CorpusWords,
  pairs: Int32Array,
): { before: Int32Array; after: Int32Array } {
  const size = pairs.length / 2;
  const table = createPhraseTable(keys.length);
  for (let index = 0; index < size; index++) table.add(pairs.subarray(2 * index, 2 * index + 2));
  const eachPair = (onPair: (index: number, previous: number, next: number) => void): void => {
    for (let row = 0; row < n; row++) {
      const tokens = tokensOf(row);
      const neighbourOf = (at: number): number =>
        at < 0 || at >= tokens.length || tokens[at] === BREAK || stop[tokens[at]] === 1 ? BREAK : tokens[at];
      table.find(tokens, 0, tokens.length, (node, start) =>
        onPair(node - keys.length, neighbourOf(start - 1), neighbourOf(start + 2)),
      );
    }
  };

  // Boyer and Moore's vote leaves the only word that can have a majority; a second pass counts it.
  const before = new Int32Array(size).fill(BREAK);
  const after = new Int32Array(size).fill(BREAK);
  const votesBefore = new Int32Array(size);
  const votesAfter = new Int32Array(size);
  eachPair((index, previous, next) => {
    vote(before, votesBefore, index, previous);
    vote(after, votesAfter, index, next);
  });
  const total = new Int32Array(size);
  votesBefore.fill(0);
  votesAfter.fill(0);
  eachPair((index, previous, next) => {
    total[index]++;
    if (previous === before[index]) votesBefore[index]++;
    if (next === after[index]) votesAfter[index]++;
  });
  for (let index = 0; index < size; index++) {
    if (votesBefore[index] <= PIECE_SHARE * total[index]) before[index] = BREAK;
    if (votesAfter[index] <= PIECE_SHARE * total[index]) after[index] = BREAK;
  }
  return { before, after };
}

function vote(candidates: Int32Array, votes: Int32Array, index: number, word: number): void {
  if (votes[index] === 0) candidates[index] = word;
  votes[index] += candidates[index] === word ? 1 : -1;
}

function doubledInts(array: Int32Array<ArrayBuffer>, empty: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2).fill(empty);
  larger.set(array);
  return larger;
}
