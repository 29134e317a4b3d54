/**
 * WordPiece tokenization as BERT does it in lower case: text to vocabulary ids, without offsets. Reads and
 * writes Hugging Face's tokenizer.json; learning a vocabulary is train/word-piece-vocabulary.ts's affair.
 *
 * Source: Wu et al. 2016 (greedy longest match first); normalisation and word borders as `BertNormalizer`
 * and `BertPreTokenizer` of Hugging Face tokenizers 0.22 define them.
 * Differs: half a surrogate pair, which no UTF-8 text can hold, is dropped.
 */

import { UserError } from '../errors.ts';

export const paddingToken = '[PAD]';
export const unknownToken = '[UNK]';
/** A piece that continues a word starts with this. */
export const continuation = '##';
/** Longer words become one unknown token, as in BERT: they are no words. */
export const maxWordLength = 100;

/** Words remembered with their pieces; forgotten all at once when full, since keeping an order costs more. */
const cacheSize = 1 << 17;

export interface WordPiece {
  /** Pieces in id order. */
  vocabulary: readonly string[];
  unknownId: number;
  /**
   * Appends the ids of a text.
   *
   * @param ids Receives the ids from `start` on.
   * @returns One past the last id written; the text is cut where `ids` is full.
   */
  encodeInto(text: string, ids: Int32Array, start: number): number;
  /** All ids of a text. */
  encode(text: string): Int32Array;
}

/** @param vocabulary Distinct pieces in id order, `[UNK]` among them. */
export function createWordPiece(vocabulary: readonly string[]): WordPiece {
  const wordIds = new Map<string, number>();
  const tailIds = new Map<string, number>();
  let longest = 1;
  for (const [id, piece] of vocabulary.entries()) {
    const isTail = piece.startsWith(continuation) && piece.length > continuation.length;
    const text = isTail ? piece.slice(continuation.length) : piece;
    const ids = isTail ? tailIds : wordIds;
    if (ids.has(text)) throw new Error(`word-piece: "${piece}" stands in the vocabulary twice.`);
    ids.set(text, id);
    longest = Math.max(longest, text.length);
  }
  const unknownId = wordIds.get(unknownToken);
  if (unknownId === undefined) throw new Error(`word-piece: the vocabulary lacks ${unknownToken}.`);

  let cache = new Map<string, number | number[]>();

  const piecesOf = (word: string): number | number[] => {
    const whole = wordIds.get(word);
    if (whole !== undefined) return whole;
    if (word.length > maxWordLength && [...word].length > maxWordLength) return unknownId;
    const pieces: number[] = [];
    let start = 0;
    while (start < word.length) {
      const ids = start === 0 ? wordIds : tailIds;
      let end = Math.min(word.length, start + longest);
      let id: number | undefined;
      for (; end > start; end--) {
        id = ids.get(word.slice(start, end));
        if (id !== undefined) break;
      }
      // One piece that cannot be found makes the whole word unknown.
      if (id === undefined) return unknownId;
      pieces.push(id);
      start = end;
    }
    return pieces;
  };

  const encodeInto = (text: string, ids: Int32Array, start: number): number => {
    let at = start;
    eachWord(text, (word) => {
      let pieces = cache.get(word);
      if (pieces === undefined) {
        pieces = piecesOf(word);
        if (cache.size >= cacheSize) cache = new Map();
        cache.set(word, pieces);
      }
      if (typeof pieces === 'number') {
        if (at < ids.length) ids[at++] = pieces;
      } else {
        for (const id of pieces) if (at < ids.length) ids[at++] = id;
      }
      return at < ids.length;
    });
    return at;
  };

  return {
    vocabulary,
    unknownId,
    encodeInto,
    encode(text) {
      // No more pieces than code units, and accents and ideographs may double what they stand for.
      let ids = new Int32Array(text.length + 16);
      for (;;) {
        const end = encodeInto(text, ids, 0);
        if (end < ids.length) return ids.slice(0, end);
        ids = new Int32Array(ids.length * 2);
      }
    },
  };
}

// Words ----------------------------------------------------------------------------------------

const [letter, space, mark, dropped, upper] = [0, 1, 2, 3, 4];

const onlyAscii = /^[\0-\x7f]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is meant.
const droppedPattern = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g;
const combining = /^\p{Mn}$/u;
const unseen = /^[\p{C}\ufffd]$/u;
const blank = /^[\p{Zs}\t\n\r\u2028\u2029]$/u;
const punctuation = /^\p{P}$/u;

/** What each code unit does to the word it stands in; surrogates and what needs folding are dealt with before. */
const classes = classifyCodeUnits();

/**
 * Calls `visit` with each word of a text, lower case and without accents; every punctuation mark and every
 * ideograph is a word of its own. Stops when `visit` returns false.
 */
export function eachWord(text: string, visit: (word: string) => boolean): void {
  const folded = onlyAscii.test(text) ? text : fold(text);
  const length = folded.length;
  let start = -1;
  let hasUpper = false;
  for (let at = 0; at <= length; at++) {
    const kind = at < length ? classes[folded.charCodeAt(at)] : space;
    if (kind === letter || kind === upper) {
      if (start < 0) start = at;
      if (kind === upper) hasUpper = true;
      continue;
    }
    // A dropped character does not end a word, so what stands around it is joined; rare, hence the slow way.
    if (kind === dropped) {
      eachWord(folded.slice(start < 0 ? at : start).replace(droppedPattern, ''), visit);
      return;
    }
    if (start >= 0) {
      const word = folded.slice(start, at);
      if (!visit(hasUpper ? word.toLowerCase() : word)) return;
      start = -1;
      hasUpper = false;
    }
    if (kind === mark && !visit(folded[at])) return;
  }
}

