/**
 * Cuts the corpus into words once and gives each a whole number, so that everything after counts numbers.
 * Words that differ only in case, plural or hyphens share a number; how each is best written is kept.
 */

import type { CorpusTexts } from '../../pipeline/contract.ts';
import { compareCodePoints } from './code-point-order.ts';
import { createPackedTokens, type PackedTokens } from './packed-tokens.ts';
import { FUNCTION_WORD_SET, STOP_WORD_SET } from './stop-words.ts';

/** Stands between two words that no phrase may join: punctuation, or the border of title and abstract. */
export const BREAK = -1;

export interface CorpusWords {
  /** Documents. */
  n: number;
  /**
   * A document's word ids in text order, BREAK where a phrase ends; the last is a BREAK. The array is that of the next
   * reading.
   */
  tokensOf(row: number): Int32Array;
  /** Int32Array [n]: document i's title ends before this one of its tokens. */
  titleEnds: Int32Array;
  /** Per word id: what its spellings share (see wordKey). */
  keys: string[];
  /** Per word id: the commonest spelling, in natural case. */
  display: string[];
  /** Per word id: the same where another word follows, as in "glacier mass balance". */
  modifier: string[];
  /** Per word id: 1 for words that never name a topic. */
  stop: Uint8Array;
  /** Per word id: 1 for function words, beside which a phrase begins or ends. */
  functional: Uint8Array;
  /** Whether a word id names no topic; also for words that idsOf made. */
  isStop(word: number): boolean;
  /** Word ids of any text, cut as the corpus was, without breaks; unknown words get a new id. */
  idsOf(text: string): number[];
}

/**
 * A word that the corpus writes in lower case at least this often is no name: titles and sentence starts
 * write every word with a capital now and then.
 */
const LOWER_CASE_SHARE = 0.2;

/** Reads titles and abstracts, once. */
export function readWords(documents: CorpusTexts): CorpusWords {
  const n = documents.id.length;
  const packed = createPackedTokens(n);
  const surfaces = createSurfaces(packed);

  // Every document's surfaces, title and abstract with a break after each.
  const titleEnds = new Int32Array(n);
  let row = 0;
  for (const { title, abstract } of documents.read()) {
    surfaces.read(title);
    titleEnds[row++] = packed.length();
    surfaces.read(abstract);
    packed.endDocument();
  }

  // Surfaces to words: one key, one word.
  const keys: string[] = [];
  const idOfKey = new Map<string, number>();
  const idOf = (surface: string): number => {
    const key = wordKey(surface);
    let id = idOfKey.get(key);
    if (id === undefined) {
      id = keys.length;
      idOfKey.set(key, id);
      keys.push(key);
    }
    return id;
  };
  const wordOfSurface = Int32Array.from(surfaces.texts, idOf);
  // Entities are mostly made of words of the corpus: their keys need not be worked out again.
  const idOfSurface = new Map(surfaces.texts.map((surface, s) => [surface, wordOfSurface[s]]));
  const stop = new Uint8Array(keys.length);
  const functional = new Uint8Array(keys.length);
  for (let word = 0; word < keys.length; word++) stop[word] = isStopWord(keys[word]) ? 1 : 0;
  for (let s = 0; s < wordOfSurface.length; s++) {
    const lower = surfaces.texts[s].toLowerCase();
    if (STOP_WORD_SET.has(lower)) stop[wordOfSurface[s]] = 1;
    if (FUNCTION_WORD_SET.has(lower)) functional[wordOfSurface[s]] = 1;
  }
  // A surface counts as a modifier where a word that is no stop word follows.
  const modifying = new Int32Array(surfaces.texts.length);
  for (let i = 0; i < n; i++) {
    const tokens = packed.read(i);
    for (let at = 0; at < tokens.length; at++) {
      if (tokens[at] === BREAK) continue;
      const next = tokens[at + 1];
      if (next !== BREAK && stop[wordOfSurface[next]] === 0) modifying[tokens[at]]++;
    }
  }

  const counts = surfaces.counts();
  const casing = readCasing(surfaces.texts, counts);
  const display = displayForms(keys.length, wordOfSurface, surfaces.texts, counts, casing);
  const modifier = displayForms(keys.length, wordOfSurface, surfaces.texts, modifying, casing);
  return {
    n,
    tokensOf(i) {
      const tokens = packed.read(i);
      for (let at = 0; at < tokens.length; at++) {
        if (tokens[at] !== BREAK) tokens[at] = wordOfSurface[tokens[at]];
      }
      return tokens;
    },
    titleEnds,
    keys,
    display,
    modifier,
    stop,
    functional,
    isStop: (word) => (word < stop.length ? stop[word] === 1 : isStopWord(keys[word])),
    idsOf(text) {
      const ids: number[] = [];
      eachWord(
        text,
        (start, end) => {
          const surface = text.slice(start, end);
          ids.push(idOfSurface.get(surface) ?? idOf(surface));
        },
        () => {},
      );
      return ids;
    },
  };
}

