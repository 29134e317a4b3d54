import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type * as Library from '../../pipeline/library.ts';
import { packageRoot } from '../../pipeline/model/package-root.ts';
import { freshFolder, sampleRows } from './fresh-folder.ts';

// What `import … from 'scinertopic'` gives: the compiled file that package.json names.
const built = pathToFileURL(join(packageRoot(), 'dist', 'pipeline', 'library.js')).href;
let library: typeof Library;
beforeAll(async () => {
  library = await import(built);
});

/** Three tight groups of 20 points, far apart, in 8 dimensions; group of row i is i % 3. */
function groups(): { values: Float32Array; n: number; d: number } {
  const [n, d] = [60, 8];
  const values = Float32Array.from({ length: n * d }, (_, k) => {
    const [i, j] = [Math.floor(k / d), k % d];
    return (j === i % 3 ? 10 : 1) + 0.3 * Math.sin(12.9898 * i + 78.233 * j);
  });
  return { values, n, d };
}

/** Whether two rows share a label exactly when they share a group. */
function tellsGroups(labels: Int32Array): boolean {
  return labels.every((label, i) => label >= 0 && label === labels[i % 3]) && new Set(labels).size === 3;
}

describe('the library', () => {
  it('has every promised name', () => {
    expect(Object.keys(library).sort()).toEqual(
      expect.arrayContaining([
        'classTfIdf',
        'hdbscan',
        'loadEncoder',
        'loadTagger',
        'nearestNeighbors',
        'openStore',
        'runPipeline',
        'umap',
      ]),
    );
  });

  it('nearestNeighbors promises k neighbours of each row, nearest first, the row itself left out', async () => {
    const { values, n, d } = groups();
    const promise = library.nearestNeighbors(values, { n, d, k: 5, metric: 'euclidean' });
    expect(promise).toBeInstanceOf(Promise);
    const { indices, distances } = await promise;
    expect(indices).toBeInstanceOf(Int32Array);
    expect(distances).toBeInstanceOf(Float32Array);
    expect([indices.length, distances.length]).toEqual([n * 5, n * 5]);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < 5; j++) {
        const neighbor = indices[5 * i + j];
        expect(neighbor).not.toBe(i);
        expect(neighbor % 3).toBe(i % 3);
        if (j > 0) expect(distances[5 * i + j]).toBeGreaterThanOrEqual(distances[5 * i + j - 1]);
      }
    }
  });

  it('hdbscan answers at once, for single and double precision alike', () => {
    const { values, n, d } = groups();
    const options = { n, d, minClusterSize: 5, minSamples: 3, clusterSelectionMethod: 'eom' as const };
    const single = library.hdbscan(values, options);
    expect(single.labels).toBeInstanceOf(Int32Array);
    expect(tellsGroups(single.labels)).toBe(true);
    expect(single.probabilities.every((p) => p >= 0 && p <= 1)).toBe(true);
    expect(single.outlierScores.length).toBe(n);
    expect(library.hdbscan(Float64Array.from(values), options).labels).toEqual(single.labels);
  });

  it('umap promises an embedding that keeps neighbours, equal for equal seeds', async () => {
    const { values, n, d } = groups();
    const options = {
      n,
      d,
      nNeighbors: 8,
      nComponents: 2,
      minDist: 0,
      metric: 'cosine' as const,
      seed: 3,
    };
    const { embedding } = await library.umap(values, options);
    expect(embedding).toBeInstanceOf(Float32Array);
    expect(embedding.length).toBe(n * 2);
    const near = await library.nearestNeighbors(embedding, { n, d: 2, k: 3, metric: 'euclidean' });
    near.indices.forEach((neighbor, place) => {
      expect(neighbor % 3).toBe(Math.floor(place / 3) % 3);
    });
    expect((await library.umap(values, options)).embedding).toEqual(embedding);
    expect((await library.umap(values, { ...options, seed: 4 })).embedding).not.toEqual(embedding);
  });

  it('classTfIdf weighs what marks a class above what all share', () => {
    // Class 0 uses terms 0 and 2, class 1 terms 1 and 2.
    const counts = { offsets: [0, 2, 4], terms: [0, 2, 1, 2], values: [4, 4, 4, 4] };
    const weights = library.classTfIdf(counts, { c: 2, v: 3 });
    // tf 0.5 each; A = 8; f = 4 for a term of its own, 8 for the shared one.
    expect(weights[0]).toBeCloseTo(0.5 * Math.log(3), 12);
    expect(weights[1]).toBeCloseTo(0.5 * Math.log(2), 12);
    expect([weights[2], weights[3]]).toEqual([weights[0], weights[1]]);
  });

  it('loadTagger and loadEncoder open the shipped models, and refuse each other’s', async () => {
    const tagger = await library.loadTagger('builtin:science');
    const text = 'We train a neural network for machine translation.';
    const entities = await tagger.tagText(text);
    expect(entities.length).toBeGreaterThan(0);
    for (const { start, end, text: found } of entities) expect(text.slice(start, end)).toBe(found);
    await tagger.close();

    const encoder = await library.loadEncoder('builtin:static');
    const documents = [
      { title: 'Machine translation', abstract: text },
      { title: 'Ice cores', abstract: 'Air bubbles in polar ice tell of old climates.' },
    ];
    const vectors = await encoder.encode(documents);
    expect(vectors.length).toBe(2 * encoder.dimensions);
    const first = vectors.subarray(0, encoder.dimensions);
    expect(first.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(1, 5);
    expect((await encoder.encode(documents.slice(0, 1)))[0]).toBe(vectors[0]);
    await encoder.close();

    await expect(library.loadTagger('builtin:static')).rejects.toThrow(library.UserError);
    await expect(library.loadEncoder('builtin:science')).rejects.toThrow(library.UserError);
  });
});

