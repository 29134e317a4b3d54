/**
 * What the tagger sees of a word: the row of its vector, and hashed marks of its spelling (beginnings,
 * endings, shape, the word itself), each a row of a second, small table whose rows are summed.
 */

import { wordRow } from './word-vectors.ts';
import { MAX_TOKEN_UNITS, plainToken } from './words.ts';

/** Spelling marks per word. */
export const marksPerWord = 8;

/** Distinct words kept in memory before the lookup starts afresh: bounded, whatever the corpus. */
const maxRemembered = 200_000;

/** Words and marks of many tokens. */
export interface WordRows {
  /** Row of each token's vector; `unknownRow` where it has none. */
  words: Int32Array;
  /** [tokens × marksPerWord] rows of the table of marks. */
  marks: Int32Array;
}

/** Looks tokens up; remembers the words it has seen. */
export interface WordLookup {
  /** Tokens of several sentences, end to end. */
  rows(sentences: readonly (readonly string[])[]): WordRows;
}

/**
 * @param vocabulary Words by row.
 * @param unknownRow Row for tokens outside the vocabulary.
 * @param buckets Rows of the table of marks.
 */
export function createWordLookup(
  vocabulary: ReadonlyMap<string, number>,
  unknownRow: number,
  buckets: number,
): WordLookup {
  let places = new Map<string, number>();
  let words = new Int32Array(1024);
  let marks = new Int32Array(1024 * marksPerWord);
  const remember = (token: string): number => {
    // What is beyond tells nothing more, and a megabyte in one token must not be kept as a key.
    if (token.length > MAX_TOKEN_UNITS) return placeOf(token.slice(0, MAX_TOKEN_UNITS));
    if (places.size === maxRemembered) places = new Map();
    const place = places.size;
    if (place === words.length) {
      words = grown(words);
      marks = grown(marks);
    }
    const row = wordRow(vocabulary, token);
    words[place] = row < 0 ? unknownRow : row;
    writeMarks(plainToken(token), buckets, marks, place * marksPerWord);
    places.set(token, place);
    return place;
  };
  const placeOf = (token: string): number => places.get(token) ?? remember(token);
  return {
    rows(sentences) {
      let n = 0;
      for (const sentence of sentences) n += sentence.length;
      const found = { words: new Int32Array(n), marks: new Int32Array(n * marksPerWord) };
      let i = 0;
      for (const sentence of sentences) {
        for (const token of sentence) {
          const place = placeOf(token);
          found.words[i] = words[place];
          const from = place * marksPerWord;
          const to = i * marksPerWord;
          for (let k = 0; k < marksPerWord; k++) found.marks[to + k] = marks[from + k];
          i++;
        }
      }
      return found;
    },
  };
}

function writeMarks(token: string, buckets: number, marks: Int32Array, at: number): void {
  const lower = token.toLowerCase();
  const forms = [
    lower.slice(0, 2),
    lower.slice(0, 3),
    lower.slice(0, 4),
    lower.slice(-2),
    lower.slice(-3),
    lower.slice(-4),
    shapeOf(token),
    lower,
  ];
  forms.forEach((form, kind) => {
    marks[at + kind] = hash(form, kind) % buckets;
  });
}

/** "BERT-base" as "A-a", "IL-2" as "A-0", "Networks" as "Aa": runs of one kind of character, once each. */
export function shapeOf(token: string): string {
  let shape = '';
  let last = '';
  for (let i = 0; i < token.length; i++) {
    const kind = kindOf(token.charCodeAt(i), token[i]);
    if (kind !== last) shape += kind;
    last = kind;
  }
  return shape;
}

function kindOf(code: number, character: string): string {
  if (code >= 0x61 && code <= 0x7a) return 'a';
  if (code >= 0x41 && code <= 0x5a) return 'A';
  if (code >= 0x30 && code <= 0x39) return '0';
  // Expressions are slow, and hardly ever needed.
  if (code < 128) return character;
  if (/\p{Lu}/u.test(character)) return 'A';
  if (/\p{L}/u.test(character)) return 'a';
  return /\p{Nd}/u.test(character) ? '0' : character;
}

/** FNV-1a over UTF-16 units, the kind of mark first, so that the same letters differ as beginning and as ending. */
function hash(text: string, kind: number): number {
  let value = Math.imul(0x811c9dc5 ^ kind, 0x01000193);
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  // The low bits of FNV are weak; fold the high ones in.
  return (value ^ (value >>> 15)) >>> 0;
}

function grown(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * array.length);
  larger.set(array);
  return larger;
}
