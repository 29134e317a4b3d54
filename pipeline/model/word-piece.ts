/**
 * WordPiece tokenization as BERT does it in lower case: text to vocabulary ids, without places and without
 * special tokens (bert-tokenizer.ts has both). Reads and writes Hugging Face's tokenizer.json; learning a
 * vocabulary is train/word-piece-vocabulary.ts's affair.
 */

import { UserError } from '../errors.ts';
import { bertSteps, classifyCodeUnits, normalize } from './bert-normalizer.ts';
import { eachNormalizedWord, eachRun, plainWord, textOf } from './bert-words.ts';
import { createPieceMatcher } from './piece-matcher.ts';
import { readVocabulary } from './vocabulary.ts';
import { WordCache } from './word-cache.ts';

export const paddingToken = '[PAD]';
export const unknownToken = '[UNK]';
/** A piece that continues a word starts with this. */
export const continuation = '##';
/** Longer words become one unknown token, as in BERT: they are no words. */
export const maxWordLength = 100;

/** Words remembered with their pieces. */
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
  const idOf = new Map<string, number>();
  for (const [id, piece] of vocabulary.entries()) {
    if (idOf.has(piece)) throw new Error(`word-piece: "${piece}" stands in the vocabulary twice.`);
    idOf.set(piece, id);
  }
  const unknownId = idOf.get(unknownToken);
  if (unknownId === undefined) throw new Error(`word-piece: the vocabulary lacks ${unknownToken}.`);

  const matcher = createPieceMatcher(idOf, { prefix: continuation, maxCharacters: maxWordLength });
  const cache = new WordCache<number | number[]>(cacheSize);
  const pieceEnds: number[] = [];
  const piecesOf = (word: string): number | number[] => {
    const ids: number[] = [];
    if (!matcher.match(word, ids, pieceEnds)) return unknownId;
    return ids.length === 1 ? ids[0] : ids;
  };

  const encodeInto = (text: string, ids: Int32Array, start: number): number => {
    let at = start;
    eachWord(text, (word) => {
      let pieces = cache.get(word);
      if (pieces === undefined) {
        pieces = piecesOf(word);
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

const steps = bertSteps({ cleanText: true, handleChinese: true, stripAccents: null, lowercase: true });
const kinds = classifyCodeUnits(steps);

/**
 * Calls `visit` with each word of a text, lower case and without accents; every punctuation mark and every
 * ideograph is a word of its own. Stops when `visit` returns false.
 */
export function eachWord(text: string, visit: (word: string) => boolean): void {
  eachRun(kinds, text, 0, text.length, (start, end, kindsSeen) => {
    const run = text.slice(start, end);
    const word = plainWord(run, kindsSeen);
    if (word !== null) return visit(word);
    const { codes } = normalize(run, steps);
    let goesOn = true;
    eachNormalizedWord(codes, 0, codes.length, (from, to) => {
      goesOn = visit(textOf(codes, from, to));
      return goesOn;
    });
    return goesOn;
  });
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
  const ids = readVocabulary(fieldOf(model, 'vocab'), `${where}: model.vocab`);
  const vocabulary: string[] = [];
  for (const [piece, id] of ids) {
    if (id >= ids.size) throw new UserError(`${where}: the ids of model.vocab have gaps.`);
    vocabulary[id] = piece;
  }
  return vocabulary;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
