/** What the ingest bench runs in a process of its own: the stage over a file, its batches dropped as they come. */

import { createHash } from 'node:crypto';
import { stage } from '../../stages/ingest/stage.ts';
import { type Timing, timed } from './timing.ts';

export interface IngestJob {
  path: string;
  /** Stop after about this many rows; null reads the whole file. */
  most: number | null;
}

export interface IngestResult {
  read: Timing;
  rows: number;
  skipped: number;
  /** Over the content hashes of all records. */
  sha256: string;
}

export async function ingestTask({ path, most }: IngestJob): Promise<IngestResult> {
  const config = stage.section.schema.parse({ source: 'jsonl', path });
  const hash = createHash('sha256');
  let rows = 0;
  let skipped = 0;
  const read = await timed(async () => {
    const batches = stage.read({
      ...{
        config,
        seed: 1,
        threads: 1,
        baseFolder: '/',
        model: () => {
          throw new Error('no model here');
        },
        signal: new AbortController().signal,
      },
      ...{ progress: () => {}, notice: () => {} },
    });
    for await (const batch of batches) {
      for (const record of batch.records) hash.update(record.contentHash);
      rows += batch.records.length + batch.skipped.length;
      skipped += batch.skipped.length;
      if (most !== null && rows >= most) break;
    }
  });
  return { read: read.timing, rows, skipped, sha256: hash.digest('hex').slice(0, 12) };
}
