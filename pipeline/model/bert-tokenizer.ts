/**
 * BERT's tokenizer: text to vocabulary ids, each with the characters and the word it comes from. Reading its
 * files is tokenizer-files.ts's affair, normalising bert-normalizer.ts's, and words are bert-words.ts's.
 *
 * Agrees with Hugging Face tokenizers 0.23 on ids, offsets and word indices (test/oracle/bert-tokenizer.py).
 * Differs: places are UTF-16 code units where the library counts code points. Half a surrogate pair, which
 * no UTF-8 text can hold, is treated as U+FFFD is.
 */

import { UserError } from '../errors.ts';
import { createTokenFinder, type TokenFinder } from './added-tokens.ts';
import { type Characters, classifyCodeUnits, normalize } from './bert-normalizer.ts';
import { eachNormalizedWord, eachRun, plainWord, textOf } from './bert-words.ts';
import { createPieceMatcher } from './piece-matcher.ts';
import { readTokenizerFiles, type TokenizerSettings } from './tokenizer-files.ts';
import { WordCache } from './word-cache.ts';

export interface TokenizedText {
  /** Int32Array [tokens]. */
  ids: Int32Array;
  /** Int32Array [tokens]: the code unit of the text, as it was given, that the token begins at. */
  starts: Int32Array;
  /** Int32Array [tokens]: the code unit that it ends before. */
  ends: Int32Array;
  /** Int32Array [tokens]: index of the word that the token is in; an added token is a word. */
  words: Int32Array;
}

export interface BertTokenizer {
  /** One more than the largest id, added tokens included: the rows that a model's table needs. */
  vocabularySize: number;
  clsId: number;
  sepId: number;
  padId: number;
  unknownId: number;
  maskId: number;
  /** Tokens that the model takes, special ones included; null when the files do not say. */
  maxTokens: number | null;
  /**
   * The piece or added token that an id stands for.
   *
   * @throws RangeError when there is none.
   */
  pieceOf(id: number): string;
  /** All tokens of a text: nothing is put around them, nothing is cut off. */
  encode(text: string): TokenizedText;
}

/**
 * @param folder Holds tokenizer.json or vocab.txt, and what else says how they are meant.
 * @throws UserError when a file is missing, damaged, or of a kind that is not implemented.
 */
export function openBertTokenizer(folder: string): BertTokenizer {
  return createBertTokenizer(readTokenizerFiles(folder));
}

/** Runs of letters that are remembered with their tokens. */
const cacheSize = 1 << 16;
/** Longer runs are rarely words, and not remembered. */
const longestKept = 64;

/** Tokens of a run: the id where it is one token; otherwise as a `TokenList` holds them, from the run's beginning. */
type RunTokens = number | number[];

/** The tokenizer that checked settings describe. */
export function createBertTokenizer(settings: TokenizerSettings): BertTokenizer {
  const { steps, unknownId } = settings;
  const matcher = createPieceMatcher(settings.vocabulary, settings);
  const { findRaw, findNormalized } = createFinders(settings);
  const kinds = classifyCodeUnits(steps);
  const cache = new WordCache<RunTokens>(cacheSize);
  const found = new TokenList();
  const ids: number[] = [];
  const ends: number[] = [];

  /** Appends the tokens of a word, given as the normalised characters `from` to `to`. */
  const addWord = (list: TokenList, characters: Characters, from: number, to: number): void => {
    const { codes, starts } = characters;
    const add = (id: number, first: number, after: number): void =>
      list.push(id, starts[first], characters.ends[after - 1], list.words);
    const isKnown = to - from <= settings.maxCharacters && matcher.match(textOf(codes, from, to), ids, ends);
    if (!isKnown) add(unknownId, from, to);
    else {
      let first = from;
      let unit = 0;
      for (let piece = 0; piece < ids.length; piece++) {
        let after = first;
        for (; unit < ends[piece]; after++) unit += codes[after] > 0xffff ? 2 : 1;
        add(ids[piece], first, after);
        first = after;
      }
    }
    list.words++;
  };

  const addWords = (list: TokenList, characters: Characters, from: number, to: number): void =>
    eachNormalizedWord(characters.codes, from, to, (start, end) => {
      addWord(list, characters, start, end);
      return true;
    });

  const runTokens = (run: string, kindsSeen: number): RunTokens => {
    const list = new TokenList();
    const word = plainWord(run, kindsSeen);
    if (word === null) {
      const characters = normalize(run, steps);
      addWords(list, characters, 0, characters.codes.length);
    } else {
      if (!matcher.match(word, ids, ends)) return unknownId;
      if (ids.length === 1) return ids[0];
      for (let i = 0; i < ids.length; i++) list.push(ids[i], i === 0 ? 0 : ends[i - 1], ends[i], 0);
    }
    return list.values();
  };

  /** Appends the tokens of a piece of text between added tokens. */
  const addRuns = (text: string, from: number, to: number): void =>
    eachRun(kinds, text, from, to, (start, end, kindsSeen) => {
      const run = text.slice(start, end);
      let tokens = cache.get(run);
      if (tokens === undefined) {
        tokens = runTokens(run, kindsSeen);
        if (run.length <= longestKept) cache.set(run, tokens);
      }
      if (typeof tokens === 'number') found.push(tokens, start, end, found.words++);
      else found.append(tokens, start);
      return true;
    });

  /** The same where added tokens are to be found in the normalised text, which therefore is made as a whole. */
  const addNormalized = (find: TokenFinder, text: string, from: number, to: number): void => {
    const characters = normalize(text.slice(from, to), steps);
    let normalized = '';
    const indexes: number[] = [];
    for (const [i, code] of characters.codes.entries()) {
      normalized += String.fromCodePoint(code);
      while (indexes.length < normalized.length) indexes.push(i);
      characters.starts[i] += from;
      characters.ends[i] += from;
    }
    indexes.push(characters.codes.length);
    find(normalized, (token, start, end) => {
      const [first, after] = [indexes[start], indexes[end]];
      if (token === null) addWords(found, characters, first, after);
      else found.push(token.id, characters.starts[first], characters.ends[after - 1], found.words++);
    });
  };

  const addPiece = (text: string, from: number, to: number): void => {
    if (findNormalized === null) addRuns(text, from, to);
    else addNormalized(findNormalized, text, from, to);
  };

  let pieces: Map<number, string> | null = null;

  return {
    vocabularySize: settings.vocabularySize,
    clsId: settings.clsId,
    sepId: settings.sepId,
    padId: settings.padId,
    unknownId,
    maskId: settings.maskId,
    maxTokens: settings.maxTokens,
    pieceOf(id) {
      pieces ??= piecesById(settings);
      const piece = pieces.get(id);
      if (piece === undefined) throw new RangeError(`bert-tokenizer: no piece has id ${id}.`);
      return piece;
    },
    encode(text) {
      found.clear();
      if (findRaw === null) addPiece(text, 0, text.length);
      else {
        findRaw(text, (token, start, end) => {
          if (token === null) addPiece(text, start, end);
          else found.push(token.id, start, end, found.words++);
        });
      }
      return found.columns();
    },
  };
}

