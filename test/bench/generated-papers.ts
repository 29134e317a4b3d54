/**
 * Papers in a language that does not exist: words of made-up syllables with the frequencies and lengths of real
 * text, over a WordPiece vocabulary of any size. For measuring models without downloading one, or any text.
 */

import { createRandom, type Random } from '../../pipeline/math/random.ts';
import type { BertTokenizer } from '../../pipeline/model/bert-tokenizer.ts';
import type { EncoderDocument } from '../../pipeline/model/document-encoder.ts';

export interface Language {
  /** Of the tokenizer, in order of ids. */
  pieces: string[];
  /** Pieces that are words, the most frequent first. */
  words: string[];
  /** Words that are cut into pieces, likewise. */
  longWords: string[];
}

/** Their ids are their places here. */
export const specialPieces = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

const letters = [...'abcdefghijklmnopqrstuvwxyz0123456789'];
const marks = [...'.,;:()-%/'];
const onsets = [
  'b',
  'c',
  'ch',
  'd',
  'f',
  'g',
  'gr',
  'h',
  'l',
  'm',
  'n',
  'p',
  'pr',
  'r',
  's',
  'sh',
  'st',
  't',
];
const vowels = ['a', 'e', 'i', 'o', 'u'];
const codas = ['', 'l', 'n', 'r', 's', 't'];

/** Of the pieces that are neither special nor single characters, those that are whole words; about BERT's own. */
const wholeShare = 0.75;
/** Of the words in a text, those that are cut into pieces: 1.4 pieces a word with punctuation, as in abstracts. */
const longShare = 0.2;
/** How many of these there are. */
const longWordCount = 100_000;

/** @param size Pieces of the vocabulary, at least 1,000. */
export function createLanguage(size: number): Language {
  const fixed = [...specialPieces, ...letters, ...marks, ...letters.map((letter) => `##${letter}`)];
  const wholeCount = Math.floor((size - fixed.length) * wholeShare);
  const random = createRandom(size, 0x6c616e67);
  const words = distinctWords(wholeCount, [2, 3, 3, 4], random);
  const endings = distinctWords(size - fixed.length - wholeCount, [1, 2, 2, 3], random);
  const longWords = Array.from(
    { length: longWordCount },
    () => words[random.nextBelow(words.length)] + endings[random.nextBelow(endings.length)],
  );
  return { pieces: [...fixed, ...words, ...endings.map((ending) => `##${ending}`)], words, longWords };
}

/** @param syllables Numbers of syllables, one of which is drawn for each word. */
function distinctWords(count: number, syllables: readonly number[], random: Random): string[] {
  const oneOf = <T>(list: readonly T[]): T => list[random.nextBelow(list.length)];
  const words = new Set<string>();
  while (words.size < count) {
    const parts = Array.from(
      { length: oneOf(syllables) },
      () => oneOf(onsets) + oneOf(vowels) + oneOf(codas),
    );
    words.add(parts.join(''));
  }
  return [...words];
}

/** Words as they follow each other in a text, with capitals and punctuation; without end. */
export function* wordsOfText({ words, longWords }: Language, random: Random): Generator<string> {
  for (;;) {
    const length = 10 + random.nextBelow(18);
    for (let i = 0; i < length; i++) {
      const word = drawn(random.nextFloat() < longShare ? longWords : words, random);
      const begun = i === 0 ? word[0].toUpperCase() + word.slice(1) : word;
      const mark = i === length - 1 ? '.' : random.nextFloat() < 0.08 ? ',' : '';
      yield random.nextFloat() < 0.02 ? `(${begun})${mark}` : begun + mark;
    }
  }
}

/** As many as a bench wants, the same for equal vocabulary and seed. */
export function papersOfAllLengths(
  { vocabulary, seed }: { vocabulary: number; seed: number },
  n: number,
): EncoderDocument[] {
  const language = createLanguage(vocabulary);
  const random = createRandom(seed, 0x706170);
  return Array.from({ length: n }, () => paperOfAnyLength(language, random));
}

/** An abstract of 80 words as a median, from less than a sentence to more than 512 tokens, and a title. */
export function paperOfAnyLength(language: Language, random: Random): EncoderDocument {
  const words = Math.max(4, Math.min(480, Math.round(80 * Math.exp(0.8 * random.nextNormal()))));
  const text = wordsOfText(language, random);
  const take = (count: number): string => Array.from({ length: count }, () => text.next().value).join(' ');
  return { title: take(Math.ceil(words / 12)), abstract: take(words) };
}

/** @param tokens Of the whole document, [CLS] and two [SEP] included; at least 8. */
export function paperOfTokens(
  language: Language,
  tokenizer: BertTokenizer,
  tokens: number,
  random: Random,
): EncoderDocument {
  const text = wordsOfText(language, random);
  const take = (count: number): string => {
    const taken: string[] = [];
    for (let left = count; left > 0; ) {
      const next: string = text.next().value;
      const size = tokenizer.encode(next).ids.length;
      // The most frequent word is one token, and fills what a longer one would overstep.
      taken.push(size <= left ? next : language.words[0]);
      left -= size <= left ? size : 1;
    }
    return taken.join(' ');
  };
  const title = Math.min(16, Math.ceil((tokens - 3) / 4));
  return { title: take(title), abstract: take(tokens - 3 - title) };
}

/** Spread as 1 / rank. */
function drawn(ranked: readonly string[], random: Random): string {
  const rank = Math.floor((ranked.length + 1) ** random.nextFloat()) - 1;
  return ranked[Math.min(rank, ranked.length - 1)];
}
