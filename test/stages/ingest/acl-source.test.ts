import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { fetchInto, keptBy, keptSource, newStore } from './kept-sources.ts';

// As the Anthology's repository writes its files; the papers are invented.
const meeting = `<?xml version='1.0' encoding='UTF-8'?>
<collection id="2031.lich">
  <volume id="main" ingest-date="2031-06-21" type="proceedings">
    <meta>
      <booktitle>Proceedings of the First Meeting on <fixed-case>L</fixed-case>ichens</booktitle>
      <editor><first>Fay</first><last>Gecko</last></editor>
      <month>July</month>
      <year>2031</year>
      <venue>lich</venue>
    </meta>
    <frontmatter>
      <url hash="00000000">2031.lich-main.0</url>
    </frontmatter>
    <paper id="1">
      <title>Parsing <fixed-case>L</fixed-case>ichen Names with <tex-math>O(n^{2})</tex-math> Charts &amp; Trees</title>
      <author id="bea-adder"><first>Bea</first><last>Adder</last><affiliation>North University</affiliation></author>
      <author><first/><last>Cobra</last></author>
      <pages>1–9</pages>
      <abstract>We parse <i>names</i> of lichens &lt; 10 words long. See <url>https://example.org/lichens</url> for the data we used.</abstract>
      <url hash="11111111">2031.lich-main.1</url>
      <doi>10.9999/2031.lich-main.1</doi>
      <bibkey>adder-cobra-2031-parsing</bibkey>
    </paper>
    <paper id="2">
      <title>A Paper That Was Taken Back Later</title>
      <author><first>Dan</first><last>Dingo</last></author>
      <abstract>We report numbers that nobody could find again afterwards.</abstract>
      <retracted date="2032-01-05">Numbers were made up.</retracted>
      <url hash="22222222">2031.lich-main.2</url>
    </paper>
    <paper id="3">
      <title>A Paper Without Any Address of Its Own</title>
    </paper>
  </volume>
</collection>
`;
const old = `<?xml version='1.0' encoding='UTF-8'?>
<collection id="W71"><volume id="2"><meta><booktitle>Old Workshop on Stones</booktitle><year>1971</year></meta>
<paper id="3"><title>Stones in Two Languages at Once</title><author><first>Eva</first><last>Eland</last></author></paper>
</volume></collection>
`;

let folder: string;
const source = () => keptSource({ source: 'acl', path: 'anthology' }, folder);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scinertopic-acl-'));
  write('2031.lich.xml', meeting);
  write('W71.xml.gz', gzipSync(old));
  return () => rmSync(folder, { recursive: true });
});

function write(name: string, content: string | Buffer): void {
  writeFileSync(join(folder, name), content);
}

const folderSource = () => keptSource({ source: 'acl', path: '.' }, folder);

describe('the ACL Anthology', () => {
  it('gives papers with markup read as text, people, and where they appeared', async () => {
    const store = newStore();
    await fetchInto(store, folderSource());
    const { records, skipped } = keptBy(store, folderSource());
    expect(skipped).toEqual([]);
    expect(records).toMatchObject([
      {
        ...{ id: '2031.lich-main.1', line: 14, doi: '10.9999/2031.lich-main.1', year: 2031, withdrawn: null },
        title: 'Parsing Lichen Names with $O(n^{2})$ Charts & Trees',
        abstract:
          'We parse names of lichens < 10 words long. See https://example.org/lichens for the data we used.',
        facts: {
          ...{ authors: ['Bea Adder', 'Cobra'], institutions: ['North University'], published: '2031' },
          venue: 'Proceedings of the First Meeting on Lichens',
        },
      },
      {
        id: '2031.lich-main.2',
        withdrawn: {
          reason: 'retracted',
          detail: 'the ACL Anthology says so on 2032-01-05: Numbers were made up.',
        },
      },
      { id: '2031.lich-main.3', abstract: '' },
      { id: 'W71-0203', year: 1971, facts: { authors: ['Eva Eland'], venue: 'Old Workshop on Stones' } },
    ]);
  });

  it('is read again only where a file changed, and loses what is no longer in it', async () => {
    const store = newStore();
    await fetchInto(store, folderSource());
    const before = keptBy(store, folderSource());
    expect((await fetchInto(store, folderSource())).pieces).toBe(0);
    expect(keptBy(store, folderSource())).toEqual(before);

    write(
      '2031.lich.xml',
      meeting.replace(/<paper id="3">.*?<\/paper>/s, '').replace('10 words', '12 words'),
    );
    await fetchInto(store, folderSource());
    const after = keptBy(store, folderSource());
    expect(after.records.map(({ id }) => id)).toEqual(['2031.lich-main.1', '2031.lich-main.2', 'W71-0203']);
    expect(after.records[0].abstract).toContain('12 words');
    expect(after.revision).toBeGreaterThan(before.revision);

    rmSync(join(folder, 'W71.xml.gz'));
    await fetchInto(store, folderSource());
    expect(keptBy(store, folderSource()).records).toHaveLength(2);
  });

  it('gives the same however often it is cut off', async () => {
    const whole = newStore();
    await fetchInto(whole, folderSource());
    const cut = newStore();
    // Each try but the last stores its first pieces alone, among them that it began.
    for (let pieces = 1; !(await fetchInto(cut, folderSource(), pieces)).isWhole; ) pieces = 3 - pieces;
    const { revision: _one, ...one } = keptBy(whole, folderSource());
    const { revision: _other, ...other } = keptBy(cut, folderSource());
    expect(other).toEqual(one);
  });

  it('forgets rows of a reading that was cut off when the file changes before the next', async () => {
    const store = newStore();
    const many = Array.from(
      { length: 1200 },
      (_, i) => `<paper id="${i}"><title>Paper number ${i} on stones</title></paper>`,
    );
    const file = (papers: string[]) =>
      `<collection id="2032.big"><volume id="1">${papers.join('\n')}</volume></collection>`;
    write('2032.big.xml', file(many));
    await fetchInto(store, folderSource(), 4);
    expect(keptBy(store, folderSource()).records.length).toBeGreaterThan(100);
    write('2032.big.xml', file(many.slice(1190)));
    await fetchInto(store, folderSource());
    expect(keptBy(store, folderSource()).records).toHaveLength(4 + 10);
  });

  it('tells of a paper whose XML is broken, and reads the others', async () => {
    write('2031.lich.xml', meeting.replace('<i>names</i>', '<i>names'));
    const store = newStore();
    await fetchInto(store, folderSource());
    const { records, skipped } = keptBy(store, folderSource());
    expect(records.map(({ id }) => id)).toEqual(['2031.lich-main.2', '2031.lich-main.3', 'W71-0203']);
    expect(skipped).toMatchObject([
      { id: null, line: 14, reason: 'broken XML', detail: expect.stringContaining('(2031.lich.xml)') },
    ]);
  });

  it('is refused where there is nothing', async () => {
    await expect(fetchInto(newStore(), source())).rejects.toThrow('expected a file or a folder at');
    rmSync(join(folder, 'W71.xml.gz'));
    rmSync(join(folder, '2031.lich.xml'));
    await expect(fetchInto(newStore(), folderSource())).rejects.toThrow('found none named');
  });
});
