import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { convertCheckpoint } from '../../pipeline/checkpoint/convert.ts';
import { UserError } from '../../pipeline/errors.ts';
import { type Aggregation, aggregations } from '../../pipeline/model/aggregation.ts';
import { GraphBuilder } from '../../pipeline/model/onnx.ts';
import { openTagger, type Tagger } from '../../pipeline/model/tagger.ts';
import { writeLookupTagger, writeModel } from './lookup-model.ts';

const scratch = mkdtempSync(join(tmpdir(), 'scinertopic-bert-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** What test/oracle/token-classification.py writes. */
interface Fixture {
  transformers: string;
  vocabulary: string[];
  models: {
    name: string;
    lower_case: boolean;
    labels: string[];
    types: string[];
    scale: number;
    step: number;
    seed: number;
    texts: string[];
    sentences: string[][];
    expected: Record<Aggregation, number[][]>;
    expected_in_sentences: Record<Exclude<Aggregation, 'simple'>, number[][]>;
  }[];
  ner_tiny: { types: string[]; texts: string[]; expected: Record<Aggregation, number[][]> };
}

const fixture: Fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, 'fixtures', 'token-classification.json'), 'utf8'),
);

/** A number in −1 to 1, drawn as the oracle draws it. */
function share(seed: number, index: number, label: number): number {
  let x = (Math.imul(seed, 0x9e3779b1) + Math.imul(index, 0x85ebca6b) + Math.imul(label, 0xc2b2ae35)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d) >>> 0;
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b) >>> 0;
  x = (x ^ (x >>> 16)) >>> 0;
  return (x >>> 8) / 2 ** 23 - 1;
}

