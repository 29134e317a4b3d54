/** Reads files through the ingest stage, in a folder of their own. */

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IngestedRecord, SkippedRow } from '../../../pipeline/contract.ts';
import { stage } from '../../../stages/ingest/stage.ts';

export interface ReadPapers {
  records: IngestedRecord[];
  skipped: SkippedRow[];
  notices: string[];
}

/**
 * @param files Content by name.
 * @param settings Of the ingest section; `path` names all files where it is left out.
 */
export async function readPapers(
  files: Record<string, string | Buffer>,
  settings: Record<string, unknown>,
): Promise<ReadPapers> {
  const folder = mkdtempSync(join(tmpdir(), 'scinertopic-papers-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const config = stage.section.schema.parse({ path: Object.keys(files), ...settings });
  const read: ReadPapers = { records: [], skipped: [], notices: [] };
  const job = {
    ...{ config, seed: 1, threads: 1, baseFolder: folder, signal: new AbortController().signal },
    model: () => {
      throw new Error('no model here');
    },
    progress: () => {},
    notice: (message: string) => read.notices.push(message),
  };
  for await (const batch of stage.read(job)) {
    read.records.push(...batch.records);
    read.skipped.push(...batch.skipped);
  }
  return read;
}
