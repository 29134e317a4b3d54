/** Small input for the export tests, and the files it becomes, read back. */

import { parse } from 'csv-parse/sync';
import type { ExportFile, ExportInput, Job } from '../../../pipeline/contract.ts';
import type { ExportConfig } from '../../../stages/export/config.ts';
import { stage } from '../../../stages/export/stage.ts';

/** A document with its mentions, given as places in the entity list below. */
export interface TestDocument {
  id: string;
  title: string;
  year: number | null;
  topic: number;
  x: number;
  y: number;
  mentions: number[];
}

/** By canonical text then type, as the contract has it. */
export const entityList = {
  canonical: ['=SUM(A1); total', 'BLEU', 'approach', 'attention', 'attention', 'parsing'],
  type: ['Material', 'Metric', 'Generic', 'Method', 'OtherScientificTerm', 'Task'],
  generic: Uint8Array.from([0, 0, 1, 0, 0, 0]),
};

// Topic 3 is on parsing, topic 8 on attention; the year 2003 is empty.
export const documents: TestDocument[] = [
  { id: 'd1', title: 'Parsing, "fast"', year: 2001, topic: 3, x: 0, y: 0, mentions: [5, 5, 3] },
  { id: 'd2', title: '-1 is <b>cold</b>', year: 2001, topic: 3, x: 0.5, y: 0, mentions: [5, 2] },
  { id: 'd3', title: 'two\nlines', year: 2002, topic: 3, x: 0, y: 0.5, mentions: [5] },
  { id: 'd4', title: 'Attention', year: 2002, topic: 8, x: 5, y: 5, mentions: [1, 3, 4, 4, 0] },
  { id: 'd5', title: '@home & away', year: 2004, topic: 8, x: 5, y: 5.5, mentions: [3, 1] },
  { id: 'd6', title: 'Undated', year: null, topic: 8, x: 5.5, y: 5, mentions: [3] },
  { id: 'd7', title: 'Alone', year: 2004, topic: -1, x: 2, y: 2, mentions: [5, 1] },
];

const topicLabels = new Map([
  [3, 'Parsing'],
  [8, '+attention <i>&</i> "BLEU"'],
]);

/** Input made of the documents in the order given; everything else follows from them. */
export function inputOf(list: readonly TestDocument[]): ExportInput {
  const mentions = list.flatMap(({ mentions }, document) => mentions.map((entity) => ({ document, entity })));
  const topicId = [...new Set(list.map(({ topic }) => topic))]
    .filter((topic) => topic >= 0)
    .sort((a, b) => a - b);
  const rowsOf = (topic: number): number[] =>
    list.flatMap((document, row) => (document.topic === topic ? [row] : []));
  // Nearest to the id order, so that representatives do not depend on the order of the rows.
  const byId = (rows: number[]): number[] => rows.sort((a, b) => (list[a].id < list[b].id ? -1 : 1));
  return {
    documents: {
      id: list.map(({ id }) => id),
      title: list.map(({ title }) => title),
      abstract: list.map(() => ''),
      year: list.map(({ year }) => year),
    },
    papers: null,
    entities: {
      list: entityList,
      document: Int32Array.from(mentions, ({ document }) => document),
      entity: Int32Array.from(mentions, ({ entity }) => entity),
      score: new Float32Array(mentions.length).fill(1),
    },
    positions: { x: Float32Array.from(list, ({ x }) => x), y: Float32Array.from(list, ({ y }) => y) },
    assignments: {
      topic: Int32Array.from(list, ({ topic }) => topic),
      probability: Float32Array.from(list, ({ topic }) => (topic < 0 ? 0 : 0.75)),
      outlierScore: new Float32Array(list.length),
    },
    topics: {
      topicId,
      label: topicId.map((id) => topicLabels.get(id) ?? `Topic ${id}`),
      size: topicId.map((id) => rowsOf(id).length),
      x: topicId.map((id) => (id === 3 ? -0.00001 : 5)),
      y: topicId.map((id) => (id === 3 ? -1.5 : 5)),
      coherence: topicId.map(() => -0.25),
      representatives: topicId.map((id) => byId(rowsOf(id)).slice(0, 2)),
    },
    terms: {
      topicId: Int32Array.from(topicId.flatMap((id) => [id, id])),
      rank: Int32Array.from(topicId.flatMap(() => [1, 2])),
      term: topicId.flatMap((id) => (id === 3 ? ['a; b', 'chart Parsing'] : ['attention', 'heads'])),
      type: topicId.flatMap((id) => (id === 3 ? ['word', 'Task'] : ['Method', 'word'])),
      weight: Float32Array.from(topicId.flatMap(() => [0.5, 0.25])),
    },
    distanceToCenter: Float32Array.from(list, ({ topic }) => (topic < 0 ? Number.NaN : 0.125)),
    events: [
      { runId: 'run-0001', event: 'born', topicId: 3, fromTopicIds: [], reason: '' },
      {
        runId: 'run-0002',
        event: 'merged',
        topicId: 8,
        fromTopicIds: [5, 6],
        reason: 'run.refresh is refit',
      },
      { runId: 'run-0002', event: 'continued', topicId: 3, fromTopicIds: [3], reason: '' },
    ],
    facts: {
      runId: 'run-0002',
      config: { run: { seed: 1 }, label: { note: '</pre><script>' } },
      models: [{ role: 'embed', reference: 'builtin:static', hash: 'ab'.repeat(32) }],
      skipped: [{ reason: 'duplicate & "title"', rows: 4 }],
      notices: ['<img src=x> is not markup'],
    },
  };
}

export function jobOf(
  config: Partial<ExportConfig> = {},
  signal = new AbortController().signal,
): Job<ExportConfig> {
  return {
    config: { ...stage.section.schema.parse({}), ...config },
    seed: 0,
    threads: 1,
    baseFolder: '/nowhere',
    model: () => {
      throw new Error('no model here');
    },
    signal,
    progress: () => undefined,
    notice: () => undefined,
  };
}

/** Every file's whole text, by name. */
export async function exported(
  input: ExportInput,
  config: Partial<ExportConfig> = {},
): Promise<Map<string, string>> {
  const files = await stage.run(input, jobOf(config));
  return new Map([...files].map((file) => [file.name, textOf(file)]));
}

export function textOf(file: ExportFile): string {
  return Buffer.concat([...file.content].map((piece) => Buffer.from(piece))).toString('utf8');
}

/** Rows of a table as another program reads them, header first. */
export function tableOf(files: Map<string, string>, name: string): string[][] {
  const text = files.get(name);
  if (text === undefined) throw new Error(`${name} was not exported.`);
  return parse(text, { relaxColumnCount: false }) as string[][];
}