/**
 * What the spellings of a word share: lower case, no hyphens, no possessive, singular by English rules.
 * Meant for telling words apart, not for reading: "analyses" and "analysis" agree, "physics" loses its s.
 */
export function wordKey(surface: string): string {
  let key = surface.toLowerCase().replace(/['’]s?$/u, '');
  if (key.includes('-') || key.includes('‐') || key.includes('‑')) key = key.replace(/[-‐‑]/gu, '');
  if (key === '') return surface;
  return singular(key);
}

/** What the rules below would get wrong, among words that papers use often. */
const IRREGULAR: ReadonlyMap<string, string> = new Map([
  ['bias', 'bias'],
  ['biases', 'bias'],
  ['corpora', 'corpus'],
  ['criteria', 'criterion'],
  ['indices', 'index'],
  ['lens', 'lens'],
  ['matrices', 'matrix'],
  ['news', 'news'],
  ['phenomena', 'phenomenon'],
  ['vertices', 'vertex'],
]);

function singular(key: string): string {
  const { length } = key;
  if (length < 4) return key;
  const irregular = IRREGULAR.get(key);
  if (irregular !== undefined) return irregular;
  if (key.charCodeAt(length - 1) !== 115) return key;
  if (key.endsWith('ss') || key.endsWith('us') || key.endsWith('is')) return key;
  if (key.endsWith('yses')) return `${key.slice(0, -2)}is`;
  if (key.endsWith('ies') && length > 4) return `${key.slice(0, -3)}y`;
  if (/(?:ss|x|ch|sh)es$/u.test(key)) return key.slice(0, -2);
  return key.slice(0, -1);
}

/** Listed, a number, a lone letter, or a web address. */
function isStopWord(key: string): boolean {
  if (STOP_WORD_SET.has(key) || /^www\.|\.(?:com|edu|gov|io|net|org)$/u.test(key)) return true;
  if (key.length === 1) return key.charCodeAt(0) < 0x2e80;
  return /^[\d.,%:/-]+(?:st|nd|rd|th|k|m|x|s)?$/u.test(key);
}

// ---------------------------------------------------------------------------------------------
// Surfaces

/** Distinct spellings, with how often each was read. */
interface Surfaces {
  texts: string[];
  /** Gives the tokens the surface ids of a text, and breaks. */
  read(text: string): void;
  counts(): Int32Array;
}

const LETTER = 1;
const SPACE = 2;
const JOINER = 3;

/** Class of every UTF-16 code unit; 0 separates words and phrases, as surrogate pairs do. */
const CLASS_OF = characterClasses();

function characterClasses(): Uint8Array {
  const classes = new Uint8Array(65536);
  for (let unit = 0; unit < 65536; unit++) {
    const character = String.fromCharCode(unit);
    if (/[\p{L}\p{M}\p{N}]/u.test(character)) classes[unit] = LETTER;
    else if (/\s/u.test(character)) classes[unit] = SPACE;
  }
  // Inside a word only: cross-lingual, model's, 0.5, C++, R&D.
  for (const character of "-‐‑'’.+#&_") classes[character.charCodeAt(0)] = JOINER;
  return classes;
}

function createSurfaces(tokens: PackedTokens): Surfaces {
  const texts: string[] = [];
  let endsInBreak = true;
  let counts = new Int32Array(1024);
  let hashes = new Int32Array(1024);
  // Open addressing, linear probing, at most half full; −1 is free.
  let table = new Int32Array(2048).fill(-1);

  const breakPhrase = (): void => {
    if (!endsInBreak) tokens.push(BREAK);
    endsInBreak = true;
  };
  const grow = (): void => {
    counts = doubled(counts);
    hashes = doubled(hashes);
    table = new Int32Array(counts.length * 2).fill(-1);
    const mask = table.length - 1;
    for (let surface = 0; surface < texts.length; surface++) {
      let slot = hashes[surface] & mask;
      while (table[slot] !== -1) slot = (slot + 1) & mask;
      table[slot] = surface;
    }
  };
  const surfaceOf = (text: string, start: number, end: number, hash: number): number => {
    const mask = table.length - 1;
    let slot = hash & mask;
    while (table[slot] !== -1) {
      const surface = table[slot];
      const known = texts[surface];
      if (hashes[surface] === hash && known.length === end - start && text.startsWith(known, start)) {
        return surface;
      }
      slot = (slot + 1) & mask;
    }
    const surface = texts.length;
    // A copy: a slice would keep the whole abstract alive behind one word.
    texts.push(Buffer.from(text.slice(start, end), 'utf16le').toString('utf16le'));
    hashes[surface] = hash;
    table[slot] = surface;
    if (texts.length === counts.length) grow();
    return surface;
  };

  const read = (text: string): void => {
    eachWord(
      text,
      (start, end, hash) => {
        const surface = surfaceOf(text, start, end, hash);
        counts[surface]++;
        tokens.push(surface);
        endsInBreak = false;
      },
      breakPhrase,
    );
    breakPhrase();
  };

  return {
    texts,
    read,
    counts: () => counts.slice(0, texts.length),
  };
}

/** Calls back for each word, with its FNV-1a hash, and for each mark that no phrase crosses. */
function eachWord(
  text: string,
  onWord: (start: number, end: number, hash: number) => void,
  onBreak: () => void,
): void {
  const { length } = text;
  let at = 0;
  while (at < length) {
    const kind = CLASS_OF[text.charCodeAt(at)];
    if (kind !== LETTER) {
      if (kind !== SPACE) onBreak();
      at++;
      continue;
    }
    // Letters, and joiners with a letter on both sides; "+" and "#" may also end a word (C++, F#).
    const start = at;
    let hash = 0x811c9dc5;
    for (; at < length; at++) {
      const unit = text.charCodeAt(at);
      const unitKind = CLASS_OF[unit];
      if (unitKind !== LETTER) {
        if (unitKind !== JOINER) break;
        const ends = unit === 0x2b || unit === 0x23;
        if (!ends && !(at + 1 < length && CLASS_OF[text.charCodeAt(at + 1)] === LETTER)) break;
      }
      hash = Math.imul(hash ^ unit, 0x01000193);
    }
    onWord(start, at, hash ^ (hash >>> 15));
  }
}

function doubled(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}

// ---------------------------------------------------------------------------------------------
// How to write a word

/** Per lower-case spelling: its commonest casing, and how often it is written at all and in lower case. */
interface Casing {
  total: number;
  lower: number;
  best: string;
  bestCount: number;
}

function readCasing(surfaces: string[], counts: Int32Array): Map<string, Casing> {
  const casings = new Map<string, Casing>();
  for (let s = 0; s < surfaces.length; s++) {
    const surface = surfaces[s];
    const lower = surface.toLowerCase();
    let casing = casings.get(lower);
    if (casing === undefined) {
      casing = { total: 0, lower: 0, best: surface, bestCount: -1 };
      casings.set(lower, casing);
    }
    casing.total += counts[s];
    if (surface === lower) casing.lower = counts[s];
    if (
      counts[s] > casing.bestCount ||
      (counts[s] === casing.bestCount && compareCodePoints(surface, casing.best) < 0)
    ) {
      casing.best = surface;
      casing.bestCount = counts[s];
    }
  }
  return casings;
}

/** Per word the commonest of its spellings; equal counts go to the first in code-point order. */
function displayForms(
  v: number,
  wordOfSurface: Int32Array,
  surfaces: string[],
  counts: Int32Array,
  casings: Map<string, Casing>,
): string[] {
  const totals = new Map<string, number>();
  const lowers = surfaces.map((surface) => surface.toLowerCase());
  for (let s = 0; s < lowers.length; s++) totals.set(lowers[s], (totals.get(lowers[s]) ?? 0) + counts[s]);
  const spelling = new Array<string>(v).fill('');
  const most = new Float64Array(v).fill(-1);
  for (let s = 0; s < surfaces.length; s++) {
    const lower = lowers[s];
    const total = totals.get(lower) ?? 0;
    const word = wordOfSurface[s];
    if (total > most[word] || (total === most[word] && compareCodePoints(lower, spelling[word]) < 0)) {
      most[word] = total;
      spelling[word] = lower;
    }
  }
  return spelling.map((lower) => {
    const casing = casings.get(lower);
    if (casing === undefined) return lower;
    return casing.lower >= LOWER_CASE_SHARE * casing.total ? lower : casing.best;
  });
}
