/** Rows a second and memory of the ingest stage: memory must not grow with the file. */

import { existsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Bench } from './bench.ts';
import type { IngestJob, IngestResult } from './ingest-task.ts';
import { runTask } from './measured-process.ts';
import { absent } from './papers.ts';
import { type Cell, printTable } from './table.ts';

export const ingestBench: Bench = {
  name: 'ingest',
  about: 'reading, cleaning and checking the ACL and arXiv files',
  async run({ sizes, corpora }, print) {
    const rows: Cell[][] = [];
    for (const path of [corpora.acl, corpora.arxiv]) {
      if (!existsSync(path)) {
        print(absent(path));
        continue;
      }
      for (const most of sizes ?? [null]) {
        const job: IngestJob = { path, most };
        const { result, peakMegabytes } = await runTask<IngestResult>('ingest', job);
        const { wallSeconds, cpuSeconds } = result.read;
        rows.push([
          ...[
            basename(path),
            statSync(path).size / 1e6,
            result.rows,
            result.skipped,
            1,
            wallSeconds,
            cpuSeconds,
          ],
          ...[peakMegabytes, Math.round(result.rows / cpuSeconds), result.sha256],
        ]);
      }
    }
    const header = [
      'file',
      'MB',
      'n',
      'left out',
      'threads',
      'wall s',
      'CPU s',
      'peak MB',
      'rows / CPU s',
      'sha256',
    ];
    printTable(print, 'Ingest without a database: rows read, checked and dropped.', header, rows);
  },
};
