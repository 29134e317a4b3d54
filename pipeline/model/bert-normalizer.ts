/**
 * What BERT's tokenizer does to a text before it looks for words: cleaning, setting ideographs apart,
 * decomposing, taking accents off, lower case; with the place in the text that each character came from.
 *
 * Agrees with the normalizers of Hugging Face tokenizers 0.23 on every character and every offset.
 */

import {
  characterFlags,
  codeAt,
  combiningClassOf,
  combiningDot,
  DECOMPOSED,
  DROPPED,
  decompositionOf,
  dottedCapitalI,
  IDEOGRAPH,
  lowerCaseOf,
  MARK,
  NONSPACING,
  PUNCTUATION,
  SPACE,
} from './bert-characters.ts';

/** In the order given, each over the whole text. */
export type NormalizerStep =
  | 'clean'
  | 'ideographs'
  | 'decompose'
  | 'strip-nonspacing'
  | 'strip-marks'
  | 'lowercase';

/** The settings of `BertNormalizer`. */
export interface BertNormalizerSettings {
  cleanText: boolean;
  handleChinese: boolean;
  /** Null: as `lowercase` says. */
  stripAccents: boolean | null;
  lowercase: boolean;
}

export function bertSteps(settings: BertNormalizerSettings): NormalizerStep[] {
  const steps: NormalizerStep[] = [];
  if (settings.cleanText) steps.push('clean');
  if (settings.handleChinese) steps.push('ideographs');
  if (settings.stripAccents ?? settings.lowercase) steps.push('decompose', 'strip-nonspacing');
  if (settings.lowercase) steps.push('lowercase');
  return steps;
}

/** Characters in order, each with the code units of the text that it stands for. */
export interface Characters {
  codes: number[];
  starts: number[];
  /** Exclusive. */
  ends: number[];
}

export function normalize(text: string, steps: readonly NormalizerStep[]): Characters {
  let characters: Characters = { codes: [], starts: [], ends: [] };
  for (let at = 0; at < text.length; ) {
    const code = codeAt(text, at);
    const end = at + (code > 0xffff ? 2 : 1);
    append(characters, code, at, end);
    at = end;
  }
  for (const step of steps) characters = applyStep(step, characters);
  return characters;
}

/** What a single code unit needs. Bits, so that those of a run of characters can be gathered. */
export const BLANK = 0;
/** A word of its own, unchanged. */
export const SINGLE = 1;
/** Part of a word, unchanged; a small letter of ASCII, a digit, or anything else. */
export const ASCII = 2;
export const OTHER = 4;
/** A capital of ASCII that lower case is made of. */
export const CAPITAL = 8;
/** Normalising it changes it, or depends on what stands around. */
export const CHANGED = 16;

/** Uint8Array [65536]: which of the above each code unit is. Halves of surrogate pairs are `CHANGED`. */
export function classifyCodeUnits(steps: readonly NormalizerStep[]): Uint8Array {
  const does = (step: NormalizerStep): boolean => steps.includes(step);
  const changedBy =
    (does('clean') ? DROPPED : 0) |
    (does('decompose') ? DECOMPOSED : 0) |
    (does('strip-nonspacing') ? NONSPACING : 0) |
    (does('strip-marks') ? MARK : 0);
  const aloneBy = PUNCTUATION | (does('ideographs') ? IDEOGRAPH : 0);
  const [decomposes, lowercases] = [does('decompose'), does('lowercase')];
  const kinds = new Uint8Array(0x10000);
  for (let code = 0; code < 0x10000; code++) {
    const flags = characterFlags[code];
    const isSurrogate = code >= 0xd800 && code <= 0xdfff;
    const moves = decomposes && combiningClassOf(code) > 0;
    const lowers = lowercases && lowerCaseOf(code) !== code;
    if (lowers && code < 0x80) kinds[code] = CAPITAL;
    else if (isSurrogate || moves || lowers) kinds[code] = CHANGED;
    else if (flags & SPACE && !(flags & changedBy & DROPPED)) kinds[code] = BLANK;
    else if (flags & changedBy) kinds[code] = CHANGED;
    else if (flags & aloneBy) kinds[code] = SINGLE;
    else kinds[code] = code < 0x80 ? ASCII : OTHER;
  }
  return kinds;
}

