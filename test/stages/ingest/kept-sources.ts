/** Asks a kept source for changes and stores them as a run does, whole or cut off after some pieces. */

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { IngestedRecord, KeptSource, SkippedRow } from '../../../pipeline/contract.ts';
import { openDatabase, type Store } from '../../../pipeline/store/open.ts';
import { beginSource, readRecords, storeChanges } from '../../../pipeline/store/sources.ts';
import { stage } from '../../../stages/ingest/stage.ts';
import type { FakeService } from './fake-service.ts';

export function newStore(): Store {
  return openDatabase(join(mkdtempSync(join(tmpdir(), 'scinertopic-kept-')), 'pipeline.db'));
}

/** The one source of these settings. */
export function keptSource(settings: Record<string, unknown>, baseFolder = '.'): KeptSource {
  const [source] = stage.kept(stage.section.schema.parse(settings), baseFolder);
  return source;
}

export interface Fetched {
  pieces: number;
  /** Whether the source came to its end. */
  isWhole: boolean;
  notices: string[];
}

/** @param mostPieces After so many the process dies, as far as the source and the store can tell. */
export async function fetchInto(
  store: Store,
  source: KeptSource,
  mostPieces = Number.POSITIVE_INFINITY,
  variables: Record<string, string> = {},
): Promise<Fetched> {
  const { sourceKey, cursor } = beginSource(store, source);
  const fetched: Fetched = { pieces: 0, isWhole: false, notices: [] };
  const notice = (message: string): void => {
    fetched.notices.push(message);
  };
  const job = { signal: new AbortController().signal, variables, notice, patience: 0.002 };
  for await (const piece of source.changes(cursor, job)) {
    if (fetched.pieces === mostPieces) return fetched;
    storeChanges(store, sourceKey, piece);
    fetched.pieces++;
  }
  fetched.isWhole = true;
  return fetched;
}

export interface Kept {
  records: IngestedRecord[];
  skipped: SkippedRow[];
  revision: number;
}

/** What the store has of a source, by record id. */
export function keptBy(store: Store, source: KeptSource): Kept {
  const { sourceKey, revision } = beginSource(store, source);
  const pieces = [...readRecords(store, sourceKey)];
  return {
    records: pieces.flatMap(({ records }) => records),
    skipped: pieces.flatMap(({ skipped }) => skipped),
    revision,
  };
}

/**
 * Fetches a source from a service that dies at its first, second, … request and comes back, and expects each time what
 * an undisturbed service gives.
 *
 * @param asksRestAlone Whether what had been stored is not asked for again.
 */
export async function expectSameWhereverServiceDies(
  service: FakeService,
  source: () => KeptSource,
  { asksRestAlone = false } = {},
): Promise<void> {
  const undisturbed = newStore();
  await fetchInto(undisturbed, source());
  const { revision: _revision, ...expected } = keptBy(undisturbed, source());
  const requests = service.asked.length;
  for (let request = 0; request < requests; request++) {
    const store = newStore();
    service.deadFrom = service.asked.length + request;
    await expect(fetchInto(store, source())).rejects.toThrow('answered 500');
    service.deadFrom = Number.POSITIVE_INFINITY;
    const asked = service.asked.length;
    await fetchInto(store, source());
    if (asksRestAlone) expect(service.asked.length - asked).toBe(requests - request);
    const { revision: _other, ...found } = keptBy(store, source());
    expect(found).toEqual(expected);
  }
}
