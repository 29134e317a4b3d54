/**
 * Learns a WordPiece vocabulary from texts: the commonest words whole, and for the rest pieces merged pair
 * by pair as in byte-pair encoding. Whole words come first because a document vector is a sum over pieces:
 * a word that stands for something should have a row of its own.
 *
 * Source: Sennrich et al. 2016 for the merges. Differs: words that are in the vocabulary whole take no part.
 */

import { continuation, eachWord, maxWordLength, paddingToken, unknownToken } from '../model/word-piece.ts';

/** Part of the vocabulary that is left to pieces of words too rare to stand whole. */
const pieceShare = 0.2;
/** Characters rarer than this stay unknown. */
const minCharacterCount = 20;

/** Counts words as the tokenizer will see them. */
export class WordCounter {
  readonly counts = new Map<string, number>();

  add(text: string): void {
    eachWord(text, (word) => {
      if (word.length <= maxWordLength) this.counts.set(word, (this.counts.get(word) ?? 0) + 1);
      return true;
    });
  }
}

/**
 * @param counts Occurrences per word.
 * @param size Entries at most, special tokens included.
 * @returns Pieces in id order: `[PAD]`, `[UNK]`, characters, words by count, pieces by merge order.
 */
export function learnVocabulary(
  counts: ReadonlyMap<string, number>,
  { size, minCount = 3 }: { size: number; minCount?: number },
): string[] {
  // The lexical order by code unit is the same on every machine; a locale's would not be.
  const words = [...counts]
    .filter(([, count]) => count >= minCount)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const vocabulary = new Set([paddingToken, unknownToken, ...characters(words)]);
  const wholeWords = Math.floor((size - vocabulary.size) * (1 - pieceShare));
  const rest: [string, number][] = [];
  let taken = 0;
  for (const entry of words) {
    if (vocabulary.has(entry[0])) continue;
    if (taken < wholeWords) {
      vocabulary.add(entry[0]);
      taken++;
    } else rest.push(entry);
  }
  mergePieces(rest, vocabulary, size);
  return [...vocabulary];
}

/** Single characters, as starts and as continuations, so that words of known characters are never unknown. */
function characters(words: readonly (readonly [string, number])[]): string[] {
  const seen = new Map<string, number>();
  for (const [word, count] of words) {
    let prefix = '';
    for (const character of word) {
      seen.set(prefix + character, (seen.get(prefix + character) ?? 0) + count);
      prefix = continuation;
    }
  }
  return [...seen]
    .filter(([, count]) => count >= minCharacterCount)
    .map(([character]) => character)
    .sort((a, b) => (a < b ? -1 : 1));
}

/** Adds pieces by merging the commonest neighbouring pair, again and again. */
function mergePieces(words: readonly [string, number][], vocabulary: Set<string>, size: number): void {
  const names: string[] = [];
  const idOf = new Map<string, number>();
  const intern = (name: string): number => {
    let id = idOf.get(name);
    if (id === undefined) {
      id = names.length;
      names.push(name);
      idOf.set(name, id);
    }
    return id;
  };
  const pieces = words.map(([word]) =>
    [...word].map((character, index) => intern(index === 0 ? character : continuation + character)),
  );

  // Pairs are numbers, first × 2^22 + second: fewer than four million pieces ever exist.
  const base = 2 ** 22;
  const pairCounts = new Map<number, number>();
  const pairWords = new Map<number, Set<number>>();
  const count = (word: number, sign: number): void => {
    const ids = pieces[word];
    for (let i = 0; i + 1 < ids.length; i++) {
      const pair = ids[i] * base + ids[i + 1];
      pairCounts.set(pair, (pairCounts.get(pair) ?? 0) + sign * words[word][1]);
      if (sign < 0) continue;
      const holders = pairWords.get(pair);
      if (holders === undefined) pairWords.set(pair, new Set([word]));
      else holders.add(word);
    }
  };
  for (let word = 0; word < words.length; word++) count(word, 1);

  const heap = new PairHeap(pairCounts);
  while (vocabulary.size < size) {
    const pair = heap.pop();
    if (pair === undefined) return;
    const first = Math.floor(pair / base);
    const second = pair % base;
    const merged = intern(names[first] + names[second].slice(continuation.length));
    vocabulary.add(names[merged]);
    const touched = new Set<number>();
    for (const word of [...(pairWords.get(pair) ?? [])].sort((a, b) => a - b)) {
      const before = pieces[word];
      for (let i = 0; i + 1 < before.length; i++) touched.add(before[i] * base + before[i + 1]);
      count(word, -1);
      const after: number[] = [];
      for (let i = 0; i < before.length; i++) {
        if (before[i] === first && before[i + 1] === second) {
          after.push(merged);
          i++;
        } else after.push(before[i]);
      }
      pieces[word] = after;
      count(word, 1);
      for (let i = 0; i + 1 < after.length; i++) touched.add(after[i] * base + after[i + 1]);
    }
    pairWords.delete(pair);
    for (const changed of touched) heap.push(changed);
  }
}

/** Pairs by count, the smaller pair first among equals. Outdated entries are dropped when they surface. */
class PairHeap {
  readonly #counts: Map<number, number>;
  readonly #heap: { pair: number; count: number }[] = [];

  constructor(counts: Map<number, number>) {
    this.#counts = counts;
    for (const pair of counts.keys()) this.push(pair);
  }

  push(pair: number): void {
    const heap = this.#heap;
    const entry = { pair, count: this.#counts.get(pair) ?? 0 };
    if (entry.count < 2) return;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(entry, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = entry;
  }

  pop(): number | undefined {
    for (;;) {
      const top = this.#takeTop();
      if (top === undefined) return undefined;
      if (top.count === this.#counts.get(top.pair)) return top.pair;
    }
  }

  #takeTop(): { pair: number; count: number } | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], last)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

const before = (a: { pair: number; count: number }, b: { pair: number; count: number }): boolean =>
  a.count > b.count || (a.count === b.count && a.pair < b.pair);
