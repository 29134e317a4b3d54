/**
 * What BERT's tokenizer knows about each character, from tables of our own: Node's `\p{…}` and
 * `normalize` follow another Unicode version in each release, and none follows the library's.
 */

import * as tables from './bert-character-tables.ts';

/** Taken out by cleaning: control, format and private characters, and U+FFFD. */
export const DROPPED = 1;
export const SPACE = 2;
export const PUNCTUATION = 4;
/** Set apart where the tokenizer handles Chinese. Kana and Hangul are written in words and left alone. */
export const IDEOGRAPH = 8;
/** Has a canonical decomposition. */
export const DECOMPOSED = 16;
/** A mark that goes with the accents. */
export const NONSPACING = 32;
/** A mark of any kind. */
export const MARK = 64;

/** What stands for half a surrogate pair, which no UTF-8 text can hold. */
export const replacement = 0xfffd;

/** Uint8Array [0x110000]: for each code point, which of the above it is. */
export const characterFlags = buildFlags();

/** The one character whose lower case is two: an i, and a dot above it. */
export const dottedCapitalI = 0x130;
export const combiningDot = 0x307;

const lowerCases = readMap(tables.lowerCase).set(dottedCapitalI, 0x69 - dottedCapitalI);
const combiningClasses = readMap(tables.combiningClass);

/** Lower case, whatever stands around: a sigma at the end of a word stays a plain one. */
export function lowerCaseOf(code: number): number {
  return code + (lowerCases.get(code) ?? 0);
}

/** Canonical combining class: 0 for what no mark moves past. */
export function combiningClassOf(code: number): number {
  return combiningClasses.get(code) ?? 0;
}

/** The canonical decomposition of a character that has one. Unicode promises never to change it. */
export function decompositionOf(code: number): string {
  return String.fromCodePoint(code).normalize('NFD');
}

let wordCharacters: Uint8Array | null = null;

/** Whether a token that must stand as a word of its own may not touch this character. */
export function isWordCharacter(code: number): boolean {
  if (wordCharacters === null) {
    wordCharacters = new Uint8Array(0x110000);
    mark(wordCharacters, tables.wordCharacter, 1);
  }
  return wordCharacters[code] === 1;
}

/** Code point at a place; half a surrogate pair counts as U+FFFD. */
export function codeAt(text: string, at: number): number {
  const code = text.codePointAt(at) ?? replacement;
  return code >= 0xd800 && code <= 0xdfff ? replacement : code;
}

function buildFlags(): Uint8Array {
  const flags = new Uint8Array(0x110000);
  mark(flags, tables.dropped, DROPPED);
  mark(flags, tables.space, SPACE);
  mark(flags, tables.punctuation, PUNCTUATION);
  mark(flags, tables.ideograph, IDEOGRAPH);
  mark(flags, tables.decomposed, DECOMPOSED);
  mark(flags, tables.nonspacing, NONSPACING);
  mark(flags, tables.mark, MARK);
  return flags;
}

function mark(flags: Uint8Array, runs: string, flag: number): void {
  let code = 0;
  for (const run of runs.split(' ')) {
    const [skipped, length = '1'] = run.split(',');
    code += Number.parseInt(skipped, 36);
    const end = code + Number.parseInt(length, 36);
    while (code < end) flags[code++] |= flag;
  }
}

function readMap(runs: string): Map<number, number> {
  const map = new Map<number, number>();
  let code = 0;
  for (const run of runs.split(' ')) {
    const [skipped, length, step, value] = run.split(',').map((digits) => Number.parseInt(digits, 36));
    code += skipped;
    for (let i = 0; i < length; i++) map.set(code + i * step, value);
    code += (length - 1) * step + 1;
  }
  return map;
}
