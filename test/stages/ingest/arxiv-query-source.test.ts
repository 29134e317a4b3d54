import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeService, failed, instead } from './fake-service.ts';
import { expectSameWhereverServiceDies, fetchInto, keptBy, keptSource, newStore } from './kept-sources.ts';

interface Entry {
  number: number;
  updated: string;
  title?: string;
  comment?: string;
}

let entries: Entry[];
let service: FakeService;
let total: number | null;

/** As arXiv writes an entry; the papers are invented. */
function entryText({ number, updated, title = `Paper ${number} on lichens`, comment }: Entry): string {
  return `<entry>
    <id>http://arxiv.org/abs/2101.${String(number).padStart(5, '0')}v2</id>
    <updated>${updated}</updated>
    <published>2021-01-04T18:00:00Z</published>
    <title>${title}</title>
    <summary>  We follow lichens &amp; stones
over many years.
</summary>
    <author><name>Bea Adder</name></author>
    <author><name>Dan Cobra</name><arxiv:affiliation xmlns:arxiv="http://arxiv.org/schemas/atom">North University</arxiv:affiliation></author>
    ${comment === undefined ? '' : `<arxiv:comment xmlns:arxiv="http://arxiv.org/schemas/atom">${comment}</arxiv:comment>`}
    <arxiv:doi xmlns:arxiv="http://arxiv.org/schemas/atom">10.9999/q.${number}</arxiv:doi>
    <link href="http://arxiv.org/abs/2101.00001v2" rel="alternate" type="text/html"/>
    <category term="cs.CL" scheme="http://arxiv.org/schemas/atom"/><category term="cs.LG" scheme="http://arxiv.org/schemas/atom"/>
  </entry>`;
}

function answer(url: URL) {
  const start = Number(url.searchParams.get('start'));
  const sorted = [...entries].sort((a, b) => (a.updated < b.updated ? 1 : -1));
  const shown = sorted.slice(start, start + 3);
  return {
    type: 'application/atom+xml',
    body: `<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <title type="html">ArXiv Query</title><id>http://arxiv.org/api/x</id><updated>2024-02-01T00:00:00-05:00</updated>
  <opensearch:totalResults xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">${total ?? entries.length}</opensearch:totalResults>
  ${shown.map(entryText).join('\n')}
</feed>\n`,
  };
}

beforeEach(async () => {
  total = null;
  entries = Array.from({ length: 8 }, (_, i) => ({ number: i + 1, updated: `2024-01-0${i + 1}T10:00:00Z` }));
  service = new FakeService(answer);
  await service.start();
});
afterEach(() => service.stop());

const source = () =>
  keptSource({ source: 'arxiv', query: 'cat:cs.CL AND abs:lichen', url: `${service.url}/api/query` });

describe('papers that a query finds', () => {
  it('come page by page, with the latest change first', async () => {
    const store = newStore();
    await fetchInto(store, source());
    const { records, skipped } = keptBy(store, source());
    expect(skipped).toEqual([]);
    expect(records).toHaveLength(8);
    expect(records[0]).toMatchObject({
      ...{
        id: 'arXiv:2101.00001',
        arxiv: '2101.00001',
        doi: '10.9999/q.1',
        year: 2021,
        title: 'Paper 1 on lichens',
      },
      abstract: 'We follow lichens & stones over many years.',
      facts: {
        authors: ['Bea Adder', 'Dan Cobra'],
        institutions: ['North University'],
        published: '2021-01-04',
      },
      extra: { categories: ['cs.CL', 'cs.LG'] },
    });
    expect(service.parameters('search_query')[0]).toBe('cat:cs.CL AND abs:lichen');
    expect(service.parameters('sortBy')[0]).toBe('lastUpdatedDate');
    expect(service.parameters('start')).toEqual(['0', '3', '6']);
  });

  it('are asked for, the next night, until one that has not changed', async () => {
    const store = newStore();
    await fetchInto(store, source());
    entries[0] = { ...entries[0], updated: '2024-01-11T10:00:00Z', title: 'Another title for lichens' };
    entries[1] = {
      ...entries[1],
      updated: '2024-01-12T10:00:00Z',
      comment: 'This submission has been withdrawn',
    };
    service.asked.length = 0;
    await fetchInto(store, source());
    expect(service.parameters('start')).toEqual(['0', '3']);
    const { records } = keptBy(store, source());
    expect(records).toHaveLength(8);
    expect(records[0].title).toBe('Another title for lichens');
    expect(records[1].withdrawn?.reason).toBe('withdrawn');
  });

  it('are the same at whichever request the service dies for a while', async () => {
    await expectSameWhereverServiceDies(service, source);
  });

  it('are asked for again where a page comes empty, as happens', async () => {
    const store = newStore();
    service.spoilers.set(
      1,
      instead('<feed><opensearch:totalResults xmlns:opensearch="x">8</opensearch:totalResults></feed>'),
    );
    service.spoilers.set(2, failed(503));
    const { notices } = await fetchInto(store, source());
    expect(notices[0]).toContain('the answer is empty, where 5 papers are to come');
    expect(keptBy(store, source()).records).toHaveLength(8);
  });

  it('may be none', async () => {
    entries = [];
    const store = newStore();
    await fetchInto(store, source());
    expect(keptBy(store, source()).records).toEqual([]);
  });

  it('may not be more than the service lists', async () => {
    total = 30_001;
    await expect(fetchInto(newStore(), source())).rejects.toThrow('got one with 30,001. Narrow ingest.query');
  });

  it('are refused in the words of the service', async () => {
    service.spoilers.set(
      0,
      instead(
        '<feed><entry><id>http://arxiv.org/api/errors#incorrect</id><title>Error</title><summary>malformed query</summary></entry></feed>',
      ),
    );
    await expect(fetchInto(newStore(), source())).rejects.toThrow('the query was refused: "malformed query"');
  });
});

describe('settings', () => {
  it('take a set or a query, not both and not neither', () => {
    expect(() => keptSource({ source: 'arxiv' })).toThrow();
    expect(() => keptSource({ source: 'arxiv', set: 'cs', query: 'x' })).toThrow(
      'left out where ingest.set is given',
    );
    expect(() => keptSource({ source: 'csv', path: 'a', query: 'x' })).toThrow('csv has no use for it');
    expect(() => keptSource({ source: 'arxiv', set: 'cs', url: 'ftp://x' })).toThrow('https://');
  });
});
