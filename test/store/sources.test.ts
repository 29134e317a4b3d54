import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { IngestedRecord, KeptSource, SourceChanges } from '../../pipeline/contract.ts';
import { openDatabase, type Store } from '../../pipeline/store/open.ts';
import {
  beginSource,
  countSources,
  dropOtherSources,
  readRecords,
  readSource,
  storeChanges,
} from '../../pipeline/store/sources.ts';

const newStore = (): Store =>
  openDatabase(join(mkdtempSync(join(tmpdir(), 'scinertopic-sources-')), 'pipeline.db'));

function source(identity: string, name = 'openalex'): KeptSource {
  return { identity, name, place: 0, changes: async function* () {} };
}

function record(id: string, title = `Title of ${id}`): IngestedRecord {
  return {
    ...{ line: 0, id, doi: null, arxiv: null, pmid: null, title, abstract: '', year: 2020, withdrawn: null },
    ...{ contentHash: title, titleKey: null, richness: 1, extra: { note: title } },
    facts: { authors: ['A'], institutions: [], venue: null, citations: 3, published: null },
  };
}

function piece(more: Partial<SourceChanges>): SourceChanges {
  const nothing = { records: [], skipped: [], deleted: [], endsListing: false, droppedParts: [] };
  return { cursor: 'c', part: '', pass: 1, ...nothing, ...more };
}

function read(store: Store, key: number, rowsAtOnce?: number) {
  const pieces = [...readRecords(store, key, rowsAtOnce)];
  return {
    records: pieces.flatMap(({ records }) => records),
    skipped: pieces.flatMap(({ skipped }) => skipped),
  };
}

describe('records of a source', () => {
  it('come back as they went in, by id, in pieces of any size', () => {
    const store = newStore();
    const { sourceKey } = beginSource(store, source('x'));
    const records = Array.from({ length: 25 }, (_, i) => record(`r${String(i).padStart(2, '0')}`));
    storeChanges(store, sourceKey, piece({ records: [...records].reverse() }));
    for (const rowsAtOnce of [1, 7, 25, 100])
      expect(read(store, sourceKey, rowsAtOnce).records).toEqual(records);
  });

  it('raise the revision where one of them changes, and by nothing else', () => {
    const store = newStore();
    const { sourceKey } = beginSource(store, source('x'));
    const revision = (): number => readSource(store, 'x')?.revision ?? -1;
    storeChanges(store, sourceKey, piece({ records: [record('a'), record('b')] }));
    expect(revision()).toBe(1);
    storeChanges(store, sourceKey, piece({ records: [record('a'), record('b')], pass: 2, cursor: 'd' }));
    expect([revision(), readSource(store, 'x')?.cursor]).toEqual([1, 'd']);
    storeChanges(store, sourceKey, piece({ records: [record('a', 'Another title')], pass: 2 }));
    expect(revision()).toBe(2);
    storeChanges(store, sourceKey, piece({ deleted: ['b', 'never there'] }));
    storeChanges(store, sourceKey, piece({ deleted: ['b'] }));
    expect(revision()).toBe(3);
  });

  it('that are deleted stay explained, and come back when the source has them again', () => {
    const store = newStore();
    const { sourceKey } = beginSource(store, source('x'));
    storeChanges(store, sourceKey, piece({ records: [record('a')] }));
    storeChanges(store, sourceKey, piece({ deleted: ['a'] }));
    expect(read(store, sourceKey)).toMatchObject({ records: [], skipped: [{ id: 'a', reason: 'deleted' }] });
    storeChanges(store, sourceKey, piece({ records: [record('a')] }));
    expect(read(store, sourceKey)).toMatchObject({ records: [{ id: 'a' }], skipped: [] });
  });

  it('that a whole listing of their part no longer has are gone; those of other parts stay', () => {
    const store = newStore();
    const { sourceKey } = beginSource(store, source('x'));
    storeChanges(store, sourceKey, piece({ part: 'one', records: [record('a'), record('b')] }));
    storeChanges(store, sourceKey, piece({ part: 'two', records: [record('c')] }));
    storeChanges(
      store,
      sourceKey,
      piece({ part: 'one', pass: 2, records: [record('b')], endsListing: true }),
    );
    expect(read(store, sourceKey).records.map(({ id }) => id)).toEqual(['b', 'c']);
    storeChanges(store, sourceKey, piece({ pass: 3, droppedParts: ['two'] }));
    expect(read(store, sourceKey).records.map(({ id }) => id)).toEqual(['b']);
  });

  it('that could not be read keep their line, and their id where they have one', () => {
    const store = newStore();
    const { sourceKey } = beginSource(store, source('x'));
    const fault = { reason: 'broken XML', detail: 'no end' };
    storeChanges(
      store,
      sourceKey,
      piece({
        skipped: [
          { line: 3, id: null, ...fault },
          { line: 9, id: 'a', ...fault },
        ],
      }),
    );
    const { skipped } = read(store, sourceKey);
    expect(skipped.map(({ line, id }) => [line, id])).toEqual([
      [3, null],
      [9, 'a'],
    ]);
    expect(countSources(store)).toEqual([{ name: 'openalex', records: 0, unread: 2 }]);
  });

  it('are forgotten with a source that the config no longer names', () => {
    const store = newStore();
    const one = beginSource(store, source('x'));
    const two = beginSource(store, source('y', 'arxiv'));
    storeChanges(store, one.sourceKey, piece({ records: [record('a')] }));
    storeChanges(store, two.sourceKey, piece({ records: [record('a')] }));
    dropOtherSources(store, ['y']);
    expect(countSources(store)).toEqual([{ name: 'arxiv', records: 1, unread: 0 }]);
    expect(store.prepare('SELECT count(*) FROM source_record').pluck().get()).toBe(1);
  });
});
