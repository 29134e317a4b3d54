import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '../../pipeline/errors.ts';
import { openBertTokenizer } from '../../pipeline/model/bert-tokenizer.ts';
import { readTokenizerFiles, type TokenizerSettings } from '../../pipeline/model/tokenizer-files.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tokenizer-files-'));
afterAll(() => rmSync(scratch, { recursive: true }));

type Fields = Record<string, unknown>;

function folderOf(files: Record<string, string | Uint8Array | object>): string {
  const folder = mkdtempSync(join(scratch, 'model-'));
  for (const [name, content] of Object.entries(files)) {
    const isText = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(join(folder, name), isText ? content : JSON.stringify(content));
  }
  return folder;
}

function read(files: Record<string, string | Uint8Array | object>): TokenizerSettings {
  return readTokenizerFiles(folderOf(files));
}

const pieces = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'the', '##s'];
const vocabulary = `${pieces.join('\n')}\n`;

function tokenizerJson(changes: { model?: Fields; file?: Fields } = {}): Fields {
  return {
    added_tokens: [],
    normalizer: { type: 'BertNormalizer', clean_text: true, lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
      ...changes.model,
    },
    ...changes.file,
  };
}

function refusal(files: Record<string, string | Uint8Array | object>): string {
  try {
    openBertTokenizer(folderOf(files));
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as Error).message;
  }
  throw new Error('Expected the folder to be refused.');
}

function refusalOf(changes: { model?: Fields; file?: Fields }): string {
  return refusal({ 'tokenizer.json': tokenizerJson(changes) });
}

describe('a vocabulary', () => {
  it('keeps the longest word that tokenizer.json says, where transformers 5 forgets it', () => {
    const files = { 'tokenizer.json': tokenizerJson({ model: { max_input_chars_per_word: 3 } }) };
    expect(read(files).maxCharacters).toBe(3);
    const tokenizer = openBertTokenizer(folderOf(files));
    expect([...tokenizer.encode('the thes').ids]).toEqual([5, 1]);
  });

  it('is read from a tokenizer.json that names no type, as older ones do', () => {
    const { type: _, ...model } = tokenizerJson().model as Fields;
    expect(read({ 'tokenizer.json': tokenizerJson({ file: { model } }) }).vocabulary.size).toBe(7);
  });

  it('counts the last line where a piece stands twice, and drops white space at the ends of lines', () => {
    const { vocabulary: found, vocabularySize } = read({
      'vocab.txt': `${vocabulary}the\u00a0\n\nend \r\n\u3000x\nlast`,
    });
    expect(Object.fromEntries(found)).toMatchObject({ the: 7, '': 8, end: 9, '\u3000x': 10, last: 11 });
    expect(vocabularySize).toBe(12);
  });

  it('may have gaps between its ids, and counts up to the largest', () => {
    const vocab = { ...Object.fromEntries(pieces.map((piece, id) => [piece, id])), far: 400 };
    expect(read({ 'tokenizer.json': tokenizerJson({ model: { vocab } }) }).vocabularySize).toBe(401);
  });

  it.each([
    ['negative', -1],
    ['fractional', 1.5],
    ['too large', 2 ** 22],
    ['text', '7'],
    ['taken', 5],
    ['missing', null],
  ])('is refused with an id that is %s', (_, id) => {
    const vocab = { ...Object.fromEntries(pieces.map((piece, i) => [piece, i])), odd: id };
    expect(refusalOf({ model: { vocab } })).toContain(
      'model.vocab: expected each piece to have an id of its own',
    );
  });

  it('is refused when it is no object, holds half a surrogate pair or lacks the unknown token', () => {
    expect(refusalOf({ model: { vocab: pieces } })).toContain(
      'expected an object of pieces and ids, got a list',
    );
    expect(refusalOf({ model: { vocab: { '[UNK]': 0, '\ud800': 1 } } })).toContain('half a surrogate pair');
    expect(refusalOf({ model: { unk_token: '<unk>' } })).toContain('"<unk>", which is not in the vocabulary');
  });

  it('is refused when it is empty', () => {
    expect(refusal({ 'vocab.txt': '' })).toContain('vocab.txt: expected a piece a line, the file is empty');
  });

  it('is refused when it is not UTF-8', () => {
    expect(refusal({ 'vocab.txt': Uint8Array.of(0x61, 0xff, 0x0a) })).toContain(
      'vocab.txt: expected text in UTF-8',
    );
    expect(refusal({ 'tokenizer.json': Uint8Array.of(0x7b, 0xff) })).toContain('is not JSON');
  });

  it('is refused when the file is larger than any vocabulary, before it is read', () => {
    const zeros = new Uint8Array(32 * 2 ** 20 + 1);
    expect(refusal({ 'vocab.txt': zeros })).toContain('expected 33554432 bytes at most, got 33554433');
  });
});

