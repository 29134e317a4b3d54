import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cutOff, FakeService, failed, hangUp, instead } from './fake-service.ts';
import { expectSameWhereverServiceDies, fetchInto, keptBy, keptSource, newStore } from './kept-sources.ts';

interface Paper {
  id: string;
  day: string;
  deleted?: boolean;
  title?: string;
  comments?: string;
  raw?: string;
}

let papers: Paper[];
let today: string;
let service: FakeService;
/** Tokens of listings that the service remembers. */
let tokens: Map<string, Paper[]>;

/** As arXiv writes a record; the papers are invented. */
function record({ id, day, deleted, title = `Paper ${id} on lichens`, comments, raw }: Paper): string {
  const header = `<header${deleted ? ' status="deleted"' : ''}><identifier>oai:arXiv.org:${id}</identifier><datestamp>${day}</datestamp><setSpec>cs</setSpec></header>`;
  if (deleted) return `<record>${header}</record>`;
  const metadata =
    raw ??
    `<metadata>
 <arXiv xmlns="http://arxiv.org/OAI/arXiv/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://arxiv.org/OAI/arXiv/ http://arxiv.org/OAI/arXiv.xsd">
 <id>${id}</id><created>2021-01-04</created><updated>2021-02-05</updated><authors><author><keyname>Adder</keyname><forenames>Bea</forenames></author><author><keyname>Cobra</keyname><forenames>Dan</forenames><suffix>Jr</suffix><affiliation>North University</affiliation></author></authors><title>${title}</title><categories>cs.CL cs.LG</categories>${comments === undefined ? '' : `<comments>${comments}</comments>`}<journal-ref>Journal of Stones 3 (2021) 1-9</journal-ref><doi>10.9999/${id} 10.9999/other</doi><license>http://creativecommons.org/licenses/by/4.0/</license><abstract>  We follow lichens with $\\alpha &lt; 1$
  over many years.
</abstract></arXiv>
</metadata>`;
  return `<record>\n${header}\n${metadata}\n</record>`;
}

const page = (inner: string): string => `<?xml version="1.0" encoding="UTF-8"?>
<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/ http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd">
<responseDate>${today}T05:00:00Z</responseDate>
<request verb="ListRecords">http://oaipmh.arxiv.org/oai</request>
${inner}
</OAI-PMH>`;

function answer(url: URL) {
  const ask = url.searchParams;
  const xml = (inner: string) => ({ type: 'text/xml', body: page(inner) });
  let list = tokens.get(ask.get('resumptionToken') ?? '');
  if (ask.has('resumptionToken') && list === undefined)
    return xml('<error code="badResumptionToken">expired</error>');
  if (list === undefined) {
    if (ask.get('metadataPrefix') !== 'arXiv' || ask.get('set') === 'nowhere')
      return xml('<error code="badArgument">set does not exist</error>');
    list = papers.filter(({ day }) => day >= (ask.get('from') ?? '') && day <= (ask.get('until') ?? '9'));
    if (list.length === 0) return xml('<error code="noRecordsMatch">nothing</error>');
  }
  const rest = list.slice(3);
  const token = rest.length === 0 ? '' : `${tokens.size + 1}|${rest.length}`;
  if (token !== '') tokens.set(token, rest);
  const more = `<resumptionToken cursor="0" completeListSize="${list.length}">${token}</resumptionToken>`;
  return xml(`<ListRecords>\n${list.slice(0, 3).map(record).join('\n')}\n${more}</ListRecords>`);
}

beforeEach(async () => {
  papers = Array.from({ length: 8 }, (_, i) => ({ id: `2101.0000${i + 1}`, day: `2024-01-0${i + 1}` }));
  today = '2024-01-10';
  tokens = new Map();
  service = new FakeService(answer);
  await service.start();
});
afterEach(() => service.stop());

const source = (more: Record<string, unknown> = {}) =>
  keptSource({ source: 'arxiv', set: 'cs', url: `${service.url}/oai`, ...more });

