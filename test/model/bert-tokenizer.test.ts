import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createGunzip, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type BertNormalizerSettings,
  bertSteps,
  type NormalizerStep,
} from '../../pipeline/model/bert-normalizer.ts';
import {
  type BertTokenizer,
  createBertTokenizer,
  openBertTokenizer,
  type TokenizedText,
} from '../../pipeline/model/bert-tokenizer.ts';
import { createWordPiece } from '../../pipeline/model/word-piece.ts';

/** ids; starts from the last end; lengths; words from the last word. */
type Packed = [number[], number[], number[], number[]];
type Files = Record<string, unknown>;

interface Fixture {
  tokenizers: string;
  transformers: string;
  texts: string[];
  long: [string, number][];
  own: { name: string; files: Files; expected: Packed[]; hashes: string[]; long: string[] }[];
  folders: {
    name: string;
    files: Files;
    special: number[];
    maxTokens: number | null;
    text: string;
    expected: Packed;
  }[];
  characters: Record<'lower' | 'accents' | 'sequence', string[]>;
  real: [string, number][];
  shared: {
    name: string;
    source: string;
    file: string;
    texts: string[];
    long: string[];
    real: (Packed | string)[];
  }[];
}

const fixture: Fixture = JSON.parse(
  gunzipSync(readFileSync(new URL('fixtures/bert-tokenizer.json.gz', import.meta.url))).toString('utf8'),
);
const longTexts = fixture.long.map(([what, times]) => what.repeat(times));
const shared = fileURLToPath(new URL('../../../shared', import.meta.url));

const scratch = mkdtempSync(join(tmpdir(), 'bert-tokenizer-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function openFiles(files: Files): BertTokenizer {
  const folder = mkdtempSync(join(scratch, 'model-'));
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return openBertTokenizer(folder);
}

const small = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  'the',
  'model',
  '##s',
  'e',
  'i',
  'a',
  '##b',
  '…',
];
function openSmall(config: Files = {}, pieces: readonly string[] = small): BertTokenizer {
  return openFiles({ 'vocab.txt': `${pieces.join('\n')}\n`, 'tokenizer_config.json': config });
}

function pack({ ids, starts, ends, words }: TokenizedText): Packed {
  return [
    [...ids],
    Array.from(starts, (start, i) => start - (i === 0 ? 0 : ends[i - 1])),
    Array.from(ends, (end, i) => end - starts[i]),
    Array.from(words, (word, i) => word - (i === 0 ? 0 : words[i - 1])),
  ];
}

function hashOf(...found: TokenizedText[]): string {
  const hash = createHash('sha256');
  for (const { ids, starts, ends, words } of found) {
    for (const numbers of [ids, starts, ends, words]) hash.update(numbers);
  }
  return hash.digest('hex').slice(0, 16);
}

/** Pieces, and the text that each stands for. */
function show(tokenizer: BertTokenizer, text: string): [string, string][] {
  const { ids, starts, ends } = tokenizer.encode(text);
  return Array.from(ids, (id, i) => [tokenizer.pieceOf(id), text.slice(starts[i], ends[i])]);
}