describe('other kinds of tokenizers', () => {
  it.each(['BPE', 'Unigram', 'WordLevel'])('are refused by name: %s', (type) => {
    const message = refusalOf({ model: { type } });
    expect(message).toContain(`expected model.type to be "WordPiece", got "${type}"`);
    expect(message).toContain('Supported are WordPiece vocabularies');
  });

  it.each([
    [{ type: 'NFKC' }, '"NFKC"'],
    [{ type: 'Sequence', normalizers: [{ type: 'BertNormalizer' }, { type: 'Replace' }] }, '"Replace"'],
    [{ type: 'Sequence', normalizers: [{ type: 'Sequence' }] }, 'Sequence in a Sequence'],
    [{}, 'nothing'],
  ])('are refused by their normalizer: %j', (normalizer, named) => {
    expect(refusalOf({ file: { normalizer } })).toContain(`normalizer: ${named} is not implemented`);
  });

  it.each([
    [{ type: 'Whitespace' }, '"Whitespace"'],
    [null, 'nothing'],
    [
      { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Digits' }] },
      '"WhitespaceSplit", "Digits"',
    ],
  ])('are refused by their pre-tokenizer: %j', (pre_tokenizer, named) => {
    expect(refusalOf({ file: { pre_tokenizer } })).toContain(`pre_tokenizer: ${named} is not implemented`);
  });

  it('are refused by their class where there is only vocab.txt', () => {
    const files = {
      'vocab.txt': vocabulary,
      'tokenizer_config.json': { tokenizer_class: 'BertJapaneseTokenizer' },
    };
    expect(refusal(files)).toContain('got tokenizer_class "BertJapaneseTokenizer" without tokenizer.json');
  });

  it('are refused where neither file is there, naming what is', () => {
    expect(refusal({ 'spiece.model': '' })).toContain(
      'expected tokenizer.json or vocab.txt, found spiece.model',
    );
    expect(refusal({})).toContain('found nothing');
  });
});

describe('added tokens', () => {
  const token = { id: 7, content: '<e>', special: false, normalized: false };

  it('follow the vocabulary', () => {
    const { added, vocabularySize } = read({
      'tokenizer.json': tokenizerJson({ file: { added_tokens: [token] } }),
    });
    expect(added[0]).toEqual({
      ...{ id: 7, content: '<e>', special: false, normalized: false },
      ...{ singleWord: false, leftStrip: false, rightStrip: false },
    });
    expect(vocabularySize).toBe(8);
  });

  it('are refused under an id that is not theirs', () => {
    const elsewhere = { ...token, id: 9 };
    expect(refusalOf({ file: { added_tokens: [elsewhere] } })).toContain(
      'expected "<e>" to have id 7, as the vocabulary gives it, but it is declared as 9',
    );
    expect(refusalOf({ file: { added_tokens: [{ ...token, content: 'the' }] } })).toContain('to have id 5');
    expect(refusalOf({ file: { added_tokens: [{ ...token, id: -1 }] } })).toContain('to be a whole number');
  });

  it('are refused when their content is no text, too long, or nothing after normalising', () => {
    expect(refusalOf({ file: { added_tokens: [{ ...token, content: 7 }] } })).toContain('content to be text');
    expect(refusalOf({ file: { added_tokens: [{ ...token, content: 'x'.repeat(1_001) }] } })).toContain(
      '1000',
    );
    expect(
      refusalOf({ file: { added_tokens: [{ ...token, content: '\u200b', normalized: true }] } }),
    ).toContain('something that normalising keeps');
    expect(refusalOf({ file: { added_tokens: [{ ...token, lstrip: 'yes' }] } })).toContain(
      'expected lstrip to be true or false, got "yes"',
    );
  });

  it('are refused in numbers beyond any use', () => {
    const many = Array.from({ length: 10_001 }, (_, i) => ({ ...token, id: 7 + i, content: `<${i}>` }));
    expect(refusalOf({ file: { added_tokens: many } })).toContain('expected 10000 added tokens at most');
  });
});

describe('tokenizer_config.json', () => {
  it('gives the tokens that the model takes; a number beyond reason is no limit', () => {
    const maxTokens = (model_max_length: unknown) =>
      read({ 'vocab.txt': vocabulary, 'tokenizer_config.json': { model_max_length } }).maxTokens;
    expect(maxTokens(512)).toBe(512);
    expect(maxTokens(1e30)).toBeNull();
    expect(maxTokens(undefined)).toBeNull();
    expect(() => maxTokens('512')).toThrow('expected model_max_length to be a number from 1 up, got "512"');
    expect(() => maxTokens(0)).toThrow(UserError);
  });

  it('is refused when a setting has another type or the file is no object', () => {
    const config = (value: object) => refusal({ 'vocab.txt': vocabulary, 'tokenizer_config.json': value });
    expect(config({ do_lower_case: 'no' })).toContain('expected do_lower_case to be true or false, got "no"');
    expect(config([])).toContain('tokenizer_config.json: expected an object, got a list');
    expect(config({ cls_token: 5 })).toContain('cls_token: expected an object, got 5');
  });

  it('must name the special tokens where the class is not one of BERT', () => {
    const model = { vocab: { '[UNK]': 0, '<s>': 1 } };
    const files = {
      'tokenizer.json': tokenizerJson({ model }),
      'tokenizer_config.json': { tokenizer_class: 'PreTrainedTokenizerFast' },
    };
    expect(refusal(files)).toContain('expected a cls_token, found none named');
  });
});

describe('damaged files', () => {
  const odd = [
    null,
    true,
    -1,
    1e308,
    '',
    '\ud800',
    'x'.repeat(2_000),
    [],
    {},
    [[]],
    { type: 'Sequence' },
    [null],
  ];

  /** Every place of a value, one after the other, with each odd value put there. */
  function* damaged(value: unknown): Generator<unknown> {
    yield* odd;
    if (typeof value !== 'object' || value === null) return;
    for (const [key, part] of Object.entries(value)) {
      for (const replaced of damaged(part)) {
        yield Array.isArray(value) ? value.with(Number(key), replaced) : { ...value, [key]: replaced };
      }
      if (!Array.isArray(value)) {
        const { [key]: _, ...rest } = value as Fields;
        yield rest;
      }
    }
  }

  it('are opened or refused as something the user can mend, never anything else', () => {
    const tokens = [{ id: 7, content: '<e>', special: true, normalized: true, lstrip: true, rstrip: true }];
    const tokenizer = tokenizerJson({ file: { added_tokens: tokens } });
    const config = {
      ...{
        tokenizer_class: 'BertTokenizer',
        do_lower_case: true,
        strip_accents: null,
        model_max_length: 512,
      },
      ...{ cls_token: { content: '[CLS]', lstrip: false }, mask_token: '[MASK]' },
      ...{ added_tokens_decoder: { 7: tokens[0] }, additional_special_tokens: ['<e>'] },
    };
    const others = {
      'config.json': { model_type: 'bert' },
      'special_tokens_map.json': { pad_token: '[PAD]' },
    };
    const folder = folderOf(others);
    let opened = 0;
    let refused = 0;
    const open = (file: string, content: unknown): void => {
      writeFileSync(join(folder, file), JSON.stringify(content));
      try {
        openBertTokenizer(folder).encode('The <e> É\u0301 [SEP] \ud800');
        opened++;
      } catch (error) {
        expect(error, JSON.stringify(content).slice(0, 300)).toBeInstanceOf(UserError);
        refused++;
      }
    };
    open('tokenizer_config.json', config);
    for (const content of damaged(tokenizer)) open('tokenizer.json', content);
    open('tokenizer.json', tokenizer);
    for (const content of damaged(config)) open('tokenizer_config.json', content);
    expect(opened).toBeGreaterThan(50);
    expect(refused).toBeGreaterThan(200);
  });
});
