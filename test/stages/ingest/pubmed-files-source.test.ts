import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cutOff, FakeService, failed } from './fake-service.ts';
import { expectSameWhereverServiceDies, fetchInto, keptBy, keptSource, newStore } from './kept-sources.ts';
import { articleSet, deletions } from './pubmed-papers.ts';

const structured = `<AbstractText Label="BACKGROUND" NlmCategory="BACKGROUND">Few know <i>lichens</i>.</AbstractText>
<AbstractText Label="UNLABELLED">We looked.</AbstractText><AbstractText Label="RESULTS">They hold 10<sup>5</sup> cells and CO<sub>2</sub> &lt; 5%.</AbstractText>`;

const files: Record<string, Buffer> = {
  'pubmed24n0001.xml.gz': gzipSync(
    articleSet([
      { pmid: 1, abstract: structured },
      { pmid: 2 },
      { pmid: 3, kinds: ['Journal Article', 'Retracted Publication'] },
      { pmid: 4, title: '[Lichens in another tongue].' },
    ]),
  ),
  'pubmed24n0002.xml.gz': gzipSync(articleSet([{ pmid: 5 }, { pmid: 6 }])),
  'pubmed24n1220.xml.gz': gzipSync(
    articleSet([{ pmid: 2, title: 'A better title on lichens.', version: 2 }], deletions(5, 99)),
  ),
};

const ids = ({ records }: { records: { id: string }[] }): string[] => records.map(({ id }) => id);

describe('a folder of files', () => {
  let folder: string;
  const source = () => keptSource({ source: 'pubmed', path: '.' }, folder);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'scinertopic-pubmed-'));
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    return () => rmSync(folder, { recursive: true });
  });

  it('gives articles with structured abstracts joined, people, headings and what retracts them', async () => {
    const store = newStore();
    await fetchInto(store, source());
    const { records, skipped } = keptBy(store, source());
    expect(ids({ records })).toEqual(['pmid:1', 'pmid:2', 'pmid:3', 'pmid:4', 'pmid:6']);
    expect(records[0]).toMatchObject({
      ...{
        line: 4,
        doi: '10.9999/p.1',
        pmid: '1',
        year: 2021,
        title: 'Article 1 on lichens.',
        withdrawn: null,
      },
      abstract: 'BACKGROUND: Few know lichens. We looked. RESULTS: They hold 10^5 cells and CO2 < 5%.',
      facts: {
        ...{ authors: ['Bea Adder', 'Lichen Group'], institutions: ['North University.'] },
        ...{ venue: 'Journal of stones', published: '2021-04' },
      },
      extra: { types: ['Journal Article'], language: 'eng', mesh: ['Lichens'], keywords: ['basalt'] },
    });
    expect(records[1].title).toBe('A better title on lichens.');
    expect(records[2].withdrawn?.reason).toBe('retracted');
    expect(records[3].title).toBe('Lichens in another tongue');
    expect(skipped).toMatchObject([{ id: 'pmid:5', reason: 'deleted' }]);
  });

  it('is read on from the first file that is new, and nothing is forgotten with files that are cleared away', async () => {
    const store = newStore();
    await fetchInto(store, source());
    const before = keptBy(store, source());
    expect((await fetchInto(store, source())).pieces).toBe(0);
    rmSync(join(folder, 'pubmed24n0001.xml.gz'));
    writeFileSync(join(folder, 'pubmed24n1221.xml.gz'), gzipSync(articleSet([{ pmid: 7 }], deletions(6))));
    await fetchInto(store, source());
    expect(ids(keptBy(store, source()))).toEqual(['pmid:1', 'pmid:2', 'pmid:3', 'pmid:4', 'pmid:7']);
    expect(keptBy(store, source()).revision).toBeGreaterThan(before.revision);
  });

  it('has later files hold over an earlier one that is read again', async () => {
    const store = newStore();
    await fetchInto(store, source());
    utimesSync(join(folder, 'pubmed24n0001.xml.gz'), 1, 1);
    await fetchInto(store, source());
    const { records, skipped } = keptBy(store, source());
    expect(records[1].title).toBe('A better title on lichens.');
    expect(skipped).toMatchObject([{ id: 'pmid:5' }]);
  });

  it('gives the same however often it is cut off', async () => {
    const whole = newStore();
    await fetchInto(whole, source());
    const cut = newStore();
    for (let pieces = 1; !(await fetchInto(cut, source(), pieces)).isWhole; ) pieces = 3 - pieces;
    const { revision: _one, ...expected } = keptBy(whole, source());
    const { revision: _other, ...found } = keptBy(cut, source());
    expect(found).toEqual(expected);
  });

  it('tells of a damaged file by its name', async () => {
    writeFileSync(join(folder, 'pubmed24n0002.xml.gz'), files['pubmed24n0002.xml.gz'].subarray(0, 300));
    await expect(fetchInto(newStore(), source())).rejects.toThrow('whole gzip file as pubmed24n0002.xml.gz');
  });

  it('leaves out what is broken, books, and what has no id', async () => {
    const book = '<PubmedBookArticle><BookDocument><PMID>55</PMID></BookDocument></PubmedBookArticle>';
    const broken = '<PubmedArticle><MedlineCitation><PMID>56</PMID><Article><b></Article></PubmedArticle>';
    const text = articleSet(
      [{ pmid: 7 }],
      `${book}<PubmedArticle/>${broken}${
        articleSet([{ pmid: 8 }])
          .split('<PubmedArticleSet>')[1]
          .split('</PubmedArticleSet>')[0]
      }`,
    );
    for (const name of Object.keys(files)) rmSync(join(folder, name));
    writeFileSync(join(folder, 'pubmed24n0001.xml'), text);
    const store = newStore();
    await fetchInto(store, source());
    const { records, skipped } = keptBy(store, source());
    expect(ids({ records })).toEqual(['pmid:7', 'pmid:8']);
    expect(skipped.map(({ reason }) => reason).sort()).toEqual(['a book', 'broken XML', 'not an article']);
  });
});

