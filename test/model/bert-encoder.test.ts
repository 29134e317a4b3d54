import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { convertCheckpoint } from '../../pipeline/checkpoint/convert.ts';
import { Interrupted, UserError } from '../../pipeline/errors.ts';
import { chooseTask, type EncoderDocument, openEncoder } from '../../pipeline/model/document-encoder.ts';
import { writeLookupEncoder } from './lookup-model.ts';

const scratch = mkdtempSync(join(tmpdir(), 'scinertopic-bert-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const vocabulary = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  'deep',
  'net',
  '##s',
  'passage',
  ':',
  'reef',
];
const [cls, sep, deep, net, s, passage, colon, reef] = [2, 3, 5, 6, 7, 8, 9, 10];

/** The graph writes the ids it is given into the vector, so that a test reads what went in. */
async function sequenceOf(
  document: EncoderDocument,
  conversion: Record<string, unknown> = {},
): Promise<number[]> {
  const folder = writeLookupEncoder(join(scratch, JSON.stringify(conversion).replaceAll(/\W/g, '')), {
    vocabulary,
    conversion,
  });
  const encoder = await openEncoder(folder);
  const vector = await encoder.encode([document]);
  await encoder.close();
  return Array.from(vector).filter((id) => id >= 0);
}

describe('what a document becomes', () => {
  it('is [CLS] title [SEP] abstract [SEP]', async () => {
    expect(await sequenceOf({ title: 'Deep nets', abstract: 'reef' })).toEqual([
      cls,
      deep,
      net,
      s,
      sep,
      reef,
      sep,
    ]);
  });
  it('keeps the place of an empty title or abstract', async () => {
    expect(await sequenceOf({ title: '', abstract: 'reef' })).toEqual([cls, sep, reef, sep]);
    expect(await sequenceOf({ title: 'deep', abstract: '' })).toEqual([cls, deep, sep, sep]);
    expect(await sequenceOf({ title: '', abstract: '' })).toEqual([cls, sep, sep]);
  });
  it('is one text where the model says so', async () => {
    const conversion = { join: 'text' };
    expect(await sequenceOf({ title: 'deep', abstract: 'reef' }, conversion)).toEqual([cls, deep, reef, sep]);
    expect(await sequenceOf({ title: '', abstract: 'reef' }, conversion)).toEqual([cls, reef, sep]);
    expect(await sequenceOf({ title: '', abstract: '' }, conversion)).toEqual([cls, sep]);
  });
  it('begins with the prefix of the model', async () => {
    const prefix = 'passage: ';
    expect(await sequenceOf({ title: 'deep', abstract: 'reef' }, { prefix, join: 'text' })).toEqual([
      cls,
      passage,
      colon,
      deep,
      reef,
      sep,
    ]);
    expect(await sequenceOf({ title: 'deep', abstract: 'reef' }, { prefix })).toEqual([
      cls,
      passage,
      colon,
      deep,
      sep,
      reef,
      sep,
    ]);
  });
  it('is cut to the window, [SEP] last, and the cut is told', async () => {
    const folder = writeLookupEncoder(join(scratch, 'short'), { vocabulary, conversion: { max_tokens: 6 } });
    const encoder = await openEncoder(folder);
    expect(encoder.maxTokens).toBe(6);
    const documents = [
      { title: 'deep', abstract: 'reef net' },
      { title: 'deep', abstract: 'reef net net' },
      { title: 'deep deep deep deep deep deep', abstract: 'reef' },
    ];
    const cut: number[] = [];
    const vectors = await encoder.encode(documents, { onTruncated: (i) => cut.push(i) });
    const rows = documents.map((_, i) =>
      Array.from(vectors.subarray(i * encoder.dimensions, (i + 1) * encoder.dimensions)).filter(
        (id) => id >= 0,
      ),
    );
    expect(rows).toEqual([
      [cls, deep, sep, reef, net, sep],
      [cls, deep, sep, reef, net, sep],
      [cls, deep, deep, deep, deep, sep],
    ]);
    expect(cut).toEqual([1, 2]);
    await encoder.close();
  });
});

describe('adapters', () => {
  const open = (tasks: string[] | undefined, task?: string) =>
    openEncoder(
      writeLookupEncoder(join(scratch, `tasks-${tasks}`), { vocabulary, conversion: tasks ? { tasks } : {} }),
      task === undefined ? {} : { task },
    );
  /** The graph puts the task's number before the ids. */
  const taskNumber = async (tasks: string[], task?: string) => {
    const encoder = await open(tasks, task);
    const [first] = await encoder.encode([{ title: 'deep', abstract: '' }]);
    await encoder.close();
    return [first, encoder.task];
  };

  it('are picked by name', async () => {
    expect(await taskNumber(['classification', 'proximity'], 'classification')).toEqual([
      1,
      'classification',
    ]);
    expect(await taskNumber(['classification', 'proximity'], 'proximity')).toEqual([2, 'proximity']);
  });
  it('are never left out: proximity is the default', async () => {
    expect(await taskNumber(['classification', 'proximity'])).toEqual([2, 'proximity']);
  });
  it('have to be named where none is the default', async () => {
    await expect(open(['classification', 'regression'])).rejects.toThrow(UserError);
    await expect(open(['classification', 'regression'])).rejects.toThrow(
      /\(classification, regression\), got none/,
    );
  });
  it('are refused by name where the model lacks them', async () => {
    await expect(open(['proximity'], 'regression')).rejects.toThrow(/\(proximity\), got "regression"/);
    await expect(open(undefined, 'proximity')).rejects.toThrow(/has no adapters, got "proximity"/);
    expect(chooseTask(join(scratch, 'tasks-undefined'), undefined)).toBeNull();
  });
});

describe('vectors', () => {
  const documents = Array.from({ length: 40 }, (_, i) => ({
    title: ['deep', 'nets', '', 'reef deep'][i % 4],
    abstract: 'reef nets deep '.repeat(i % 7),
  }));

  it('have the same bytes alone, in any batch, in any order and on two threads', async () => {
    const folder = writeLookupEncoder(join(scratch, 'bytes'), { vocabulary, mixing: true });
    const [encoder, two] = [await openEncoder(folder), await openEncoder(folder, { threads: 2 })];
    const { dimensions: d } = encoder;
    const together = await encoder.encode(documents);
    const backwards = await two.encode(documents.toReversed());
    for (const [i, document] of documents.entries()) {
      const row = together.slice(i * d, (i + 1) * d);
      expect(await encoder.encode([document])).toEqual(row);
      const j = documents.length - 1 - i;
      expect(backwards.slice(j * d, (j + 1) * d)).toEqual(row);
    }
    expect(together.some((value) => value !== 0)).toBe(true);
    await Promise.all([encoder.close(), two.close()]);
  });

  it('are refused where they are not what the config promises', async () => {
    const run = async (name: string, hiddenSize: number, weight?: number): Promise<unknown> => {
      const given = { vocabulary, hiddenSize, ...(weight === undefined ? {} : { mixing: true, weight }) };
      const encoder = await openEncoder(writeLookupEncoder(join(scratch, name), given));
      return encoder.encode([{ title: 'deep', abstract: '' }]);
    };
    await expect(run('size', 7)).rejects.toThrow('expected 7 float32 numbers per document');
    await expect(run('nan', 33, Number.NaN)).rejects.toThrow('weights are damaged');
  });

  it('are not made once the signal is raised', async () => {
    const encoder = await openEncoder(writeLookupEncoder(join(scratch, 'stop'), { vocabulary }));
    const stop = new AbortController();
    const done: number[] = [];
    const encoding = encoder.encode(documents, {
      signal: stop.signal,
      onProgress: (count) => {
        done.push(count);
        if (count === 3) stop.abort();
      },
    });
    await expect(encoding).rejects.toThrow(Interrupted);
    expect(done).toEqual([1, 2, 3]);
    await encoder.close();
  });

  it('do not come from a tagger', async () => {
    const folder = writeLookupEncoder(join(scratch, 'tagger'), { vocabulary, output: 'logits' });
    await expect(openEncoder(folder)).rejects.toThrow('belongs into entities.model');
  });
});

const tiny = join(import.meta.dirname, '..', '..', '..', 'shared', 'fixtures', 'specter2-tiny');

describe.skipIf(!existsSync(tiny))('a converted checkpoint (needs ../shared/fixtures)', () => {
  const expected: { transformers: string; documents: EncoderDocument[]; vectors: number[][] } = JSON.parse(
    readFileSync(join(import.meta.dirname, 'fixtures', 'document-vectors.json'), 'utf8'),
  );
  const plain = join(scratch, 'plain');
  const adapted = join(scratch, 'adapted');
  beforeAll(async () => {
    const folder = join(tiny, 'base');
    await convertCheckpoint({ folder, out: plain, precision: 'fp32' });
    const adapters = [{ task: 'proximity', folder: join(tiny, 'adapter') }];
    await convertCheckpoint({ folder, adapters, out: adapted, precision: 'fp32' });
  });

  it(`gives the vectors that the code on SPECTER2's card gives (transformers ${expected.transformers})`, async () => {
    const encoder = await openEncoder(plain);
    const cut: number[] = [];
    const vectors = await encoder.encode(expected.documents, { onTruncated: (i) => cut.push(i) });
    const d = encoder.dimensions;
    expect(d).toBe(expected.vectors[0].length);
    expected.vectors.forEach((row, i) => {
      const furthest = Math.max(...row.map((value, j) => Math.abs(value - vectors[i * d + j])));
      expect(furthest).toBeLessThan(1e-4);
    });
    expect(cut).toEqual([6, 7]);
    // Longer than 1: nothing is normalised on the way.
    expect(Math.hypot(...vectors.subarray(0, d))).toBeGreaterThan(2);
    await encoder.close();
  });

  it('goes through the adapter without being asked to', async () => {
    const [encoder, base] = [await openEncoder(adapted), await openEncoder(plain)];
    expect(encoder.task).toBe('proximity');
    const [found, bare] = [await encoder.encode(expected.documents), await base.encode(expected.documents)];
    expect(found).not.toEqual(bare);
    await Promise.all([encoder.close(), base.close()]);
  });
});

describe('a converted DistilBERT', () => {
  it('is an encoder too, though its config.json names its sizes otherwise', async () => {
    const folder = join(import.meta.dirname, '..', 'checkpoint', 'fixtures', 'distilbert-fp16');
    const { dim } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
    const out = join(scratch, 'distilbert');
    await convertCheckpoint({ folder, out });
    const encoder = await openEncoder(out);
    expect(encoder.dimensions).toBe(dim);
    const vectors = await encoder.encode([{ title: 'deep', abstract: 'reef' }]);
    expect(vectors).toHaveLength(dim);
    expect(vectors.some((value) => value !== 0)).toBe(true);
    await encoder.close();
  });
});