/**
 * Text outside ASCII: dropped characters are taken out, spaces made plain, ideographs and punctuation
 * beyond the first plane set apart, accents stripped, lower case made character by character (so that a
 * final sigma stays a sigma).
 */
function fold(text: string): string {
  let result = '';
  for (const character of text.normalize('NFD')) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) {
      if (classes[code] !== dropped) result += character;
    } else if (combining.test(character)) {
      // An accent of the letter before it.
    } else if (blank.test(character)) result += ' ';
    else if (unseen.test(character)) {
      // Control, format, private, unassigned, half a surrogate pair.
    } else if (isIdeograph(code)) result += ` ${character} `;
    else if (code > 0xffff && punctuation.test(character)) result += ` ${character} `;
    else {
      // Lower case may bring a combining dot back (İ).
      const lower = character.toLowerCase();
      result += lower.length > character.length ? lower.replace(/\p{Mn}/gu, '') : lower;
    }
  }
  return result;
}

/** The blocks that BERT sets apart: CJK ideographs; kana and hangul are written in words and left alone. */
function isIdeograph(code: number): boolean {
  return (
    (code >= 0x4e00 && code <= 0x9fff) ||
    (code >= 0x3400 && code <= 0x4dbf) ||
    (code >= 0x20000 && code <= 0x2a6df) ||
    (code >= 0x2a700 && code <= 0x2b73f) ||
    (code >= 0x2b740 && code <= 0x2b81f) ||
    (code >= 0x2b820 && code <= 0x2ceaf) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0x2f800 && code <= 0x2fa1f)
  );
}

function classifyCodeUnits(): Uint8Array {
  const kinds = new Uint8Array(0x10000);
  for (let code = 0; code < 0x10000; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const character = String.fromCharCode(code);
    // All ASCII signs count as punctuation in BERT, although $, +, <, =, >, ^, `, | and ~ are symbols.
    const isAsciiSign = code > 0x20 && code < 0x7f && !/[0-9A-Za-z]/.test(character);
    if (blank.test(character)) kinds[code] = space;
    else if (code < 0x20 || code === 0x7f) kinds[code] = dropped;
    else if (code >= 0x41 && code <= 0x5a) kinds[code] = upper;
    else if (isAsciiSign || (code > 0x7f && punctuation.test(character))) kinds[code] = mark;
  }
  return kinds;
}

// tokenizer.json -------------------------------------------------------------------------------

/** The file's content as Hugging Face tokenizers read it. */
export function formatTokenizer(vocabulary: readonly string[], maxTokens: number): string {
  const special = [paddingToken, unknownToken].map((content) => ({
    id: vocabulary.indexOf(content),
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const file = {
    version: '1.0',
    truncation: { direction: 'Right', max_length: maxTokens, strategy: 'LongestFirst', stride: 0 },
    padding: null,
    added_tokens: special,
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: true,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: null,
    decoder: { type: 'WordPiece', prefix: continuation, cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: unknownToken,
      continuing_subword_prefix: continuation,
      max_input_chars_per_word: maxWordLength,
      vocab: Object.fromEntries(vocabulary.map((piece, id) => [piece, id])),
    },
  };
  return `${JSON.stringify(file)}\n`;
}

/**
 * Reads the vocabulary of a tokenizer.json of the one kind implemented here: WordPiece in lower case.
 *
 * @param where Named in errors: the file's path.
 * @throws UserError when the file is of another kind.
 */
export function parseTokenizer(content: string, where: string): string[] {
  let file: unknown;
  try {
    file = JSON.parse(content);
  } catch (error) {
    throw new UserError(`${where} is not JSON: ${(error as Error).message}`, { cause: error });
  }
  const model = fieldOf(file, 'model');
  const normalizer = fieldOf(file, 'normalizer');
  const expectations: [string, unknown, unknown][] = [
    ['model.type', fieldOf(model, 'type'), 'WordPiece'],
    ['model.unk_token', fieldOf(model, 'unk_token'), unknownToken],
    ['model.continuing_subword_prefix', fieldOf(model, 'continuing_subword_prefix'), continuation],
    ['normalizer.type', fieldOf(normalizer, 'type'), 'BertNormalizer'],
    ['normalizer.lowercase', fieldOf(normalizer, 'lowercase'), true],
    ['pre_tokenizer.type', fieldOf(fieldOf(file, 'pre_tokenizer'), 'type'), 'BertPreTokenizer'],
  ];
  for (const [name, found, expected] of expectations) {
    if (found !== expected) {
      throw new UserError(
        `${where}: expected ${name} to be ${JSON.stringify(expected)}, got ${JSON.stringify(found)}.`,
      );
    }
  }
  const ids = fieldOf(model, 'vocab');
  if (typeof ids !== 'object' || ids === null) throw new UserError(`${where}: model.vocab is missing.`);
  const vocabulary: string[] = [];
  for (const [piece, id] of Object.entries(ids)) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || vocabulary[id] !== undefined) {
      throw new UserError(
        `${where}: expected each piece to have an id of its own, got ${id} for "${piece}".`,
      );
    }
    vocabulary[id] = piece;
  }
  if (vocabulary.length !== Object.keys(ids).length) {
    throw new UserError(`${where}: the ids of model.vocab have gaps.`);
  }
  return vocabulary;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
