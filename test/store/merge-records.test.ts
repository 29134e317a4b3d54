import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { IngestedRecord, PaperFacts } from '../../pipeline/contract.ts';
import { beginIntake } from '../../pipeline/store/intake.ts';
import { openDatabase, type Store } from '../../pipeline/store/open.ts';

function newStore(): Store {
  return openDatabase(join(mkdtempSync(join(tmpdir(), 'scinertopic-merge-')), 'pipeline.db'));
}

const noFacts: PaperFacts = { authors: [], institutions: [], venue: null, citations: null, published: null };

function record(id: string, more: Partial<IngestedRecord> = {}): IngestedRecord {
  const { title = `Title of ${id}`, abstract = 'An abstract.' } = more;
  return {
    ...{ line: 1, id, doi: null, arxiv: null, pmid: null, title, abstract, year: 2020, facts: noFacts },
    ...{ withdrawn: null, contentHash: contentHash(title, abstract), titleKey: title.toLowerCase() },
    ...{ richness: 1, extra: {} },
    ...more,
  };
}

function contentHash(title: string, abstract: string): string {
  return createHash('sha256').update(`${title}\0${abstract}`).digest('hex');
}

type Sources = Record<string, IngestedRecord[]>;

function take(store: Store, sources: Sources) {
  const intake = beginIntake(store);
  for (const [place, [name, records]] of Object.entries(sources).entries()) {
    intake.add({ source: { name, place }, records, skipped: [] });
  }
  return store.transaction(() => intake.finish())();
}

const documents = (store: Store) => store.prepare('SELECT * FROM documents ORDER BY id').all();
const origins = (store: Store) =>
  store
    .prepare(
      'SELECT document_id, source, record_id, matched_by FROM document_sources ORDER BY document_id, source, record_id',
    )
    .all();

describe('records of several sources', () => {
  it('become one paper by DOI, arXiv id, PubMed id or title, and say by which', () => {
    const store = newStore();
    const counts = take(store, {
      openalex: [
        record('W1', { doi: '10.1/a' }),
        record('W2', { arxiv: '2101.00001' }),
        record('W3', { pmid: '12' }),
        record('W4', { titleKey: 'the same title' }),
        record('W5'),
      ],
      other: [
        record('o1', { doi: '10.1/a' }),
        record('o2', { arxiv: '2101.00001' }),
        record('o3', { pmid: '12' }),
        record('o4', { titleKey: 'the same title' }),
        record('o6'),
      ],
    });
    expect(counts).toMatchObject({ read: 10, documents: 6, merged: 4, skipped: [] });
    const by = (id: string) =>
      origins(store).filter((row) => (row as { document_id: string }).document_id === id);
    expect(by('W1')).toEqual([
      { document_id: 'W1', source: 'openalex', record_id: 'W1', matched_by: null },
      { document_id: 'W1', source: 'other', record_id: 'o1', matched_by: 'doi' },
    ]);
    const names = ['W2', 'W3', 'W4'].map((id) => (by(id)[1] as { matched_by: string }).matched_by);
    expect(names).toEqual(['arXiv id', 'PubMed id', 'title']);
    expect(by('W5')).toEqual([{ document_id: 'W5', source: 'openalex', record_id: 'W5', matched_by: null }]);
  });

  it('give one paper the text of the richest, the id of the first, and what only one of them knows', () => {
    const store = newStore();
    take(store, {
      first: [
        record('a', {
          doi: '10.1/a',
          year: null,
          extra: { volume: '3' },
          facts: { ...noFacts, citations: 7 },
        }),
      ],
      second: [
        record('b', {
          ...{ doi: '10.1/a', pmid: '5', richness: 9, abstract: 'A longer abstract.', extra: { issue: '2' } },
          facts: { authors: ['A. One'], institutions: ['U'], venue: 'J', citations: 5, published: '2020-05' },
        }),
      ],
    });
    expect(documents(store)).toMatchObject([
      {
        ...{
          id: 'a',
          source: 'second',
          abstract: 'A longer abstract.',
          year: 2020,
          doi: '10.1/a',
          pmid: '5',
        },
        ...{ authors: '["A. One"]', institutions: '["U"]', venue: 'J', citations: 7, published: '2020-05' },
        extra: '{"volume":"3","issue":"2"}',
      },
    ]);
  });

  it('are tied through a third that shares a key with each', () => {
    const store = newStore();
    take(store, {
      one: [record('a', { doi: '10.1/a', richness: 9 })],
      two: [record('b', { doi: '10.1/a', pmid: '5' })],
      three: [record('c', { pmid: '5' })],
    });
    expect(origins(store)).toMatchObject([
      { document_id: 'a', source: 'one', matched_by: null },
      { document_id: 'a', source: 'three', matched_by: 'PubMed id' },
      { document_id: 'a', source: 'two', matched_by: 'doi' },
    ]);
  });

  it('keep their provenance when what they were merged into is merged once more', () => {
    const store = newStore();
    take(store, {
      one: [record('a', { doi: '10.1/a', pmid: '5', richness: 2 })],
      two: [record('b', { doi: '10.1/a' })],
      three: [record('c', { pmid: '5', richness: 9 })],
    });
    expect(origins(store)).toMatchObject([
      { document_id: 'a', source: 'one', record_id: 'a', matched_by: 'PubMed id' },
      { document_id: 'a', source: 'three', record_id: 'c', matched_by: null },
      { document_id: 'a', source: 'two', record_id: 'b', matched_by: 'doi' },
    ]);
  });

  it('with one id by chance stay two papers, the later named for its source', () => {
    const store = newStore();
    take(store, {
      one: [record('1', { title: 'One title' })],
      two: [record('1', { title: 'Another title' })],
    });
    expect(documents(store)).toMatchObject([
      { id: '1', source: 'one' },
      { id: 'two:1', source: 'two' },
    ]);
  });

  it('do not depend on the order of their rows', () => {
    const rows = (i: number): IngestedRecord =>
      record(`r${i}`, { titleKey: `t${i % 3}`, doi: i % 2 ? `10.1/${i % 5}` : null });
    const all = Array.from({ length: 20 }, (_, i) => rows(i));
    const sources: Sources = { one: all.slice(0, 10), two: all.slice(10) };
    const forward = newStore();
    const backward = newStore();
    take(forward, sources);
    take(backward, { one: all.slice(0, 10).reverse(), two: all.slice(10).reverse() });
    expect(documents(backward)).toEqual(documents(forward));
    expect(origins(backward)).toEqual(origins(forward));
  });

  it('let a paper keep what was found in it when an earlier source takes it up', () => {
    const store = newStore();
    const later = record('b', { doi: '10.1/a', richness: 9 });
    take(store, { one: [record('x')], two: [later] });
    const key = store.prepare("SELECT document_key FROM document WHERE id = 'b'").pluck().get();
    store.prepare("INSERT INTO tagged VALUES (?, 'h', 'k')").run(key);
    const counts = take(store, { one: [record('x'), record('a', { doi: '10.1/a' })], two: [later] });
    expect(counts).toMatchObject({ documents: 2, added: 0, changed: 0, removed: 0, merged: 1 });
    expect(store.prepare("SELECT document_key FROM document WHERE id = 'a'").pluck().get()).toBe(key);
    expect(store.prepare('SELECT count(*) FROM tagged').pluck().get()).toBe(1);
  });
});

