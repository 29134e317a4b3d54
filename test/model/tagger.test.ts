import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../pipeline/errors.ts';
import { scoreLabels } from '../../pipeline/evaluate/spans.ts';
import { checkFiles, readCard } from '../../pipeline/model/card.ts';
import { packageRoot } from '../../pipeline/model/package-root.ts';
import { openTagger, type Tagger } from '../../pipeline/model/tagger.ts';
import { readConll } from '../../pipeline/train/conll.ts';

const shipped = join(packageRoot(), 'data', 'models', 'science');
const dev = join(packageRoot(), '..', 'shared', 'data', 'ner', 'scierc', 'dev.txt.gz');
const text =
  'We propose a convolutional neural network for named entity recognition. It reaches an F1 of 0.64 on the SciERC corpus.';

describe('the shipped tagger', () => {
  let tagger: Tagger;
  beforeAll(async () => {
    tagger = await openTagger(shipped);
  });
  afterAll(() => tagger.close());

  it('finds methods, tasks and metrics in a sentence, with their places in the text', async () => {
    const entities = await tagger.tagText(text);
    const found = new Map(entities.map((entity) => [entity.text, entity.type]));
    expect(found.get('convolutional neural network')).toBe('Method');
    expect(found.get('named entity recognition')).toBe('Task');
    expect(found.get('F1')).toBe('Metric');
    for (const { start, end, text: own, score } of entities) {
      expect(text.slice(start, end)).toBe(own);
      expect(score).toBeGreaterThan(0);
      expect(score).toBeLessThanOrEqual(1);
    }
  });

  it('knows six types', () => {
    expect([...tagger.types].sort()).toEqual([
      'Generic',
      'Material',
      'Method',
      'Metric',
      'OtherScientificTerm',
      'Task',
    ]);
  });

  it('says the same of a sentence alone, in any batch, and on two threads', async () => {
    const sentences = text
      .split(/(?<=\.) /)
      .map((sentence) => sentence.split(/ |(?=\.)/))
      .concat([['Parsing'], [], ['the', 'F1', 'of', 'BERT']]);
    const mixed = Array.from({ length: 60 }, (_, i) => sentences[(i * i + i) % sentences.length]);
    const together = await tagger.tag(mixed);
    const two = await openTagger(shipped, { threads: 2 });
    expect(await two.tag(mixed)).toEqual(together);
    await two.close();
    for (const [i, sentence] of mixed.entries())
      expect((await tagger.tag([sentence]))[0]).toEqual(together[i]);
    const texts = await tagger.tagTexts([text, '', 'no', text]);
    expect(texts).toEqual([await tagger.tagText(text), [], await tagger.tagText('no'), texts[0]]);
  });

  it('takes 20,000 tokens without a full stop', async () => {
    const long = 'graph neural network '.repeat(6_700);
    const entities = await tagger.tagText(long);
    expect(entities.length).toBeGreaterThan(0);
    expect(entities.every(({ start, end, text: own }) => long.slice(start, end) === own)).toBe(true);
  });

  it('has the files its card tells of, in at most 10 MB', async () => {
    const card = readCard(shipped);
    expect(await checkFiles(shipped, card)).toEqual([]);
    const bytes = Object.values(card.files).reduce((sum, file) => sum + file.bytes, 0);
    expect(bytes).toBeLessThanOrEqual(10e6);
  });

  it.skipIf(!existsSync(dev))('reaches the development F1 of its card (needs ../shared/data)', async () => {
    const { sentences } = await readConll(dev);
    const tagged = await tagger.tag(sentences.map((sentence) => sentence.tokens));
    const { micro } = scoreLabels(
      sentences.map((sentence) => sentence.labels),
      tagged.map((sentence) => sentence.labels),
    );
    const card = JSON.parse(readFileSync(join(shipped, 'card.json'), 'utf8'));
    // Another processor may round otherwise, and one entity more or less is 0.001.
    expect(micro.f1).toBeCloseTo(card.scores[0].f1, 2);
    expect(micro.f1).toBeGreaterThan(0.65);
  });
});

describe('a folder that is no tagger', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tagger-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const labels = { 0: 'O', 1: 'B-x', 2: 'I-x' };

  it.each([
    [{ model_type: 'bert', id2label: labels }, 'got "bert"'],
    [{ model_type: 'scinertopic-convolution', id2label: { 0: 'O', 1: 'x' } }, 'label 1 of id2label'],
    [
      { model_type: 'scinertopic-convolution', id2label: labels, crf_transitions: [1] },
      'expected 15 numbers',
    ],
    [{ model_type: 'scinertopic-convolution', id2label: labels }, 'dilations'],
    [
      { model_type: 'scinertopic-convolution', id2label: labels, dilations: [1], mark_buckets: 8 },
      'vocab.txt',
    ],
    [{ id2label: labels }, 'model_type'],
    [{ model_type: 'static' }, 'belongs into embed.model'],
    [
      { model_type: 'bert', scinertopic: { precision: 'fp32', max_tokens: 512, pooling: 'cls' } },
      'belongs into embed.model',
    ],
  ])('is refused by what is wrong with its config: %j', async (config, message) => {
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    const opening = openTagger(folder);
    await expect(opening).rejects.toThrow(UserError);
    await expect(openTagger(folder)).rejects.toThrow(message);
  });

  it('is refused without a config, or with one that is no JSON', async () => {
    await expect(openTagger(join(folder, 'none'))).rejects.toThrow('found none');
    writeFileSync(join(folder, 'config.json'), '{');
    await expect(openTagger(folder)).rejects.toThrow('expected JSON');
  });
});
