import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Interrupted, UserError } from '../../pipeline/errors.ts';
import { checkFiles, readCard } from '../../pipeline/model/card.ts';
import { openEncoder } from '../../pipeline/model/document-encoder.ts';
import { adaptEmbedder } from '../../pipeline/train/adapt.ts';
import { trainEmbedder } from '../../pipeline/train/document-embedder.ts';
import { columnsOf, exampleDocuments, nearestAgreement } from './example-corpus.ts';

const scratch = mkdtempSync(join(tmpdir(), 'scinertopic-embedder-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const documents = exampleDocuments(240);
const options = { documents, dimensions: 32, vocabularySize: 120, passes: 12, seed: 7 };
const trained = trainEmbedder({ ...options, out: join(scratch, 'trained') });

describe('trainEmbedder', () => {
  it('writes a folder whose files agree with its card, and no state file', async () => {
    const { folder } = await trained;
    const card = readCard(folder);
    expect(card.task).toBe('document-embedding');
    expect(Object.keys(card.files).sort()).toEqual(['config.json', 'model.onnx', 'tokenizer.json']);
    expect(await checkFiles(folder, card)).toEqual([]);
    expect(existsSync(join(folder, 'training.state'))).toBe(false);
  });

  it('brings documents of one subject together', async () => {
    const encoder = await openEncoder((await trained).folder);
    const unseen = exampleDocuments(120, 99);
    const vectors = await encoder.encode(unseen);
    await encoder.close();
    expect(nearestAgreement(vectors, encoder.dimensions, unseen)).toBeGreaterThan(0.95);
  });

  it('gives equal bytes when it is stopped after some passes and called again', async () => {
    const { hash } = await trained;
    const out = join(scratch, 'stopped');
    const controller = new AbortController();
    const onProgress = ({ step, done, total }: { step: string; done: number; total: number }): void => {
      if (step === 'training' && done > total / 2) controller.abort();
    };
    await expect(trainEmbedder({ ...options, out, signal: controller.signal, onProgress })).rejects.toThrow(
      Interrupted,
    );
    expect(existsSync(join(out, 'training.state'))).toBe(true);
    expect(existsSync(join(out, 'card.json'))).toBe(false);
    let steps = 0;
    const resumed = await trainEmbedder({
      ...options,
      out,
      onProgress: ({ step }) => {
        if (step === 'training') steps++;
      },
    });
    expect(steps).toBeLessThan(12);
    expect(resumed.hash).toBe(hash);
  });

  it('gives another model for another seed', async () => {
    const other = await trainEmbedder({ ...options, passes: 1, seed: 8, out: join(scratch, 'other') });
    const same = await trainEmbedder({ ...options, passes: 1, out: join(scratch, 'same') });
    expect(other.hash).not.toBe(same.hash);
  });

  it('refuses a corpus of one document', async () => {
    const one = trainEmbedder({ ...options, documents: documents.slice(0, 1), out: join(scratch, 'one') });
    await expect(one).rejects.toThrow(UserError);
  });
});

describe('adaptEmbedder', () => {
  const base = () => trained.then(({ folder }) => folder);
  const corpus = exampleDocuments(90, 5).map((document, i) => ({
    ...document,
    abstract: `${document.abstract} ${i % 3 === 0 ? 'zwitterion' : ''}`,
  }));

  it('gives equal bytes for equal documents and seed, in a folder named by the hash', async () => {
    const out = join(scratch, 'adapted');
    const again = join(scratch, 'again');
    const first = await adaptEmbedder({ base: await base(), documents: columnsOf(corpus), seed: 3, out });
    const second = await adaptEmbedder({
      base: await base(),
      documents: columnsOf(corpus),
      seed: 3,
      out: again,
    });
    expect(second.hash).toBe(first.hash);
    expect(first.folder).toBe(join(out, first.hash));
    for (const name of ['model.onnx', 'tokenizer.json', 'config.json', 'card.json']) {
      expect(readFileSync(join(second.folder, name)).equals(readFileSync(join(first.folder, name)))).toBe(
        true,
      );
    }
    expect(await checkFiles(first.folder, readCard(first.folder))).toEqual([]);
  });

  it('gives another model for another seed', async () => {
    const out = join(scratch, 'adapted');
    const a = await adaptEmbedder({ base: await base(), documents: columnsOf(corpus), seed: 3, out });
    const b = await adaptEmbedder({ base: await base(), documents: columnsOf(corpus), seed: 4, out });
    expect(b.hash).not.toBe(a.hash);
  });

  it('takes the corpus’s own words into the vocabulary', async () => {
    const { folder } = await adaptEmbedder({
      base: await base(),
      documents: columnsOf(corpus),
      seed: 3,
      out: join(scratch, 'adapted'),
    });
    const { vocab } = JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8')).model;
    expect(vocab.zwitterion).toBeGreaterThanOrEqual(readVocabularySize(await base()));
  });

  it('puts 256 numbers beside the trained ones, each row of length 1, and keeps subjects together', async () => {
    const { folder } = await adaptEmbedder({
      base: await base(),
      documents: columnsOf(corpus),
      seed: 3,
      out: join(scratch, 'adapted'),
    });
    const encoder = await openEncoder(folder);
    const vectors = await encoder.encode(corpus);
    await encoder.close();
    expect(encoder.dimensions).toBe(32 + 256);
    for (let i = 0; i < corpus.length; i++) {
      expect(Math.hypot(...vectors.subarray(i * 288, (i + 1) * 288))).toBeCloseTo(1, 5);
    }
    expect(nearestAgreement(vectors, 288, corpus)).toBeGreaterThan(0.95);
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const out = join(scratch, 'interrupted');
    const signal = AbortSignal.abort();
    const run = adaptEmbedder({ base: await base(), documents: columnsOf(corpus), seed: 3, out, signal });
    await expect(run).rejects.toThrow(Interrupted);
    expect(existsSync(out)).toBe(false);
  });
});

function readVocabularySize(folder: string): number {
  return Object.keys(JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8')).model.vocab).length;
}