function append(characters: Characters, code: number, start: number, end: number): void {
  characters.codes.push(code);
  characters.starts.push(start);
  characters.ends.push(end);
}

function applyStep(step: NormalizerStep, characters: Characters): Characters {
  switch (step) {
    case 'clean':
      return blanksMadeSpaces(without(DROPPED, characters));
    case 'ideographs':
      return ideographsApart(characters);
    case 'decompose':
      return decomposed(characters);
    case 'strip-nonspacing':
      return without(NONSPACING, characters);
    case 'strip-marks':
      return without(MARK, characters);
    case 'lowercase':
      return lowered(characters);
  }
}

function without(flag: number, { codes, starts, ends }: Characters): Characters {
  const kept: Characters = { codes: [], starts: [], ends: [] };
  for (let i = 0; i < codes.length; i++) {
    if (!(characterFlags[codes[i]] & flag)) append(kept, codes[i], starts[i], ends[i]);
  }
  return kept;
}

function blanksMadeSpaces(characters: Characters): Characters {
  const { codes } = characters;
  for (let i = 0; i < codes.length; i++) if (characterFlags[codes[i]] & SPACE) codes[i] = 0x20;
  return characters;
}

/** Spaces around an ideograph stand where it stands. */
function ideographsApart({ codes, starts, ends }: Characters): Characters {
  const apart: Characters = { codes: [], starts: [], ends: [] };
  for (let i = 0; i < codes.length; i++) {
    const isIdeograph = (characterFlags[codes[i]] & IDEOGRAPH) !== 0;
    if (isIdeograph) append(apart, 0x20, starts[i], ends[i]);
    append(apart, codes[i], starts[i], ends[i]);
    if (isIdeograph) append(apart, 0x20, starts[i], ends[i]);
  }
  return apart;
}

/**
 * Canonical decomposition, and marks put in the order of their combining class.
 *
 * Places are kept in order though marks may have moved: the library hands the places out one by one to what
 * was a character before, and gives what a decomposition added the place of what stands before it.
 */
function decomposed({ codes, starts, ends }: Characters): Characters {
  const parts: Part[] = [];
  // Where the run of marks at the end begins: none of them moves past what stands before.
  let marksFrom = 0;
  const sortMarks = (): void => {
    if (parts.length - marksFrom < 2) return;
    const marks = parts.splice(marksFrom).sort((a, b) => a.combiningClass - b.combiningClass);
    for (const mark of marks) parts.push(mark);
  };
  const push = (code: number, isAdded: boolean): void => {
    const combiningClass = combiningClassOf(code);
    if (combiningClass === 0) sortMarks();
    parts.push({ code, combiningClass, isAdded });
    if (combiningClass === 0) marksFrom = parts.length;
  };
  for (const code of codes) {
    if (!(characterFlags[code] & DECOMPOSED)) push(code, false);
    else {
      let isAdded = false;
      for (const part of decompositionOf(code)) {
        push(part.codePointAt(0) ?? 0, isAdded);
        isAdded = true;
      }
    }
  }
  sortMarks();
  const result: Characters = { codes: [], starts: [], ends: [] };
  let from = -1;
  for (const { code, isAdded } of parts) {
    if (!isAdded) from++;
    append(result, code, starts[from], ends[from]);
  }
  return result;
}

interface Part {
  code: number;
  combiningClass: number;
  /** Whether it is a further part of a decomposition. */
  isAdded: boolean;
}

function lowered({ codes, starts, ends }: Characters): Characters {
  const result: Characters = { codes: [], starts: [], ends: [] };
  for (let i = 0; i < codes.length; i++) {
    append(result, lowerCaseOf(codes[i]), starts[i], ends[i]);
    if (codes[i] === dottedCapitalI) append(result, combiningDot, starts[i], ends[i]);
  }
  return result;
}