describe('papers of a set', () => {
  it('come with people, categories, and text whose lines are joined', async () => {
    const store = newStore();
    await fetchInto(store, source());
    const { records, skipped } = keptBy(store, source());
    expect(skipped).toEqual([]);
    expect(records).toHaveLength(8);
    expect(records[0]).toMatchObject({
      ...{
        id: 'arXiv:2101.00001',
        arxiv: '2101.00001',
        doi: '10.9999/2101.00001',
        year: 2021,
        withdrawn: null,
      },
      abstract: 'We follow lichens with $\\alpha < 1$ over many years.',
      facts: {
        ...{
          authors: ['Bea Adder', 'Dan Cobra Jr'],
          institutions: ['North University'],
          published: '2021-01-04',
        },
        venue: 'Journal of Stones 3 (2021) 1-9',
      },
      extra: { categories: ['cs.CL', 'cs.LG'], updated: '2021-02-05' },
    });
    expect(service.parameters('verb').every((verb) => verb === 'ListRecords')).toBe(true);
    expect(service.parameters('set')).toEqual(['cs', null, null]);
  });

  it('are those of the days that are asked for', async () => {
    const days = { from: '2024-01-03', until: '2024-01-05' };
    const store = newStore();
    await fetchInto(store, source(days));
    expect(keptBy(store, source(days)).records.map(({ arxiv }) => arxiv)).toEqual([
      '2101.00003',
      '2101.00004',
      '2101.00005',
    ]);
  });

  it('that were taken back say so', async () => {
    papers[0].comments = 'This paper has been withdrawn by the authors due to an error in Lemma 2';
    papers[1].comments = 'We withdraw our earlier claim; 9 pages';
    const store = newStore();
    await fetchInto(store, source());
    const { records } = keptBy(store, source());
    expect(records[0].withdrawn).toMatchObject({ reason: 'withdrawn' });
    expect(records[1].withdrawn).toBeNull();
  });

  it('that are broken are left out one by one', async () => {
    papers[1].raw = '<metadata><arXiv><title>An &undeclared; sign</title></arXiv></metadata>';
    papers[2].raw = '<metadata><other/></metadata>';
    papers[3].raw = '<metadata><arXiv><title>Half a title</arXiv></metadata>';
    const store = newStore();
    await fetchInto(store, source());
    const { records, skipped } = keptBy(store, source());
    expect(records.map(({ arxiv }) => arxiv)).toEqual([
      '2101.00001',
      '2101.00005',
      '2101.00006',
      '2101.00007',
      '2101.00008',
    ]);
    expect(skipped.map(({ reason }) => reason).sort()).toEqual(['broken XML', 'broken XML', 'not a record']);
  });
});

describe('the next night', () => {
  it('asks from the day of the last answer on, and takes what changed and what is deleted', async () => {
    const store = newStore();
    await fetchInto(store, source());
    papers[0] = { ...papers[0], title: 'Another title for lichens', day: '2024-01-10' };
    papers[1] = { ...papers[1], deleted: true, day: '2024-01-11' };
    papers.push(
      { id: '2401.00009', day: '2024-01-11' },
      { id: '2401.00010', day: '2024-01-11', deleted: true },
    );
    today = '2024-01-12';
    service.asked.length = 0;
    await fetchInto(store, source());
    expect(service.parameters('from')[0]).toBe('2024-01-10');
    const { records, skipped, revision } = keptBy(store, source());
    expect(records).toHaveLength(8);
    expect(records[0].title).toBe('Another title for lichens');
    expect(skipped).toMatchObject([{ id: 'arXiv:2101.00002', reason: 'deleted' }]);

    service.asked.length = 0;
    await fetchInto(store, source());
    expect(service.parameters('from')).toEqual(['2024-01-12']);
    expect(keptBy(store, source()).revision).toBe(revision);
  });
});

describe('a service that fails', () => {
  it.each([
    ['503 with Retry-After, its way to slow us down', failed(503, { 'retry-after': '5' })],
    ['500', failed(500)],
    ['a broken connection', cutOff],
    ['a connection broken before an answer', hangUp],
    ['half an answer', instead('<?xml version="1.0"?><OAI-PMH><responseDate>2024-01-10T00:00:00Z</resp')],
  ])('is asked again after %s', async (_name, spoiler) => {
    service.spoilers.set(1, spoiler);
    const store = newStore();
    const { notices } = await fetchInto(store, source());
    expect(keptBy(store, source()).records).toHaveLength(8);
    expect(notices).toHaveLength(1);
  });

  it('gives the same papers at whichever request it dies for a while', async () => {
    await expectSameWhereverServiceDies(service, source);
  });

  it('is asked from the start where the place in its list has expired, and nothing between is missed', async () => {
    const store = newStore();
    await fetchInto(store, source(), 1);
    tokens.clear();
    today = '2024-01-20';
    papers[7] = { ...papers[7], title: 'Changed in the meantime, on lichens', day: '2024-01-15' };
    const { notices } = await fetchInto(store, source());
    expect(notices[0]).toContain('begun again');
    expect(keptBy(store, source()).records).toHaveLength(8);
    await fetchInto(store, source());
    // The listing began on the tenth, whatever day it ended.
    expect(service.parameters('from').at(-1)).toBe('2024-01-10');
  });

  it('names what to mend when it refuses', async () => {
    await expect(fetchInto(newStore(), source({ set: 'nowhere' }))).rejects.toThrow('badArgument');
    service.spoilers.set(service.asked.length, instead('<html>a proxy</html>'));
    await expect(fetchInto(newStore(), source())).rejects.toThrow('expected an answer of OAI-PMH');
    service.spoilers.set(
      service.asked.length,
      instead('<!DOCTYPE x [<!ENTITY a "b">]><OAI-PMH>&a;</OAI-PMH>'),
    );
    await expect(fetchInto(newStore(), source())).rejects.toThrow('are refused');
  });
});