function piecesById({ vocabulary, added }: TokenizerSettings): Map<number, string> {
  const pieces = new Map<number, string>();
  for (const [piece, id] of vocabulary) pieces.set(id, piece);
  for (const { id, content } of added) pieces.set(id, content);
  return pieces;
}

/** One finder for tokens that stand in the text as it is, one for those in the normalised text. */
function createFinders(settings: TokenizerSettings) {
  const raw = settings.added.filter(({ normalized }) => !normalized);
  const normalized = settings.added.filter((token) => token.normalized);
  return {
    findRaw: createTokenFinder(
      raw.map((token) => ({ pattern: token.content, token })),
      settings,
    ),
    findNormalized: createTokenFinder(
      normalized.map((token) => {
        const { codes } = normalize(token.content, settings.steps);
        if (codes.length === 0) {
          throw new UserError(
            `Expected the added token ${JSON.stringify(token.content)} to hold something that normalising keeps. Remove it from the tokenizer's files.`,
          );
        }
        return { pattern: textOf(codes, 0, codes.length), token };
      }),
      settings,
    ),
  };
}

/** Numbers that stand for a token: id, start, end, word. */
const fields = 4;
/** Numbers that stay allocated between texts. */
const mostKept = 1 << 16;

/** Tokens as they are found, one after the other, in memory that is kept for the next text. */
class TokenList {
  /** Number[] [at least tokens × fields]. */
  readonly #values: number[] = [];
  #length = 0;
  /** Words so far. */
  words = 0;

  push(id: number, start: number, end: number, word: number): void {
    const values = this.#values;
    const at = this.#length;
    values[at] = id;
    values[at + 1] = start;
    values[at + 2] = end;
    values[at + 3] = word;
    this.#length = at + fields;
  }

  /** Appends tokens whose places count from `origin`, and whose words from the words so far. */
  append(values: readonly number[], origin: number): void {
    const before = this.words;
    for (let at = 0; at < values.length; at += fields) {
      const word = before + values[at + 3];
      this.push(values[at], origin + values[at + 1], origin + values[at + 2], word);
      this.words = word + 1;
    }
  }

  /** The tokens as they stand here, to be appended elsewhere. */
  values(): number[] {
    return this.#values.slice(0, this.#length);
  }

  /** The tokens, an array for each of their numbers. */
  columns(): TokenizedText {
    const values = this.#values;
    const n = this.#length / fields;
    const ids = new Int32Array(n);
    const starts = new Int32Array(n);
    const ends = new Int32Array(n);
    const words = new Int32Array(n);
    for (let i = 0, at = 0; i < n; i++, at += fields) {
      ids[i] = values[at];
      starts[i] = values[at + 1];
      ends[i] = values[at + 2];
      words[i] = values[at + 3];
    }
    return { ids, starts, ends, words };
  }

  clear(): void {
    this.#length = 0;
    this.words = 0;
    // What one huge text needed is not kept.
    if (this.#values.length > mostKept) this.#values.length = 0;
  }
}
