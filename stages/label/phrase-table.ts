/**
 * Phrases as paths over word ids, so that all phrases of a text are found in one walk over its words.
 * A node is a phrase or the beginning of one; the nodes of single words are the word ids themselves.
 */

import { BREAK } from './words.ts';

export interface PhraseTable {
  /** Nodes in all; words come first. */
  size(): number;
  /** Node of a phrase of one or more words, made where it is new. */
  add(words: ArrayLike<number>): number;
  /**
   * Calls back with the node, the start and the end (exclusive) of every added phrase of two or more words in
   * tokens[from..to).
   */
  find(
    tokens: Int32Array,
    from: number,
    to: number,
    onPhrase: (node: number, start: number, end: number) => void,
  ): void;
}

/** @param v Number of words; ids are 0 to v − 1. */
export function createPhraseTable(v: number): PhraseTable {
  // Open addressing over (node, next word), at most half full; a child of −1 is free.
  let capacity = 1 << 12;
  let parents = new Int32Array(capacity);
  let nexts = new Int32Array(capacity);
  let children = new Int32Array(capacity).fill(-1);
  let used = 0;
  let size = v;
  // Per node: whether a phrase ends here, and whether one goes on from here.
  let ends = new Uint8Array(v + 1024);
  let goesOn = new Uint8Array(v + 1024);

  const slotOf = (node: number, word: number): number => {
    const mask = capacity - 1;
    let slot = pairHash(node, word) & mask;
    while (children[slot] !== -1 && !(parents[slot] === node && nexts[slot] === word)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  };
  const grow = (): void => {
    const [oldParents, oldNexts, oldChildren] = [parents, nexts, children];
    capacity *= 2;
    parents = new Int32Array(capacity);
    nexts = new Int32Array(capacity);
    children = new Int32Array(capacity).fill(-1);
    for (let old = 0; old < oldChildren.length; old++) {
      if (oldChildren[old] === -1) continue;
      const slot = slotOf(oldParents[old], oldNexts[old]);
      parents[slot] = oldParents[old];
      nexts[slot] = oldNexts[old];
      children[slot] = oldChildren[old];
    }
  };

  return {
    size: () => size,
    add(words) {
      let node = words[0];
      for (let at = 1; at < words.length; at++) {
        let slot = slotOf(node, words[at]);
        if (children[slot] === -1) {
          if (2 * ++used > capacity) {
            grow();
            slot = slotOf(node, words[at]);
          }
          if (size === ends.length) {
            ends = doubled(ends);
            goesOn = doubled(goesOn);
          }
          parents[slot] = node;
          nexts[slot] = words[at];
          children[slot] = size++;
          goesOn[node] = 1;
        }
        node = children[slot];
      }
      ends[node] = 1;
      return node;
    },
    find(tokens, from, to, onPhrase) {
      for (let start = from; start < to; start++) {
        let node = tokens[start];
        if (node === BREAK) continue;
        for (let at = start + 1; at < to && goesOn[node] === 1 && tokens[at] !== BREAK; at++) {
          const child = children[slotOf(node, tokens[at])];
          if (child === -1) break;
          node = child;
          if (ends[node] === 1) onPhrase(node, start, at + 1);
        }
      }
    },
  };
}

/** Mixes two ids (the finisher of MurmurHash3 over a weighted sum). */
export function pairHash(a: number, b: number): number {
  let hash = (Math.imul(a, 0x9e3779b1) + Math.imul(b, 0x85ebca6b)) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function doubled(array: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(array.length * 2);
  larger.set(array);
  return larger;
}
