/**
 * Entry of a measured process: `task.js NAME JSON` runs one task and prints what it returns as one line of
 * JSON. What the whole process used is told by exit-usage.ts; tasks time their own parts.
 */

import { classTermsTask, classTfIdfTask } from './class-terms-tasks.ts';
import { ingestTask } from './ingest-task.ts';
import { hdbscanTask, hdbscanTsTask, placeTask } from './kernel-tasks.ts';
import { peakTask } from './matrix-peak.ts';
import { mixPapersTask } from './mixed-papers.ts';
import { adaptTask, encodeTask, tagTask } from './model-tasks.ts';
import { neighborsTask, vectorsTask } from './neighbor-tasks.ts';
import { sampledTask } from './sample-tasks.ts';
import { bertTokenizerTask, plainTokenizerTask } from './tokenizer-tasks.ts';
import {
  convertTask,
  encodePapersTask,
  encodingRateTask,
  memoryGrowthTask,
  sequencesTask,
  tagPapersTask,
  workersTask,
  writeBertTask,
} from './transformer-tasks.ts';
import { umapJsTask, umapTask } from './umap-tasks.ts';

// Jobs come from runTask in this folder, which gives each task what it takes.
const tasks: Record<string, (job: never) => Promise<unknown>> = {
  neighbors: neighborsTask,
  vectors: vectorsTask,
  umap: umapTask,
  'umap-js': umapJsTask,
  hdbscan: hdbscanTask,
  'hdbscan-ts': hdbscanTsTask,
  place: placeTask,
  'class-tf-idf': classTfIdfTask,
  'class-terms': classTermsTask,
  tag: tagTask,
  encode: encodeTask,
  adapt: adaptTask,
  ingest: ingestTask,
  'mix-papers': mixPapersTask,
  sampled: sampledTask,
  'bert-tokenizer': bertTokenizerTask,
  'plain-tokenizer': plainTokenizerTask,
  'write-bert': writeBertTask,
  'convert-bert': convertTask,
  'matrix-peak': peakTask,
  'encoding-rate': encodingRateTask,
  'encode-papers': encodePapersTask,
  workers: workersTask,
  sequences: sequencesTask,
  'tag-papers': tagPapersTask,
  'memory-growth': memoryGrowthTask,
};

const [name, job] = process.argv.slice(2);
const task = tasks[name];
if (task === undefined) throw new Error(`bench: no task "${name}".`);
const result = await task(JSON.parse(job) as never);
process.stdout.write(`${JSON.stringify(result)}\n`);