describe('models from plain JavaScript', () => {
  /** What no type lets through. */
  const untyped = <T>(value: unknown): T => value as T;

  it.each([
    [{ aggregation: 'mean' }, 'aggregation'],
    [{ precision: 'fp16' }, 'precision'],
    [{ device: 'tpu' }, 'device'],
    [{ threads: 0 }, 'threads'],
    [{ treads: 2 }, 'treads'],
  ])('refuse the options %j', async (options, named) => {
    const loading = library.loadTagger('builtin:science', untyped(options));
    await expect(loading).rejects.toThrow(library.UserError);
    await expect(library.loadTagger('builtin:science', untyped(options))).rejects.toThrow(named);
  });

  it('refuse what is no reference', async () => {
    await expect(library.loadEncoder(untyped(undefined))).rejects.toThrow('expected a model reference');
  });

  it('take an absent title or abstract for an empty one, and refuse what is no text', async () => {
    const encoder = await library.loadEncoder('builtin:static');
    const whole = await encoder.encode([{ title: 'Ice cores', abstract: '' }]);
    expect(await encoder.encode([untyped({ title: 'Ice cores' })])).toEqual(whole);
    expect(await encoder.encode([untyped({ title: 'Ice cores', abstract: null })])).toEqual(whole);
    await expect(encoder.encode([untyped({ title: 5 })])).rejects.toThrow('title of document 0 to be a text');
    await encoder.close();
    const tagger = await library.loadTagger('builtin:science');
    await expect(tagger.tagText(untyped(5))).rejects.toThrow('expected a text, got number');
    await expect(tagger.tagTexts(['', untyped(null)])).rejects.toThrow('text 1 to be a text, got null');
    await tagger.close();
  });
});

describe('runPipeline and openStore', () => {
  it('run the job, answer queries over the public views, and write nothing', async () => {
    const folder = freshFolder(sampleRows().slice(0, 30), 'embed:\n  adapt: false\n');
    const told: string[] = [];
    const note = (what: string) => (stage: string) => told.push(`${stage} ${what}`);
    const summary = await library.runPipeline({
      config: join(folder, 'config.yaml'),
      reporter: {
        stageBegins: note('begins'),
        progress: () => {},
        notice: () => {},
        stageEnds: note('ends'),
        upToDate: note('up to date'),
      },
    });
    expect(summary).toMatchObject({ runId: 'run-0001', upToDate: false, documentsIn: 30, documentsOut: 30 });
    expect(told.slice(0, 3)).toEqual(['ingest begins', 'ingest ends', 'entities begins']);

    const store = library.openStore(summary.database);
    expect(store.query('SELECT count(*) AS n FROM documents WHERE title <> ?', '')).toEqual([{ n: 30 }]);
    const vectors = [...store.iterate('SELECT document_id, dimensions, vector FROM embeddings')];
    expect(vectors.length).toBe(30);
    for (const { dimensions, vector } of vectors) {
      expect((vector as Buffer).length).toBe(4 * (dimensions as number));
    }
    const sql =
      'SELECT d.title, d.abstract, e.field, e.start, e."end", e.text FROM entities e JOIN documents d ON d.id = e.document_id';
    const mentions = store.query(sql);
    expect(mentions.length).toBeGreaterThan(30);
    for (const row of mentions) {
      expect(String(row[row.field as string]).slice(row.start as number, row.end as number)).toBe(row.text);
    }
    expect(() => store.query('DELETE FROM document RETURNING id')).toThrow(/readonly/);
    store.close();
  });

  it('throw what the user can mend as UserError, and stop at a signal', async () => {
    expect(() => library.openStore('/nowhere/pipeline.db')).toThrow(library.UserError);
    await expect(library.runPipeline({ config: '/nowhere/config.yaml' })).rejects.toThrow(library.UserError);
    const folder = freshFolder(sampleRows().slice(0, 30));
    const run = library.runPipeline({ config: join(folder, 'config.yaml'), signal: AbortSignal.abort() });
    await expect(run).rejects.toThrow(library.Interrupted);
  });
});