describe(`tokenizers ${fixture.tokenizers}, transformers ${fixture.transformers}`, () => {
  it.each(fixture.own)('gives the same ids, places and words: $name', ({ files, expected, hashes, long }) => {
    const tokenizer = openFiles(files);
    for (const [i, text] of fixture.texts.entries()) {
      const found = tokenizer.encode(text);
      if (i < expected.length) expect(pack(found), JSON.stringify(text)).toEqual(expected[i]);
      else expect(hashOf(found), JSON.stringify(text)).toBe(hashes[i - expected.length]);
    }
    for (const [i, text] of longTexts.entries()) {
      expect(hashOf(tokenizer.encode(text)), `long text ${i}`).toBe(long[i]);
    }
  });

  it.each(fixture.folders)(
    'reads a folder the same: $name',
    ({ files, special, maxTokens, text, expected }) => {
      const tokenizer = openFiles(files);
      const { unknownId, clsId, sepId, padId, maskId } = tokenizer;
      expect([unknownId, clsId, sepId, padId, maskId]).toEqual(special);
      expect(tokenizer.maxTokens).toBe(maxTokens);
      expect(pack(tokenizer.encode(text))).toEqual(expected);
    },
  );

  it('makes the same of every character, alone and between letters', () => {
    const vocabulary = new Map(
      ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].map((piece, id) => [piece, id]),
    );
    for (const [first, after] of [
      [0x21, 0xd800],
      [0xe000, 0x20000],
      [0x2f800, 0x2fa20],
    ]) {
      for (let code = first; code < after; code++) {
        const character = String.fromCodePoint(code);
        vocabulary.set(character, vocabulary.size);
        vocabulary.set(`##${character}`, vocabulary.size);
      }
    }
    const bert = (settings: Partial<BertNormalizerSettings>): NormalizerStep[] =>
      bertSteps({ cleanText: true, handleChinese: true, stripAccents: null, lowercase: true, ...settings });
    const steps = {
      lower: bert({}),
      accents: bert({ stripAccents: false }),
      sequence: ['decompose', 'lowercase', 'strip-marks'] as NormalizerStep[],
    };
    const size = 0x110000 / fixture.characters.lower.length;
    for (const [name, hashes] of Object.entries(fixture.characters)) {
      const tokenizer = createBertTokenizer({
        ...{ vocabulary, prefix: '##', maxCharacters: 100, steps: steps[name as keyof typeof steps] },
        ...{ added: [], splitSpecialTokens: false, vocabularySize: vocabulary.size, maxTokens: null },
        ...{ unknownId: 1, clsId: 2, sepId: 3, padId: 0, maskId: 4 },
      });
      for (const [block, hash] of hashes.entries()) {
        // Planes 4 to 13 are empty, 15 and 16 private: their first and last blocks speak for them.
        const plane = Math.floor((block * size) / 0x10000);
        const isBorder = (block * size) % 0x10000 === 0 || ((block + 1) * size) % 0x10000 === 0;
        if (plane >= 4 && plane !== 14 && !isBorder) continue;
        const found: TokenizedText[] = [];
        for (let begin = block * size; begin < (block + 1) * size; begin += 256) {
          let text = '';
          for (let code = begin; code < begin + 256; code++) {
            if (code >= 0xd800 && code <= 0xdfff) continue;
            const character = String.fromCodePoint(code);
            text += `${character} a${character}b\n`;
          }
          found.push(tokenizer.encode(text));
        }
        expect(hashOf(...found), `${name}, from ${(block * size).toString(16)}`).toBe(hash);
      }
    }
  });
});

const corpora = join(shared, 'data', 'corpora');

describe.skipIf(!existsSync(corpora))("the hub's own vocabularies and real papers (../shared/data)", () => {
  const real: string[] = [];
  beforeAll(async () => {
    for (const file of new Set(fixture.real.map(([name]) => name))) {
      const wanted = new Set(fixture.real.filter(([name]) => name === file).map(([, line]) => line));
      const lines = createInterface({
        input: createReadStream(join(corpora, file)).pipe(createGunzip()),
        crlfDelay: Infinity,
      });
      let number = 0;
      for await (const line of lines) {
        if (wanted.delete(number++)) {
          const { title, abstract } = JSON.parse(line) as { title?: string; abstract?: string };
          real.push(`${title ?? ''}[SEP]${abstract ?? ''}`);
        }
        if (wanted.size === 0) break;
      }
    }
  });

  it.each(fixture.shared)('give the same ids, places and words: $name', ({ source, file, ...expected }) => {
    const folder = mkdtempSync(join(scratch, 'shared-'));
    writeFileSync(join(folder, file), readFileSync(join(shared, 'data', 'tokenizers', source)));
    writeFileSync(join(folder, 'config.json'), '{"model_type": "bert"}');
    const tokenizer = openBertTokenizer(folder);
    expect(real).toHaveLength(fixture.real.length);
    for (const [i, text] of real.entries()) {
      const [name, line] = fixture.real[i];
      const found = tokenizer.encode(text);
      const wanted = expected.real[i];
      if (typeof wanted === 'string') expect(hashOf(found), `${name}, line ${line}`).toBe(wanted);
      else expect(pack(found), `${name}, line ${line}`).toEqual(wanted);
    }
    for (const [i, text] of fixture.texts.entries()) {
      expect(hashOf(tokenizer.encode(text)), JSON.stringify(text)).toBe(expected.texts[i]);
    }
    for (const [i, text] of longTexts.entries()) {
      expect(hashOf(tokenizer.encode(text)), `long text ${i}`).toBe(expected.long[i]);
    }
  });
});

