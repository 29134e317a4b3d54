import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cutOff, FakeService, failed, hangUp, instead } from './fake-service.ts';
import { expectSameWhereverServiceDies, fetchInto, keptBy, keptSource, newStore } from './kept-sources.ts';

interface Work {
  id: string;
  updated_date: string;
  [field: string]: unknown;
}

/** As the service gives works; the papers are invented. */
function work(number: number, more: Record<string, unknown> = {}): Work {
  return {
    id: `https://openalex.org/W${number}`,
    doi: `https://doi.org/10.9999/w.${number}`,
    display_name: `Work number ${number} on lichens`,
    publication_year: 2021,
    publication_date: '2021-04-09',
    type: 'article',
    language: 'en',
    authorships: [
      { author: { display_name: 'Bea Adder' }, institutions: [{ display_name: 'North University' }] },
    ],
    primary_location: { source: { display_name: 'Journal of Stones' } },
    locations: [],
    ids: { openalex: `https://openalex.org/W${number}` },
    cited_by_count: number,
    is_retracted: false,
    abstract_inverted_index: { The: [0], lichen: [1, 5], on: [2], the: [3], stone: [4], 'grows.': [6] },
    topics: [{ display_name: 'Lichen biology', score: 0.9 }],
    updated_date: '2024-02-01T10:00:00.123456',
    ...more,
  };
}

let works: unknown[];
let service: FakeService;
/** The filter that works are held to; as the real service, this one refuses it to those without a key. */
let needsKey = true;

function answer(url: URL) {
  const json = (body: unknown, status = 200) => ({
    status,
    type: 'application/json',
    body: JSON.stringify(body),
  });
  if (url.pathname !== '/works') return json({ error: 'not found' }, 404);
  const since = /from_updated_date:(\d{4}-\d\d-\d\d)/.exec(url.searchParams.get('filter') ?? '')?.[1];
  if (since !== undefined && needsKey && url.searchParams.get('api_key') !== 'secret-key')
    return json({}, 403);
  const cursor = url.searchParams.get('cursor') ?? '';
  const from = cursor === '*' ? 0 : Number(Buffer.from(cursor, 'base64').toString());
  if (Number.isNaN(from)) return json({ error: 'Invalid cursor' }, 400);
  const matching = works.filter(
    (one) => since === undefined || (one as Work).updated_date.slice(0, 10) >= since,
  );
  const results = matching.slice(from, from + 3);
  const next = results.length === 0 ? null : Buffer.from(String(from + 3)).toString('base64');
  return json({ meta: { count: matching.length, next_cursor: next, per_page: 3 }, results, group_by: [] });
}

beforeEach(async () => {
  needsKey = true;
  works = Array.from({ length: 8 }, (_, i) => work(i + 1));
  service = new FakeService(answer);
  await service.start();
});
afterEach(() => service.stop());

const source = (more: Record<string, unknown> = {}) =>
  keptSource({
    source: 'openalex',
    filter: 'topics.id:T1',
    url: service.url,
    requests_per_second: 100,
    ...more,
  });
const withKey = (more: Record<string, unknown> = {}) => source({ api_key: 'env:OPENALEX_KEY', ...more });
const key = { OPENALEX_KEY: 'secret-key' };

describe('works', () => {
  it('come page by page, with abstracts in their order, every repetition in its place', async () => {
    works[1] = work(2, { is_retracted: true, ids: { pmid: 'https://pubmed.ncbi.nlm.nih.gov/31234567' } });
    const store = newStore();
    await fetchInto(store, source());
    const { records, skipped } = keptBy(store, source());
    expect(skipped).toEqual([]);
    expect(records).toHaveLength(8);
    expect(records[0]).toMatchObject({
      ...{ id: 'https://openalex.org/W1', doi: '10.9999/w.1', title: 'Work number 1 on lichens', year: 2021 },
      abstract: 'The lichen on the stone lichen grows.',
      facts: {
        ...{
          authors: ['Bea Adder'],
          institutions: ['North University'],
          venue: 'Journal of Stones',
          citations: 1,
        },
        published: '2021-04-09',
      },
      extra: { type: 'article', language: 'en', topics: ['Lichen biology'] },
    });
    expect(records[1]).toMatchObject({ pmid: '31234567', withdrawn: { reason: 'retracted' } });
  });

  it('are asked for with filter, search, page size, contact and key', async () => {
    await fetchInto(
      newStore(),
      withKey({ query: 'crust lichens', mailto: 'me@uni.example' }),
      undefined,
      key,
    );
    const [first] = service.asked;
    expect(Object.fromEntries(first.searchParams)).toMatchObject({
      ...{ filter: 'topics.id:T1', search: 'crust lichens', 'per-page': '200', cursor: '*' },
      ...{ mailto: 'me@uni.example', api_key: 'secret-key' },
    });
    expect(first.searchParams.get('select')).toContain('abstract_inverted_index');
    expect(service.headers[0]['user-agent']).toBe('scinertopic (mailto:me@uni.example)');
  });

  it('that are none are left out one by one', async () => {
    works.splice(2, 2, null, { title: 'no id' });
    works[5] = work(6, { display_name: null, abstract_inverted_index: null });
    works[6] = work(7, { abstract_inverted_index: { broken: 'index' } });
    const store = newStore();
    await fetchInto(store, source());
    const { records, skipped } = keptBy(store, source());
    expect(records.map(({ id }) => id.slice(-1))).toEqual(['1', '2', '5', '8']);
    expect(skipped.map(({ id, reason }) => [id, reason])).toEqual([
      ['https://openalex.org/W6', 'no title and no abstract'],
      ['https://openalex.org/W7', 'wrong type'],
      ['listing 1, work 3', 'not a work'],
      ['listing 1, work 4', 'not a work'],
    ]);
  });
});

