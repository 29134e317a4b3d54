import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cutOff, FakeService, failed, hangUp, instead } from './fake-service.ts';
import { expectSameWhereverServiceDies, fetchInto, keptBy, keptSource, newStore } from './kept-sources.ts';
import { type Article, articleSet } from './pubmed-papers.ts';

interface Entry extends Article {
  /** Days as PubMed writes them. */
  entered: string;
  changed: string;
}

let entries: Entry[];
let lastUpdate: string;
let service: FakeService;
/** What a search counts, where it is not the truth. */
let counts: ((days: string) => number) | null;

function answer(url: URL) {
  const ask = url.searchParams;
  const json = (body: unknown) => ({ type: 'application/json', body: JSON.stringify(body) });
  if (url.pathname.endsWith('/einfo.fcgi')) {
    return json({
      header: { type: 'einfo' },
      einforesult: { dbinfo: [{ dbname: 'pubmed', lastupdate: `${lastUpdate} 05:12` }] },
    });
  }
  if (url.pathname.endsWith('/esearch.fcgi')) {
    if (ask.get('term') === 'bad[') return json({ esearchresult: { ERROR: 'Invalid query' } });
    const day = ask.get('datetype') === 'mdat' ? ('changed' as const) : ('entered' as const);
    const [from, until] = [ask.get('mindate') ?? '', ask.get('maxdate') ?? ''];
    const found = entries.filter((entry) => entry[day] >= from && entry[day] <= until);
    // Latest first, as PubMed gives them.
    const idlist = found.map(({ pmid }) => String(pmid)).reverse();
    const count = counts?.(`${from}-${until}`) ?? idlist.length;
    return json({
      header: {},
      esearchresult: { count: String(count), retmax: '9999', retstart: '0', idlist },
    });
  }
  const ids = (ask.get('id') ?? '').split(',').map(Number);
  return { type: 'text/xml', body: articleSet(entries.filter(({ pmid }) => ids.includes(pmid))) };
}

beforeEach(async () => {
  counts = null;
  lastUpdate = '2024/02/01';
  entries = Array.from({ length: 450 }, (_, i) => ({
    ...{ pmid: i + 1, entered: `20${String(10 + (i % 10))}/03/04`, changed: '2024/01/05' },
  }));
  service = new FakeService(answer);
  await service.start();
});
afterEach(() => service.stop());

const source = (more: Record<string, unknown> = {}) =>
  keptSource({
    source: 'pubmed',
    query: 'lichens[mesh]',
    url: `${service.url}/entrez/eutils`,
    requests_per_second: 100,
    ...more,
  });
const paths = (): string[] => service.asked.map(({ pathname }) => pathname.split('/').at(-1) ?? '');

