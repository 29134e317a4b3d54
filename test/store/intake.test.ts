import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { IngestedRecord } from '../../pipeline/contract.ts';
import { readDocuments, readOrder } from '../../pipeline/store/documents.ts';
import { beginIntake, corpusFingerprint, orderKey } from '../../pipeline/store/intake.ts';
import { openDatabase, type Store } from '../../pipeline/store/open.ts';

function newStore(): Store {
  return openDatabase(join(mkdtempSync(join(tmpdir(), 'scinertopic-store-')), 'pipeline.db'));
}

function record(line: number, id: string, more: Partial<IngestedRecord> = {}): IngestedRecord {
  const title = more.title ?? `Title of ${id}`;
  return {
    line,
    id,
    doi: null,
    arxiv: null,
    pmid: null,
    facts: { authors: [], institutions: [], venue: null, citations: null, published: null },
    withdrawn: null,
    title,
    abstract: 'An abstract.',
    year: 2020,
    contentHash: `hash of ${title} ${more.abstract ?? ''}`,
    titleKey: title.toLowerCase(),
    richness: 1,
    extra: {},
    ...more,
  };
}

function take(store: Store, records: IngestedRecord[]) {
  const intake = beginIntake(store);
  intake.add({ source: { name: 'csv', place: 0 }, records, skipped: [] });
  return store.transaction(() => intake.finish())();
}

describe('intake', () => {
  it('keeps the richer of two rows with one id, DOI or title, and says which', () => {
    const store = newStore();
    const counts = take(store, [
      record(1, 'a', { richness: 1, title: 'First words' }),
      record(2, 'a', { richness: 5, title: 'Second words' }),
      record(3, 'b', { doi: '10.1/x', richness: 9, title: 'Third words' }),
      record(4, 'c', { doi: '10.1/x', richness: 2, title: 'Fourth words' }),
      record(5, 'd', { titleKey: 'same', richness: 3 }),
      record(6, 'e', { titleKey: 'same', richness: 4 }),
    ]);
    expect(readDocuments(store).id.sort()).toEqual(['a', 'b', 'e']);
    expect(counts).toMatchObject({ read: 6, documents: 3, added: 3, changed: 0, removed: 0 });
    expect(store.prepare('SELECT line, id, reason, kept_id FROM skipped_rows ORDER BY line').all()).toEqual([
      { line: 1, id: 'a', reason: 'duplicate id', kept_id: 'a' },
      { line: 4, id: 'c', reason: 'duplicate DOI', kept_id: 'b' },
      { line: 5, id: 'd', reason: 'duplicate title', kept_id: 'e' },
    ]);
  });

  it('does not depend on the order of the rows', () => {
    const rows = [
      record(1, 'a', { titleKey: 'same' }),
      record(2, 'b', { titleKey: 'same' }),
      record(3, 'c', { doi: '10.1/y', titleKey: null }),
      record(4, 'd', { doi: '10.1/y', titleKey: null }),
      record(5, 'e'),
    ];
    const forward = newStore();
    const backward = newStore();
    take(forward, rows);
    take(
      backward,
      rows.toReversed().map((row, i) => ({ ...row, line: i + 1 })),
    );
    expect(readDocuments(backward)).toEqual(readDocuments(forward));
    expect(corpusFingerprint(backward)).toBe(corpusFingerprint(forward));
  });

  it('counts what is new, changed and removed, and drops what hung on removed documents', () => {
    const store = newStore();
    take(store, [record(1, 'a'), record(2, 'b'), record(3, 'c')]);
    const key = store.prepare("SELECT document_key FROM document WHERE id = 'a'").pluck().get();
    store.prepare("INSERT INTO tagged VALUES (?, 'h', 'k')").run(key);
    const before = corpusFingerprint(store);
    const counts = take(store, [record(1, 'b', { contentHash: 'other' }), record(2, 'c'), record(3, 'd')]);
    expect(counts).toMatchObject({ added: 1, changed: 1, removed: 1, documents: 3 });
    expect(store.prepare('SELECT count(*) FROM tagged').pluck().get()).toBe(0);
    expect(corpusFingerprint(store)).not.toBe(before);
  });

  it('orders documents by a hash of the id, so that neighbours are a random sample', () => {
    const store = newStore();
    take(
      store,
      Array.from({ length: 50 }, (_, i) => record(i, `id-${i}`)),
    );
    const { id } = readDocuments(store);
    const keys = id.map(orderKey);
    expect(keys).toEqual([...keys].sort((x, y) => x - y));
    const order = readOrder(store);
    order.keys.forEach((key, row) => {
      expect(order.rowOf[key]).toBe(row);
    });
  });
});
