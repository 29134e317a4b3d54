/** The configuration of a job that a bench runs on papers.jsonl.gz in a folder of its own. */

import { stringify } from 'yaml';

type Settings = Record<string, string | number>;

/** All settings but these, and those given for a section, are the defaults. */
export function jobConfig(
  { database, seed, threads }: { database: string; seed: number; threads: number },
  more: { run?: Settings; reduce?: Settings } = {},
): string {
  return stringify({
    run: { database, seed, threads, ...more.run },
    ingest: { source: 'jsonl', path: 'papers.jsonl.gz' },
    reduce: { ...more.reduce },
    export: { directory: 'outputs' },
  });
}