describe('files that are offered on the web', () => {
  let offered: Record<string, Buffer>;
  let service: FakeService;
  const source = () =>
    keptSource({ source: 'pubmed', url: `${service.url}/pubmed/`, requests_per_second: 100 });
  const md5 = (content: Buffer): string => createHash('md5').update(content).digest('hex');

  beforeEach(async () => {
    offered = {};
    for (const [name, content] of Object.entries(files)) {
      const folder = name < 'pubmed24n1000' ? 'baseline' : 'updatefiles';
      offered[`/pubmed/${folder}/${name}`] = content;
      offered[`/pubmed/${folder}/${name}.md5`] = Buffer.from(`MD5(${name})= ${md5(content)}\n`);
    }
    service = new FakeService(({ pathname }) => {
      if (!pathname.endsWith('/'))
        return pathname in offered ? { body: offered[pathname] } : { status: 404, body: 'no' };
      const inside = Object.keys(offered).filter((path) => path.startsWith(pathname));
      const names = new Set(inside.map((path) => /^[^/]+\/?/.exec(path.slice(pathname.length))?.[0] ?? ''));
      const links = ['../', '?C=N;O=D', ...names].map((name) => `<a href="${name}">${name}</a>`);
      return { type: 'text/html', body: `<html><pre>${links.join('\n')}</pre></html>` };
    });
    await service.start();
  });
  afterEach(() => service.stop());

  it('are brought, compared with their checksums, and read in the order of their numbers', async () => {
    const store = newStore();
    await fetchInto(store, source());
    expect(ids(keptBy(store, source()))).toEqual(['pmid:1', 'pmid:2', 'pmid:3', 'pmid:4', 'pmid:6']);
    const fetched = service.asked.map(({ pathname }) => pathname).filter((path) => path.endsWith('.gz'));
    expect(fetched.map((path) => path.split('/').at(-1))).toEqual(Object.keys(files));
  });

  it('are brought once', async () => {
    const store = newStore();
    await fetchInto(store, source());
    const update = gzipSync(articleSet([{ pmid: 8 }]));
    offered['/pubmed/updatefiles/pubmed24n1221.xml.gz'] = update;
    offered['/pubmed/updatefiles/pubmed24n1221.xml.gz.md5'] = Buffer.from(md5(update));
    service.asked.length = 0;
    await fetchInto(store, source());
    expect(service.asked.filter(({ pathname }) => pathname.endsWith('.gz'))).toHaveLength(1);
    expect(ids(keptBy(store, source()))).toContain('pmid:8');
  });

  it('are brought again where the line breaks, and refused where the checksum is another', async () => {
    service.spoilers.set(4, cutOff);
    const store = newStore();
    expect((await fetchInto(store, source())).notices).toHaveLength(1);
    expect(keptBy(store, source()).records).toHaveLength(5);
    offered['/pubmed/baseline/pubmed24n0001.xml.gz.md5'] = Buffer.from('0'.repeat(32));
    await expect(fetchInto(newStore(), source())).rejects.toThrow(`to have the checksum ${'0'.repeat(32)}`);
  });

  it('give the same at whichever request the service dies for a while', async () => {
    await expectSameWhereverServiceDies(service, source);
  });

  it('are looked for where the user says', async () => {
    offered = { '/pubmed/other.txt': Buffer.from('x') };
    await expect(fetchInto(newStore(), source())).rejects.toThrow(
      'expected files named as pubmed24n0001.xml.gz',
    );
    service.spoilers.set(service.asked.length, failed(404));
    await expect(fetchInto(newStore(), source())).rejects.toThrow('got status 404');
  });
});
