/** Asks the sources whose records are kept for what is new, and stores it piece by piece with where to go on. */

import type { SourceJob } from './contract.ts';
import { Interrupted } from './errors.ts';
import { stages } from './order.ts';
import type { Settings } from './settings.ts';
import type { Store } from './store/open.ts';
import { beginSource, readSource, storeChanges } from './store/sources.ts';

export interface FetchJob extends SourceJob {
  /** Records taken so far, of the source that `work` names. */
  progress(done: number, work: string): void;
}

/**
 * @throws UserError when a source cannot be reached or does not answer as it should; what it gave before is
 *   stored, and the same call goes on from there. Interrupted when the signal is raised.
 */
export async function fetchSources(store: Store, settings: Settings, job: FetchJob): Promise<void> {
  for (const source of stages.ingest.kept(settings.sections.ingest, settings.baseFolder)) {
    const { sourceKey, cursor } = beginSource(store, source);
    let done = 0;
    for await (const piece of source.changes(cursor, job)) {
      if (job.signal.aborted)
        throw new Interrupted(`ingest: stopped while ${source.name} was asked for changes.`);
      storeChanges(store, sourceKey, piece);
      done += piece.records.length + piece.skipped.length + piece.deleted.length;
      job.progress(done, `changes from ${source.name}`);
    }
  }
}

/** The revision of each kept source, as it stands in reasons; what ingest is made from beside files. */
export function sourceRevisions(store: Store, settings: Settings): Record<string, string> {
  const sources = stages.ingest.kept(settings.sections.ingest, settings.baseFolder);
  return Object.fromEntries(
    sources.map(({ name, identity }) => {
      const revision = readSource(store, identity)?.revision;
      return [`records of ${name}`, `${identity.slice(0, 16)} ${revision ?? 'not asked yet'}`];
    }),
  );
}