const nerTiny = join(shared, 'fixtures', 'ner-tiny');

describe.skipIf(!existsSync(nerTiny))('the checkpoint of ../shared/fixtures/ner-tiny', () => {
  interface Case {
    text: string;
    ids: number[];
    tokens: string[];
    offsets: [number, number][];
    word_ids: (number | null)[];
  }

  it('is tokenized as transformers 4.57 did, special tokens and truncation aside', () => {
    const { cases } = JSON.parse(readFileSync(join(nerTiny, 'expected.json'), 'utf8')) as { cases: Case[] };
    const tokenizer = openBertTokenizer(nerTiny);
    expect(tokenizer.maxTokens).toBe(64);
    expect(cases.length).toBeGreaterThan(3);
    for (const { text, ids, tokens, offsets, word_ids } of cases) {
      const n = ids.length - 2;
      const found = tokenizer.encode(text);
      expect([tokenizer.clsId, ...found.ids.slice(0, n), tokenizer.sepId]).toEqual(ids);
      expect(Array.from(found.ids.slice(0, n), (id) => tokenizer.pieceOf(id))).toEqual(tokens.slice(1, -1));
      // These texts have no characters of two code units, so places are the same.
      const places = Array.from(found.starts.slice(0, n), (start, i) => [start, found.ends[i]]);
      expect(places).toEqual(offsets.slice(1, -1));
      expect([...found.words.slice(0, n)]).toEqual(word_ids.slice(1, -1));
    }
  });
});

const specterTiny = join(shared, 'fixtures', 'specter2-tiny');

describe.skipIf(!existsSync(specterTiny))('the checkpoint of ../shared/fixtures/specter2-tiny', () => {
  it('is tokenized as transformers 4.57 did', () => {
    const { texts } = JSON.parse(readFileSync(join(specterTiny, 'expected.json'), 'utf8')) as {
      texts: { text: string; ids: number[] }[];
    };
    const tokenizer = openBertTokenizer(join(specterTiny, 'base'));
    expect(texts.length).toBeGreaterThan(3);
    for (const { text, ids } of texts) {
      const found = [...tokenizer.encode(text).ids].slice(0, ids.length - 2);
      expect([tokenizer.clsId, ...found, tokenizer.sepId]).toEqual(ids);
    }
  });
});

it('gives the ids of the tokenizer without places (word-piece.ts)', () => {
  const { files } = fixture.own[0];
  const pieces = String(files['vocab.txt']).trimEnd().split('\n');
  const wordPiece = createWordPiece(pieces);
  const tokenizer = openFiles(files);
  for (const text of fixture.texts) {
    // That one knows no special tokens.
    const plain = text.replaceAll('[', '(');
    expect([...wordPiece.encode(plain)], JSON.stringify(plain)).toEqual([...tokenizer.encode(plain).ids]);
  }
});

describe('places', () => {
  it('are those of the text as it was given, whatever normalising takes out or puts in', () => {
    const tokenizer = openSmall();
    expect(show(tokenizer, '\u200bÉ  The\u00adE\u0301  Models…')).toEqual([
      ['e', 'É'],
      ['[UNK]', 'The\u00adE'],
      ['model', 'Model'],
      ['##s', 's'],
      ['…', '…'],
    ]);
  });

  it('count a character beyond the basic plane as two', () => {
    const { starts, ends } = openSmall().encode('😀 a😀');
    expect([...starts]).toEqual([0, 3]);
    expect([...ends]).toEqual([2, 6]);
  });

  it('are in order, inside the text, and never empty', () => {
    for (const { files } of fixture.own.filter(({ name }) => !name.startsWith('added'))) {
      const tokenizer = openFiles(files);
      for (const text of fixture.texts) {
        const { starts, ends, words } = tokenizer.encode(text);
        for (let i = 0; i < starts.length; i++) {
          expect(starts[i]).toBeGreaterThanOrEqual(i === 0 ? 0 : starts[i - 1]);
          expect(ends[i]).toBeGreaterThan(starts[i]);
          expect(ends[i]).toBeLessThanOrEqual(text.length);
          expect(words[i] - (i === 0 ? 0 : words[i - 1])).toBeOneOf(i === 0 ? [0] : [0, 1]);
        }
      }
    }
  });
});

