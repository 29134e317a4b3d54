import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../pipeline/model/package-root.ts';

const root = packageRoot();

/** A folder of a program that has the package, as built, among its dependencies. */
function consumer(program: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'scinertopic-types-'));
  mkdirSync(join(folder, 'node_modules', '@types'), { recursive: true });
  symlinkSync(root, join(folder, 'node_modules', 'scinertopic'), 'junction');
  symlinkSync(
    join(root, 'node_modules', '@types', 'node'),
    join(folder, 'node_modules', '@types', 'node'),
    'junction',
  );
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
    types: ['node'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  writeFileSync(join(folder, 'program.ts'), program);
  return folder;
}

/** What the compiler says; '' where nothing. */
async function complaints(program: string): Promise<string> {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const running = promisify(execFile)(process.execPath, [compiler], { cwd: consumer(program) });
  return running.then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  );
}

describe('the declarations', () => {
  it('hold in a program with strict settings that checks libraries, and name all options and results', async () => {
    const program = `
import {
  approximatePredict, classTfIdf, countClassTerms, fitHdbscan, fitUmap, hdbscan, hdbscanAsync, Interrupted,
  loadEncoder, loadTagger, nearestNeighbors, openStore, runPipeline, umap, umapTransform, UserError,
  type Aggregation, type ClassTermCounts, type ClassText, type ClassTfIdfOptions, type CountClassTermsOptions,
  type CountedClassTerms, type Device, type DocumentEncoder, type EncoderDocument, type HdbscanModel, type HdbscanOptions,
  type HdbscanResult, type Metric, type ModelOptions, type NearestNeighborsOptions, type Neighbors, type OpenStore,
  type Points, type Precision, type Predictions, type ProgressListener, type RunOptions, type RunSummary,
  type SearchChoice, type Tagger, type UmapModel, type UmapOptions, type UmapPart, type UmapResult,
  type UmapTransformOptions,
} from 'scinertopic';

const vectors = new Float32Array(20);
const maybe: AbortSignal | undefined = undefined;
const near: Neighbors = await nearestNeighbors(vectors, { n: 10, d: 2, k: 3, metric: 'cosine', signal: maybe });
const options: UmapOptions = { n: 10, d: 2, neighbors: near, onProgress: (done: number, part: UmapPart) => console.log(done, part) };
const { embedding }: UmapResult = await umap(vectors, options);
const model: UmapModel = await fitUmap(vectors, options);
const placed: Float32Array = (await umapTransform(model, vectors)).embedding;
const clusters: HdbscanResult = hdbscan(placed, { n: 10, d: 2 });
const later: Promise<HdbscanResult> = hdbscanAsync(Float64Array.from(embedding), { n: 10, d: 2, minSamples: 2 });
const fitted: HdbscanModel = fitHdbscan(embedding, { n: 10, d: 2 });
const { labels }: Predictions = approximatePredict(fitted, placed);
const counts: CountedClassTerms = await countClassTerms([{ text: 'a b', class: 0 }], { c: 1, ngrams: [1, 2] });
const weights: Float64Array = classTfIdf(counts, { c: 1, v: counts.vocabulary.length });
export { clusters, later, labels, weights, Interrupted, UserError, loadEncoder, loadTagger, openStore, runPipeline };
export type Everything = [
  Aggregation, ClassTermCounts, ClassText, ClassTfIdfOptions, CountClassTermsOptions, Device, DocumentEncoder,
  EncoderDocument, HdbscanOptions, Metric, ModelOptions, NearestNeighborsOptions, OpenStore, Points, Precision,
  ProgressListener<'x'>, RunOptions, RunSummary, SearchChoice, Tagger, UmapTransformOptions,
];
`;
    expect(await complaints(program)).toBe('');
  });

  it('refuse what the functions refuse', async () => {
    const program = `
import { hdbscan, umap } from 'scinertopic';
await umap([1, 2, 3], { n: 1, d: 3 });
hdbscan(new Float32Array(3), { n: 1, d: 3, clusterSelectionMethod: 'best' });
hdbscan(new Float32Array(3), { n: 1, d: 3, min_samples: 2 });
hdbscan(new Float32Array(3), { n: 1 });
`;
    const lines = (await complaints(program)).split('\n').filter((line) => line.startsWith('program.ts'));
    expect(lines.map((line) => Number(/\((\d+),/.exec(line)?.[1]))).toEqual([3, 4, 5, 6]);
  });
});
