/**
 * ingest: reads papers from files and services, cleans and checks each row, and gives records in batches. A row
 * that is left out is given as well, with its reason. Which of two duplicates is kept, and which records of
 * several sources are one paper, is decided by the store, over the whole corpus.
 */

import { resolve } from 'node:path';
import type {
  IngestBatch,
  Job,
  KeptSource,
  SourceChanges,
  SourceName,
  SourceStage,
} from '../../pipeline/contract.ts';
import { aclSource } from './acl-source.ts';
import { arxivOaiSource } from './arxiv-oai-source.ts';
import { arxivQuerySource } from './arxiv-query-source.ts';
import { type IngestConfig, isWhole, type SourceConfig, section, sourcesOf } from './config.ts';
import { openAlexSource } from './openalex-source.ts';
import { pubmedFolderSource, pubmedUrlSource } from './pubmed-files-source.ts';
import { pubmedQuerySource } from './pubmed-query-source.ts';
import { checkedFiles, readFile } from './whole-file.ts';

export const stage: SourceStage<IngestConfig> = {
  name: 'ingest',
  version: 2,
  section,
  seeded: false,
  files,
  read,
  kept,
};

/** @throws UserError for a path where there is no file. */
function files(config: IngestConfig, baseFolder: string): string[] {
  return [
    ...new Set(
      sourcesOf(config)
        .filter(isWhole)
        .flatMap((source) => wholeFiles(source, baseFolder)),
    ),
  ];
}

async function* read(job: Job<IngestConfig>): AsyncGenerator<IngestBatch> {
  const names = sourceNames(job.config);
  let done = 0;
  for (const [place, config] of sourcesOf(job.config).entries()) {
    if (!isWhole(config)) continue;
    const paths = wholeFiles(config, job.baseFolder);
    for (const path of paths) {
      const isOneOfMany = paths.length > 1 || names.length > 1;
      for await (const batch of readFile(path, isOneOfMany, config, job)) {
        done += batch.records.length + batch.skipped.length;
        job.progress(done);
        yield { ...batch, source: names[place] };
      }
    }
  }
}

function kept(config: IngestConfig, baseFolder: string): KeptSource[] {
  const names = sourceNames(config);
  return sourcesOf(config).flatMap((source, place) => {
    // What was fetched before is worked with; nobody is asked.
    const quiet = (kept: KeptSource): KeptSource[] => [
      source.update === false ? { ...kept, changes: nothing } : kept,
    ];
    switch (source.source) {
      case 'acl':
        return [aclSource(source, baseFolder, names[place])];
      case 'openalex':
        return quiet(openAlexSource(source, names[place]));
      case 'arxiv':
        return quiet((source.set === undefined ? arxivQuerySource : arxivOaiSource)(source, names[place]));
      case 'pubmed':
        if (source.path !== undefined) return quiet(pubmedFolderSource(source, baseFolder, names[place]));
        return quiet(
          (source.query === undefined ? pubmedUrlSource : pubmedQuerySource)(source, names[place]),
        );
      default:
        return [];
    }
  });
}

async function* nothing(): AsyncGenerator<SourceChanges> {}

/** Sources in the order of the config; two that would have one name are told apart by a number. */
function sourceNames(config: IngestConfig): SourceName[] {
  const taken = new Map<string, number>();
  return sourcesOf(config).map(({ source, name: given }, place) => {
    const name = given ?? source;
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    return { name: count === 1 ? name : `${name} ${count}`, place };
  });
}

/** Files of a source that is read as a whole. */
function wholeFiles({ path }: SourceConfig, baseFolder: string): string[] {
  const paths = path === undefined ? [] : typeof path === 'string' ? [path] : path;
  return checkedFiles([...new Set(paths.map((one) => resolve(baseFolder, one)))]);
}
