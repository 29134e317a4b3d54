/**
 * Entry of a measured process: `task.js NAME JSON` runs one task and prints what it returns as one line of
 * JSON. What the whole process used is told by exit-usage.ts; tasks time their own parts.
 */

// Jobs come from runTask in this folder, which gives each task what it takes.
type Task = (job: never) => Promise<unknown>;

/** Each loads its own modules alone: what a process costs is to be what its task needs. */
const tasks: Record<string, () => Promise<Task>> = {
  neighbors: async () => (await import('./neighbor-tasks.ts')).neighborsTask,
  vectors: async () => (await import('./neighbor-tasks.ts')).vectorsTask,
  umap: async () => (await import('./umap-tasks.ts')).umapTask,
  'umap-js': async () => (await import('./umap-tasks.ts')).umapJsTask,
  hdbscan: async () => (await import('./kernel-tasks.ts')).hdbscanTask,
  'hdbscan-ts': async () => (await import('./kernel-tasks.ts')).hdbscanTsTask,
  place: async () => (await import('./kernel-tasks.ts')).placeTask,
  'class-tf-idf': async () => (await import('./class-terms-tasks.ts')).classTfIdfTask,
  'class-terms': async () => (await import('./class-terms-tasks.ts')).classTermsTask,
  tag: async () => (await import('./model-tasks.ts')).tagTask,
  encode: async () => (await import('./model-tasks.ts')).encodeTask,
  adapt: async () => (await import('./model-tasks.ts')).adaptTask,
  ingest: async () => (await import('./ingest-task.ts')).ingestTask,
  'mix-papers': async () => (await import('./mixed-papers.ts')).mixPapersTask,
  sampled: async () => (await import('./sample-tasks.ts')).sampledTask,
  'bert-tokenizer': async () => (await import('./tokenizer-tasks.ts')).bertTokenizerTask,
  'plain-tokenizer': async () => (await import('./tokenizer-tasks.ts')).plainTokenizerTask,
  'write-bert': async () => (await import('./transformer-tasks.ts')).writeBertTask,
  'convert-bert': async () => (await import('./transformer-tasks.ts')).convertTask,
  'matrix-peak': async () => (await import('./matrix-peak.ts')).peakTask,
  'encoding-rate': async () => (await import('./transformer-tasks.ts')).encodingRateTask,
  'encode-papers': async () => (await import('./transformer-tasks.ts')).encodePapersTask,
  workers: async () => (await import('./transformer-tasks.ts')).workersTask,
  sequences: async () => (await import('./transformer-tasks.ts')).sequencesTask,
  'tag-papers': async () => (await import('./transformer-tasks.ts')).tagPapersTask,
  'memory-growth': async () => (await import('./transformer-tasks.ts')).memoryGrowthTask,
};

const [name, job] = process.argv.slice(2);
const load = tasks[name];
if (load === undefined) throw new Error(`bench: no task "${name}".`);
const task = await load();
const result = await task(JSON.parse(job) as never);
process.stdout.write(`${JSON.stringify(result)}\n`);