describe('half a surrogate pair', () => {
  it.each(['\ud800', '\udc00', '\ude00\ud83d', '\ud83d\ud83d'])('is treated as U+FFFD is: %j', (half) => {
    for (const { files } of fixture.own) {
      const tokenizer = openFiles(files);
      for (const text of [half, `a${half}b`, ` ${half} é${half}\u0301 `, `[SEP]${half}É`, `w${half}<x>`]) {
        const whole = text.replace(/\p{Surrogate}/gu, '\ufffd');
        expect(pack(tokenizer.encode(text)), JSON.stringify(text)).toEqual(pack(tokenizer.encode(whole)));
      }
    }
  });
});

describe('encode', () => {
  it('gives the same for a text seen before, and after others', () => {
    for (const { files } of fixture.own) {
      const [first, second] = [openFiles(files), openFiles(files)];
      const before = fixture.texts.map((text) => hashOf(first.encode(text)));
      const after = fixture.texts.map((text) => hashOf(first.encode(text)));
      const backwards = fixture.texts.toReversed().map((text) => hashOf(second.encode(text)));
      expect(after).toEqual(before);
      expect(backwards.toReversed()).toEqual(before);
    }
  });

  it('gives nothing for texts without a word', () => {
    for (const text of ['', ' \n\t', '\u200b\u0000\ud800']) {
      expect(openSmall().encode(text).ids).toHaveLength(0);
    }
  });

  it('takes a megabyte of one word, of marks and of special tokens', () => {
    const tokenizer = openSmall({ do_lower_case: false, strip_accents: true });
    expect([...tokenizer.encode('a'.repeat(1_000_000)).ids]).toEqual([tokenizer.unknownId]);
    expect(tokenizer.encode('\u0301\u0334'.repeat(500_000)).ids).toHaveLength(0);
    expect(tokenizer.encode('[SEP]'.repeat(200_000)).ids).toHaveLength(200_000);
  });
});

describe('pieces named like properties of all objects', () => {
  it('are ordinary pieces', () => {
    const pieces = [...small, '__proto__', 'constructor', 'tostring', '_', '##proto'];
    const tokenizer = openSmall({}, pieces);
    expect(show(tokenizer, 'constructor toString hasOwnProperty')).toEqual([
      ['constructor', 'constructor'],
      ['tostring', 'toString'],
      ['[UNK]', 'hasOwnProperty'],
    ]);
    const ids = JSON.parse(`{${pieces.map((piece, id) => `${JSON.stringify(piece)}:${id}`).join(',')}}`);
    expect(Object.hasOwn(ids, '__proto__')).toBe(true);
    const model = { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##' };
    const content = JSON.stringify({
      added_tokens: [{ id: small.length, content: '__proto__', special: false, normalized: false }],
      normalizer: { type: 'BertNormalizer' },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      model: { ...model, max_input_chars_per_word: 100, vocab: 'VOCAB' },
    }).replace('"VOCAB"', JSON.stringify(ids));
    const fromJson = openFiles({ 'tokenizer.json': content });
    expect(show(fromJson, 'constructor __proto__')).toEqual([
      ['constructor', 'constructor'],
      ['__proto__', '__proto__'],
    ]);
    expect(fromJson.vocabularySize).toBe(pieces.length);
  });
});

it('tells the piece of an id, and refuses an id that none has', () => {
  const tokenizer = openSmall();
  expect(tokenizer.pieceOf(6)).toBe('model');
  expect(() => tokenizer.pieceOf(small.length)).toThrow(RangeError);
});