describe('articles that a query finds', () => {
  it('are searched once and fetched two hundred at a time', async () => {
    const store = newStore();
    await fetchInto(store, source({ mailto: 'me@uni.example', api_key: 'env:NCBI_KEY' }), undefined, {
      NCBI_KEY: 'secret',
    });
    expect(paths()).toEqual(['einfo.fcgi', 'esearch.fcgi', 'efetch.fcgi', 'efetch.fcgi', 'efetch.fcgi']);
    const { records } = keptBy(store, source());
    expect(records).toHaveLength(450);
    expect(records[0]).toMatchObject({ id: 'pmid:1', pmid: '1', doi: '10.9999/p.1' });
    expect(Object.fromEntries(service.asked[1].searchParams)).toMatchObject({
      ...{ db: 'pubmed', term: 'lichens[mesh]', datetype: 'edat', tool: 'scinertopic' },
      ...{ email: 'me@uni.example', api_key: 'secret' },
    });
  });

  it('are searched by spans of days where there are more than a search gives', async () => {
    const days = (text: string): number[] => text.split('-').map((day) => Number(day.replaceAll('/', '')));
    // As if each article were a hundred.
    counts = (span) => {
      const [from, until] = days(span);
      return (
        100 * entries.filter(({ entered }) => days(entered)[0] >= from && days(entered)[0] <= until).length
      );
    };
    entries = entries.slice(0, 90);
    const full = counts;
    counts = (span) => {
      const count = full(span);
      return count > 2_000 ? count + 9_999 : count / 100;
    };
    const store = newStore();
    await fetchInto(store, source());
    expect(keptBy(store, source()).records).toHaveLength(90);
    const spans = service.asked.filter(({ pathname }) => pathname.endsWith('esearch.fcgi'));
    expect(spans.length).toBeGreaterThan(5);
    for (const { searchParams } of spans) {
      expect(searchParams.get('mindate')).toMatch(/^\d{4}\/\d\d\/\d\d$/);
      expect((searchParams.get('mindate') ?? '') <= (searchParams.get('maxdate') ?? '')).toBe(true);
    }
  });

  it('are too many where one day alone has more', async () => {
    counts = () => 20_000;
    await expect(fetchInto(newStore(), source())).rejects.toThrow(
      'expected at most 9999 articles of one day, got 20000 on 1800/01/01',
    );
  });

  it('are asked for, the next night, where they changed since', async () => {
    const store = newStore();
    await fetchInto(store, source());
    entries[0] = { ...entries[0], changed: '2024/02/03', title: 'Another title for lichens' };
    entries[1] = { ...entries[1], changed: '2024/02/01', kinds: ['Retracted Publication'] };
    lastUpdate = '2024/02/05';
    service.asked.length = 0;
    await fetchInto(store, source());
    const [, search, fetch] = service.asked;
    expect([search.searchParams.get('datetype'), search.searchParams.get('mindate')]).toEqual([
      'mdat',
      '2024/02/01',
    ]);
    expect(fetch.searchParams.get('id')).toBe('1,2');
    const { records } = keptBy(store, source());
    expect(records).toHaveLength(450);
    expect(records[0].title).toBe('Another title for lichens');
    expect(records.find(({ id }) => id === 'pmid:2')?.withdrawn?.reason).toBe('retracted');
    const { revision } = keptBy(store, source());
    await fetchInto(store, source());
    expect(service.asked.at(-1)?.searchParams.get('mindate')).toBe('2024/02/05');
    expect(keptBy(store, source()).revision).toBe(revision);
  });

  it('are the same at whichever request the service dies for a while', async () => {
    await expectSameWhereverServiceDies(service, source, { asksRestAlone: true });
  });

  it('that are gone when they are fetched, and that come broken, are told', async () => {
    const store = newStore();
    await fetchInto(store, source());
    entries[2] = { ...entries[2], changed: '2024/02/03' };
    entries[3] = {
      ...entries[3],
      changed: '2024/02/03',
      abstract: '<AbstractText>An &undeclared; sign</AbstractText>',
    };
    await fetchInto(store, source());
    expect(keptBy(store, source()).records).toHaveLength(450);
    expect(keptBy(store, source()).skipped).toMatchObject([{ reason: 'broken XML' }]);
  });
});

describe('a service that fails', () => {
  it.each([
    ['429', failed(429, { 'retry-after': '1' })],
    ['502', failed(502)],
    ['a broken connection', cutOff],
    ['a connection broken before an answer', hangUp],
    ['half a document', instead('<?xml version="1.0"?><PubmedArticleSet><PubmedArticle>')],
    ['a page of its own in place of one', instead('<html>Backend failed</html>')],
  ])('is asked again after %s', async (_name, spoiler) => {
    service.spoilers.set(3, spoiler);
    const store = newStore();
    expect((await fetchInto(store, source())).notices).toHaveLength(1);
    expect(keptBy(store, source()).records).toHaveLength(450);
  });

  it('is asked again after a search that failed behind it, and refused a query that is none', async () => {
    service.spoilers.set(1, instead('{"esearchresult":{"ERROR":"Search Backend failed: timeout"}}'));
    expect((await fetchInto(newStore(), source())).notices).toHaveLength(1);
    await expect(fetchInto(newStore(), source({ query: 'bad[' }))).rejects.toThrow(
      'the query was refused: "Invalid query"',
    );
    service.spoilers.set(service.asked.length, failed(400));
    await expect(fetchInto(newStore(), source())).rejects.toThrow('Check ingest.query and ingest.api_key');
  });
});
