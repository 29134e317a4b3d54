import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { DocumentColumns, Job, Kept, ModelPin } from '../../../pipeline/contract.ts';
import { UserError } from '../../../pipeline/errors.ts';
import { builtinFolder, resolveModel } from '../../../pipeline/model/reference.ts';
import { type EmbedConfig, embedSchema } from '../../../stages/embed/config.ts';
import { stage } from '../../../stages/embed/stage.ts';
import { columnsOf, exampleDocuments } from '../../train/example-corpus.ts';

const scratch = mkdtempSync(join(tmpdir(), 'scinertopic-embed-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function documentsOf(n: number): DocumentColumns {
  const columns = columnsOf(exampleDocuments(n));
  return { ...columns, id: columns.title.map((_, i) => `d${i}`), year: columns.title.map(() => null) };
}

function jobOf(config: Partial<EmbedConfig>): Job<EmbedConfig> & { notices: string[] } {
  const notices: string[] = [];
  return {
    config: embedSchema.parse(config),
    seed: 42,
    threads: 1,
    baseFolder: scratch,
    model: (reference) => resolveModel(reference, scratch),
    signal: new AbortController().signal,
    progress: () => {},
    notice: (message) => notices.push(message),
    notices,
  };
}

const keptOf = (n: number, adapted: ModelPin | null = null): Kept => ({
  adapted,
  modelsFolder: join(scratch, 'models'),
  documents: () => documentsOf(n),
});

const adapted = stage.prepare(jobOf({}), keptOf(40));

describe('the embed section', () => {
  it('takes the shipped embedder and adapts it unless told otherwise', () => {
    expect(embedSchema.parse({})).toEqual({ model: 'builtin:static', precision: 'auto', adapt: true });
  });

  it('refuses unknown keys and tasks', () => {
    expect(() => embedSchema.parse({ modell: 'x' })).toThrow();
    expect(() => embedSchema.parse({ task: 'search' })).toThrow();
  });
});

describe('prepare', () => {
  it('adapts the shipped embedder on the first run and says so', async () => {
    const job = jobOf({});
    const pin = await stage.prepare(job, keptOf(40));
    expect(pin.folder).toBe(join(scratch, 'models', pin.hash));
    expect(pin.reference).toBe('builtin:static');
    expect(job.notices.join()).toContain('builtin:static as adapted to 40 documents of this corpus');
  });

  it('keeps to the adapted model afterwards, without reading the corpus', async () => {
    const pin = await adapted;
    const kept = {
      ...keptOf(40, pin),
      documents: () => {
        throw new Error('read');
      },
    };
    expect(await stage.prepare(jobOf({}), kept)).toEqual(pin);
  });

  it('uses the model as shipped for a corpus of fewer than 20 documents, and adapts once it has grown', async () => {
    const job = jobOf({});
    const pin = await stage.prepare(job, keptOf(19));
    expect(pin.folder).toBe(join(builtinFolder(), 'static'));
    expect(job.notices.join()).toContain('19 documents are too few to adapt');
    expect((await stage.prepare(jobOf({}), keptOf(40, pin))).hash).toBe((await adapted).hash);
  });

  it('uses the model as shipped when adapt is off', async () => {
    const pin = await stage.prepare(jobOf({ adapt: false }), keptOf(40));
    expect(pin.folder).toBe(join(builtinFolder(), 'static'));
  });

  it('says what to do when the adapted model is gone', async () => {
    const gone = { reference: 'builtin:static', hash: 'f'.repeat(64), folder: join(scratch, 'gone') };
    await expect(stage.prepare(jobOf({}), keptOf(40, gone))).rejects.toThrow(
      /Restore the folder, or run with --force/,
    );
  });

  it('refuses a task for a model without adapters', async () => {
    const run = stage.prepare(jobOf({ task: 'proximity' }), keptOf(40));
    await expect(run).rejects.toThrow(UserError);
    await expect(run).rejects.toThrow('Expected no task for builtin:static');
  });
});

describe('open', () => {
  it('gives one row per document, the same whatever batch the document is in', async () => {
    const work = await stage.open(embedSchema.parse({}), await adapted, { device: 'cpu', threads: 1 });
    const documents = documentsOf(6);
    const whole = await work(documents);
    expect([whole.n, whole.d, whole.values.length]).toEqual([6, 512, 6 * 512]);
    const last = await work({
      id: documents.id.slice(5),
      title: documents.title.slice(5),
      abstract: documents.abstract.slice(5),
      year: [null],
    });
    expect([...last.values]).toEqual([...whole.values.subarray(5 * 512)]);
    expect((await work({ id: [], title: [], abstract: [], year: [] })).n).toBe(0);
  });
});