describe('withdrawn papers', () => {
  const retracted = { reason: 'retracted', detail: 'the journal says so' } as const;

  it('leave the corpus with their reason, in whichever source else they stand', () => {
    const store = newStore();
    const counts = take(store, {
      one: [record('a', { doi: '10.1/a', richness: 9 }), record('b')],
      two: [record('c', { doi: '10.1/a', withdrawn: retracted })],
    });
    expect(counts).toMatchObject({ documents: 1, skipped: [{ reason: 'retracted', rows: 1 }] });
    expect(store.prepare('SELECT id, reason, detail FROM skipped_rows').all()).toEqual([
      { id: 'a', reason: 'retracted', detail: 'the journal says so' },
    ]);
  });

  it('stay where only one version was taken back and another source has the paper', () => {
    const store = newStore();
    take(store, {
      one: [record('a', { doi: '10.1/a' })],
      two: [record('c', { doi: '10.1/a', withdrawn: { reason: 'withdrawn', detail: 'by its authors' } })],
    });
    expect(documents(store)).toMatchObject([{ id: 'a' }]);
    expect(store.prepare('SELECT id, reason FROM skipped_rows').all()).toEqual([
      { id: 'c', reason: 'withdrawn' },
    ]);
  });

  it('are void in both of two rows of one source', () => {
    const store = newStore();
    take(store, {
      one: [
        record('a', { doi: '10.1/a' }),
        record('b', { doi: '10.1/a', withdrawn: retracted }),
        record('c'),
      ],
    });
    expect(documents(store)).toMatchObject([{ id: 'c' }]);
  });
});

describe('one source', () => {
  it('has title and abstract of a paper joined where two rows of one id hold one each', () => {
    const store = newStore();
    const counts = take(store, {
      jsonl: [
        record('1', { title: 'A title', abstract: '', doi: '10.1/a', richness: 2 }),
        record('1', { line: 2, title: '', abstract: 'An abstract.', titleKey: null, richness: 9 }),
      ],
    });
    expect(counts).toMatchObject({ documents: 1, merged: 1, skipped: [] });
    expect(documents(store)).toMatchObject([
      { id: '1', title: 'A title', abstract: 'An abstract.', doi: '10.1/a' },
    ]);
    expect(store.prepare('SELECT content_hash FROM document').pluck().get()).toBe(
      contentHash('A title', 'An abstract.'),
    );
  });

  it('is not searched for equal arXiv and PubMed ids', () => {
    const store = newStore();
    const counts = take(store, { csv: [record('a', { pmid: '5' }), record('b', { pmid: '5' })] });
    expect(counts).toMatchObject({ documents: 2, merged: 0, skipped: [] });
  });
});
