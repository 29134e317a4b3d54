import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../pipeline/errors.ts';
import {
  createWordPiece,
  eachWord,
  formatTokenizer,
  maxWordLength,
  parseTokenizer,
} from '../../pipeline/model/word-piece.ts';

const vocabulary = [
  '[PAD]',
  '[UNK]',
  'un',
  '##aff',
  '##able',
  'aff',
  'the',
  '##s',
  ',',
  'é',
  'e',
  '##e',
  '中',
];
const wordPiece = createWordPiece(vocabulary);

function piecesOf(text: string): string[] {
  return [...wordPiece.encode(text)].map((id) => vocabulary[id]);
}

function wordsOf(text: string): string[] {
  const words: string[] = [];
  eachWord(text, (word) => {
    words.push(word);
    return true;
  });
  return words;
}

describe('words', () => {
  it('are cut at spaces and at every punctuation mark, which is a word itself', () => {
    expect(wordsOf("Don't  stop-at\tU.S.\n")).toEqual([
      'don',
      "'",
      't',
      'stop',
      '-',
      'at',
      'u',
      '.',
      's',
      '.',
    ]);
    expect(wordsOf('a_b $x^2$')).toEqual(['a', '_', 'b', '$', 'x', '^', '2', '$']);
  });

  it('are lower case and without accents, in composed and decomposed text alike', () => {
    expect(wordsOf('Éclair NAÏVE')).toEqual(['eclair', 'naive']);
    expect(wordsOf('E\u0301clair')).toEqual(['eclair']);
    expect(wordsOf('İstanbul')).toEqual(['istanbul']);
  });

  it('keep a sigma at the end of a word a plain sigma', () => {
    expect(wordsOf('ΟΔΟΣ')).toEqual(['οδοσ']);
  });

  it('set each ideograph apart and leave kana and Cyrillic in words', () => {
    expect(wordsOf('中文 カナ мир')).toEqual(['中', '文', 'カナ', 'мир']);
    expect(wordsOf('𠀋x')).toEqual(['𠀋', 'x']);
  });

  it('set dashes and quotation marks beyond ASCII apart, and leave symbols in words', () => {
    expect(wordsOf('a–b “c”')).toEqual(['a', '–', 'b', '“', 'c', '”']);
    expect(wordsOf('5°c')).toEqual(['5°c']);
  });

  it('lose control characters, zero-width characters and halves of surrogate pairs', () => {
    expect(wordsOf('ab\u0000cd e\u0007f')).toEqual(['abcd', 'ef']);
    expect(wordsOf('x a\u0000')).toEqual(['x', 'a']);
    expect(wordsOf('zero\u200bwidth \ufffd')).toEqual(['zerowidth']);
    expect(wordsOf('a\ud800b \udc00')).toEqual(['ab']);
    expect(wordsOf('a\u00a0b\u2028c')).toEqual(['a', 'b', 'c']);
  });

  it('stop when the visitor has enough', () => {
    const words: string[] = [];
    eachWord('one two three', (word) => words.push(word) < 2);
    expect(words).toEqual(['one', 'two']);
  });
});

describe('WordPiece', () => {
  it('takes the longest piece first', () => {
    expect(piecesOf('unaffable')).toEqual(['un', '##aff', '##able']);
    expect(piecesOf('The affs')).toEqual(['the', 'aff', '##s']);
  });

  it('makes a word unknown as a whole when one piece of it is missing', () => {
    expect(piecesOf('unaffx, the')).toEqual(['[UNK]', ',', 'the']);
    expect(piecesOf('xyz')).toEqual(['[UNK]']);
  });

  it(`makes words of more than ${maxWordLength} characters unknown`, () => {
    expect(piecesOf('e'.repeat(maxWordLength))).toHaveLength(maxWordLength);
    expect(piecesOf('e'.repeat(maxWordLength + 1))).toEqual(['[UNK]']);
  });

  it('gives the same ids for a word seen before', () => {
    expect(piecesOf('unaffable unaffable')).toEqual([...piecesOf('unaffable'), ...piecesOf('unaffable')]);
  });

  it('gives nothing for empty and blank texts', () => {
    expect(piecesOf('')).toEqual([]);
    expect(piecesOf(' \n\t')).toEqual([]);
  });

  it('cuts a text where the array is full', () => {
    const ids = new Int32Array(4);
    expect(wordPiece.encodeInto('the the the unaffable', ids, 1)).toBe(4);
    expect([...ids]).toEqual([0, 6, 6, 6]);
    expect(wordPiece.encodeInto('the', ids, 4)).toBe(4);
  });

  it('encodes a megabyte of text, of spaces and of one word', () => {
    expect(wordPiece.encode('the '.repeat(250_000))).toHaveLength(250_000);
    expect(wordPiece.encode(' '.repeat(1_000_000))).toHaveLength(0);
    expect([...wordPiece.encode('e'.repeat(1_000_000))]).toEqual([1]);
    expect(wordPiece.encode(','.repeat(1_000_000))).toHaveLength(1_000_000);
  });

  it('refuses a vocabulary without [UNK] or with a piece twice', () => {
    expect(() => createWordPiece(['a'])).toThrow('lacks [UNK]');
    expect(() => createWordPiece(['[UNK]', 'a', 'a'])).toThrow('"a" stands in the vocabulary twice');
  });
});

describe('tokenizer.json', () => {
  it('comes back as it was written', () => {
    expect(parseTokenizer(formatTokenizer(vocabulary, 512), 'here')).toEqual(vocabulary);
  });

  it('keeps a piece that looks like a number in its place', () => {
    const numbers = ['[PAD]', '[UNK]', 'b', '7', '2019', 'a'];
    expect(parseTokenizer(formatTokenizer(numbers, 8), 'here')).toEqual(numbers);
  });

  it('is refused when it is of another kind, naming the field', () => {
    const file = JSON.parse(formatTokenizer(vocabulary, 512));
    file.normalizer.lowercase = false;
    expect(() => parseTokenizer(JSON.stringify(file), 'm/tokenizer.json')).toThrow(
      'm/tokenizer.json: expected normalizer.lowercase to be true, got false.',
    );
    expect(() => parseTokenizer('{', 'm')).toThrow(UserError);
    file.normalizer.lowercase = true;
    file.model.vocab.the = 400;
    expect(() => parseTokenizer(JSON.stringify(file), 'm')).toThrow('have gaps');
    file.model.vocab.the = 2;
    expect(() => parseTokenizer(JSON.stringify(file), 'm')).toThrow('an id of its own');
  });
});

const bert = new URL('../../../shared/data/tokenizers/bert_base_uncased.tokenizer.json', import.meta.url);

describe.skipIf(!existsSync(bert))("BERT's own tokenizer.json (../shared/data)", () => {
  it('gives the ids that BERT is known for', () => {
    const pieces = parseTokenizer(readFileSync(bert, 'utf8'), 'bert');
    const tokenizer = createWordPiece(pieces);
    const decode = (text: string) => [...tokenizer.encode(text)].map((id) => pieces[id]);
    // As in the README of google-research/bert.
    expect(decode("John Johanson's house")).toEqual(['john', 'johan', '##son', "'", 's', 'house']);
    expect([...tokenizer.encode('hello world')]).toEqual([7592, 2088]);
    expect(decode('unaffable')).toEqual(['una', '##ffa', '##ble']);
  });
});