describe('the next night', () => {
  it('asks, with a key, for what changed alone', async () => {
    const store = newStore();
    await fetchInto(store, withKey(), undefined, key);
    const before = keptBy(store, withKey());
    works[3] = work(4, { display_name: 'Another title for lichens', updated_date: '2024-02-03' });
    works.push(work(9, { updated_date: '2024-02-02' }));
    works[0] = work(1, { updated_date: '2023-01-01', display_name: 'Changed, but not told' });
    service.asked.length = 0;
    await fetchInto(store, withKey(), undefined, key);
    expect(service.parameters('filter')[0]).toBe('topics.id:T1,from_updated_date:2024-02-01');
    const after = keptBy(store, withKey());
    expect(after.records).toHaveLength(9);
    expect(after.records[3].title).toBe('Another title for lichens');
    expect(after.records[0].title).toBe('Work number 1 on lichens');
    expect(after.revision).toBeGreaterThan(before.revision);
    // What changed on the last day seen is asked for once more, and is no change.
    await fetchInto(store, withKey(), undefined, key);
    expect(service.parameters('filter').at(-1)).toBe('topics.id:T1,from_updated_date:2024-02-03');
    expect(keptBy(store, withKey()).revision).toBe(after.revision);
  });

  it('reads, without a key, the whole list, and forgets what is no longer in it', async () => {
    const store = newStore();
    await fetchInto(store, source());
    const { revision } = keptBy(store, source());
    await fetchInto(store, source());
    expect(keptBy(store, source()).revision).toBe(revision);
    works.splice(0, 2);
    await fetchInto(store, source());
    expect(service.parameters('filter').every((filter) => filter === 'topics.id:T1')).toBe(true);
    expect(keptBy(store, source()).records).toHaveLength(6);
    expect(keptBy(store, source()).revision).toBeGreaterThan(revision);
  });

  it('reads the whole list where the key may not ask for changes, and says so', async () => {
    const store = newStore();
    await fetchInto(store, withKey(), undefined, { OPENALEX_KEY: 'other' });
    works.splice(0, 2);
    const { notices } = await fetchInto(store, withKey(), undefined, { OPENALEX_KEY: 'other' });
    expect(notices).toEqual(['openalex: this key may not ask for changes alone; the whole list is read.']);
    expect(keptBy(store, withKey()).records).toHaveLength(6);
  });

  it('asks nobody where it is told not to', async () => {
    const store = newStore();
    await fetchInto(store, source());
    service.asked.length = 0;
    await fetchInto(store, source({ update: false }));
    expect(service.asked).toEqual([]);
    expect(keptBy(store, source({ update: false })).records).toHaveLength(8);
  });
});

describe('a service that fails', () => {
  it.each([
    ['429 with Retry-After', failed(429, { 'retry-after': '2' })],
    ['503', failed(503)],
    ['500', failed(500)],
    ['a connection broken within an answer', cutOff],
    ['a connection broken before it', hangUp],
    ['half an answer', instead('{"meta":{"next_cursor":"abc"},"resul')],
  ])('is asked again after %s', async (_name, spoiler) => {
    const store = newStore();
    service.spoilers.set(1, spoiler);
    const { notices } = await fetchInto(store, source());
    expect(keptBy(store, source()).records).toHaveLength(8);
    expect(service.asked).toHaveLength(5);
    expect(notices).toHaveLength(1);
    expect(notices[0]).toContain('trying again');
  });

  it('gives the same works at whichever request it dies for a while', async () => {
    await expectSameWhereverServiceDies(service, source, { asksRestAlone: true });
  });

  it('gives the same works however often the process dies', async () => {
    const undisturbed = newStore();
    await fetchInto(undisturbed, source());
    const { revision: _revision, ...expected } = keptBy(undisturbed, source());
    const store = newStore();
    for (let tries = 0; !(await fetchInto(store, source(), 1)).isWhole; tries++)
      expect(tries).toBeLessThan(10);
    const { revision: _other, ...found } = keptBy(store, source());
    expect(found).toEqual(expected);
  });

  it('is asked from the start where it has forgotten the place in its list', async () => {
    const store = newStore();
    await fetchInto(store, source(), 1);
    service.spoilers.set(service.asked.length, failed(400));
    const { notices } = await fetchInto(store, source());
    expect(notices[0]).toContain('begun again');
    expect(keptBy(store, source()).records).toHaveLength(8);
  });

  it('names what to mend when it refuses', async () => {
    service.spoilers.set(0, failed(400));
    await expect(fetchInto(newStore(), source())).rejects.toThrow('Check ingest.filter');
    service.spoilers.set(service.asked.length, failed(401));
    await expect(fetchInto(newStore(), withKey(), undefined, key)).rejects.toThrow('Check ingest.api_key');
    await expect(fetchInto(newStore(), withKey())).rejects.toThrow('variable OPENALEX_KEY');
    service.spoilers.set(service.asked.length, instead('{"error": "moved"}'));
    await expect(fetchInto(newStore(), source())).rejects.toThrow('expected a list of works');
  });

  it('never has its key in a message', async () => {
    for (const spoiler of [failed(401), failed(400), failed(404), instead('[]')]) {
      service.spoilers.set(service.asked.length, spoiler);
      const message = await fetchInto(newStore(), withKey(), undefined, key).catch(
        (error: Error) => error.message,
      );
      expect(message).not.toContain('secret-key');
    }
  });
});