/** Python rounds halves to even. */
function rounded(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function logitOf({ seed, scale, step }: Fixture['models'][number]) {
  return (id: number, label: number): number => {
    const value = share(seed, id, label) * scale;
    return step === 0 ? value : rounded(value / step) * step;
  };
}

/** Entities as the fixture lists them; scores as far as single precision agrees from machine to machine. */
const flat = (
  entities: readonly { type: string; start: number; end: number; score: number }[],
  types: readonly string[],
) =>
  entities.flatMap(({ type, start, end, score }) => [
    types.indexOf(type),
    start,
    end,
    expect.closeTo(score, 5),
  ]);

describe.each(fixture.models)(`transformers ${fixture.transformers} on labels in $name`, (model) => {
  const folder = writeLookupTagger(join(scratch, model.name), {
    vocabulary: fixture.vocabulary,
    lowerCase: model.lower_case,
    labels: model.labels,
    logit: logitOf(model),
  });
  it.each(aggregations)('finds the same entities by %s', async (aggregation) => {
    const tagger = await openTagger(folder, { aggregation });
    for (const [i, text] of model.texts.entries()) {
      const found = await tagger.tagText(text);
      expect(model.expected[aggregation][i], JSON.stringify(text)).toEqual(flat(found, tagger.types));
      for (const { start, end, text: own } of found) expect(text.slice(start, end)).toBe(own);
    }
    await tagger.close();
  });

  it.each(['first', 'average', 'max'] as const)(
    'finds the same in sentences of words by %s',
    async (aggregation) => {
      const tagger = await openTagger(folder, { aggregation });
      const tagged = await tagger.tag(model.sentences);
      for (const [i, words] of model.sentences.entries()) {
        const starts = words.map((_, at) => words.slice(0, at).join(' ').length + (at > 0 ? 1 : 0));
        const found = tagged[i].spans.map((span) => ({
          ...span,
          start: starts[span.start],
          end: starts[span.end - 1] + words[span.end - 1].length,
        }));
        expect(model.expected_in_sentences[aggregation][i]).toEqual(flat(found, tagger.types));
      }
      await tagger.close();
    },
  );
});

const tiny = join(import.meta.dirname, '..', '..', '..', 'shared', 'fixtures', 'ner-tiny');

describe.skipIf(!existsSync(tiny))('a converted checkpoint (needs ../shared/fixtures)', () => {
  const { texts, expected } = fixture.ner_tiny;
  const folder = join(scratch, 'ner-tiny');
  beforeAll(() => convertCheckpoint({ folder: tiny, out: folder, precision: 'fp32' }));

  it.each(aggregations)('finds what transformers finds by %s', async (aggregation) => {
    const tagger = await openTagger(folder, { aggregation });
    for (const [i, text] of texts.entries()) {
      const found = await tagger.tagText(text);
      expect(expected[aggregation][i], text).toEqual(flat(found, tagger.types));
    }
    await tagger.close();
  });

  it('reads on where its 64 tokens end', async () => {
    const tagger = await openTagger(folder);
    const long = `${texts.join('. ')}.`;
    const found = await tagger.tagText(long);
    const places = [0.2, 0.4, 0.6, 0.8, 1].map(
      (share) => found.filter(({ end }) => end <= share * long.length).length,
    );
    places.forEach((count, i) => {
      expect(count).toBeGreaterThan(i === 0 ? 0 : places[i - 1]);
    });
    await tagger.close();
  });
});

describe('types', () => {
  it('stay whole where the pipeline cuts a label without prefix at its hyphen', async () => {
    const model = fixture.models.find(({ name }) => name === 'IO');
    expect(model?.types).toEqual(['Chemical', 'line']);
    const tagger = await openTagger(join(scratch, 'IO'));
    expect(tagger.types).toEqual(['Chemical', 'cell-line']);
    await tagger.close();
  });
});

describe('a text longer than the window', () => {
  const vocabulary = [
    '[PAD]',
    '[UNK]',
    '[CLS]',
    '[SEP]',
    '[MASK]',
    'deep',
    'net',
    '##work',
    '##s',
    'the',
    'Of',
    '.',
  ];
  const labels = ['O', 'B-x', 'I-x'];
  /** The best label of each piece. */
  const best = new Map([
    ['deep', 'B-x'],
    ['net', 'I-x'],
    ['##work', 'I-x'],
    ['##s', 'O'],
    ['[UNK]', 'I-x'],
  ]);
  const logit = (id: number, label: number): number =>
    labels[label] === (best.get(vocabulary[id]) ?? 'O') ? 3 + id / 10 : 0;
  const open = (maxTokens: number): Promise<Tagger> =>
    openTagger(
      writeLookupTagger(join(scratch, `window-${maxTokens}`), {
        vocabulary,
        lowerCase: false,
        labels,
        logit,
        maxTokens,
      }),
    );

  const sentences = [
    'the deep networks net.',
    'Of the deep deep net',
    'zzz the',
    'net net net net.',
    'Of networks',
  ];
  const long = Array.from({ length: 300 }, (_, i) => sentences[(i * i + i) % 5]).join(' ');

  it.each([8, 11, 16, 64, 510])('gives in windows of %i what one window gives', async (maxTokens) => {
    const [small, large] = [await open(maxTokens), await open(5000)];
    const expected = await large.tagText(long);
    expect(expected.length).toBeGreaterThan(200);
    expect(await small.tagText(long)).toEqual(expected);
    const words = long.split(/ |(?=\.)/);
    expect(await small.tag([words])).toEqual(await large.tag([words]));
    await Promise.all([small.close(), large.close()]);
  });

  it('keeps an entity whole that reaches over every window', async () => {
    const tagger = await open(16);
    const text = `the deep ${'net '.repeat(500)}the`;
    const found = await tagger.tagText(text);
    expect(found.map(({ start, end }) => [start, end])).toEqual([[4, text.length - 4]]);
    await tagger.close();
  });

  it('takes a word of 20,000 characters for one unknown piece', async () => {
    const tagger = await open(16);
    const word = 'net'.repeat(6667);
    expect(await tagger.tagText(word)).toMatchObject([{ start: 0, end: word.length, type: 'x' }]);
    const dots = '.'.repeat(20_000);
    expect(await tagger.tagText(dots)).toEqual([]);
    await tagger.close();
  });

  it('finds nothing in nothing', async () => {
    const tagger = await open(16);
    expect(await tagger.tagTexts(['', ' \n\u200b', '\u0007'])).toEqual([[], [], []]);
    expect(await tagger.tag([[], ['', '\u200b']])).toEqual([
      { labels: [], spans: [] },
      { labels: ['O', 'O'], spans: [] },
    ]);
    await tagger.close();
  });

  it('passes words without pieces over, and gives them the label of what they stand in', async () => {
    const tagger = await open(16);
    const [{ labels: found, spans }] = await tagger.tag([['deep', '\u200b', 'net', '\u200b', 'the']]);
    expect(found).toEqual(['B-x', 'I-x', 'I-x', 'O', 'O']);
    expect(spans).toMatchObject([{ start: 0, end: 3 }]);
    await tagger.close();
  });

  it('says the same of a text alone, in any company, and on two threads', async () => {
    const tagger = await open(64);
    const two = await openTagger(join(scratch, 'window-64'), { threads: 2 });
    const texts = [long, ...sentences, ''];
    const together = await tagger.tagTexts(texts);
    expect(await two.tagTexts(texts.toReversed())).toEqual(together.toReversed());
    for (const [i, text] of texts.entries()) expect(await tagger.tagText(text)).toEqual(together[i]);
    await Promise.all([tagger.close(), two.close()]);
  });
});

describe('a folder that is no tagger', () => {
  const vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'deep'];
  const write = (name: string, given: Partial<Parameters<typeof writeLookupTagger>[1]>): string =>
    writeLookupTagger(join(scratch, name), {
      vocabulary,
      lowerCase: true,
      labels: ['O', 'B-x'],
      logit: (id) => id,
      ...given,
    });

  it.each<[string, Partial<Parameters<typeof writeLookupTagger>[1]>, string]>([
    ['labels that do not fit the graph', { config: { id2label: { 0: 'O' } } }, '3 × 1 float32 numbers'],
    ['labels without names', { labels: ['LABEL_0', 'LABEL_1'] }, 'expected id2label to name'],
    ['a gap in its labels', { config: { id2label: { 0: 'O', 2: 'B-x' } } }, 'labels 0 to 1'],
    ['no labels', { config: { id2label: {} } }, 'at least one label'],
    ['damaged weights', { logit: () => Number.NaN }, 'weights are damaged'],
    [
      'a window without room',
      { config: { scinertopic: { precision: 'fp32', max_tokens: 2 } } },
      'max_tokens',
    ],
    ['no conversion', { config: { scinertopic: undefined } }, 'convert this one'],
  ])('is refused for %s', async (name, given, message) => {
    const run = async (): Promise<unknown> => (await openTagger(write(name, given))).tagText('deep');
    await expect(run()).rejects.toThrow(UserError);
    await expect(run()).rejects.toThrow(message);
  });

  it('is told from a document encoder', async () => {
    const graph = new GraphBuilder('encoder');
    const ids = graph.input('input_ids', 'int64', [1, 'sequence']);
    graph.output(graph.node('Cast', [ids], { to: 1 }), 'float32', [1, 'sequence'], 'vector');
    const folder = join(scratch, 'encoder');
    writeModel(folder, graph, vocabulary, true, {
      id2label: { 0: 'O', 1: 'B-x' },
      scinertopic: { precision: 'fp32', max_tokens: 16 },
    });
    await expect(openTagger(folder)).rejects.toThrow('belongs into embed.model');
  });
});
