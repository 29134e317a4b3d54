import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { IngestedRecord, SkippedRow } from '../../../pipeline/contract.ts';
import { checkRow, createMendCounts } from '../../../stages/ingest/check-record.ts';
import { source } from '../../../stages/ingest/config.ts';
import type { SourceRow } from '../../../stages/ingest/source-row.ts';
import { titleKey } from '../../../stages/ingest/title-key.ts';

const config = source.parse({ path: 'papers.csv' });
const abstract = 'We measure how fast the layer grows on sapphire and on glass.';

function check(values: SourceRow['values'], extra: SourceRow['extra'] = []) {
  const counts = createMendCounts();
  const checked = checkRow(
    { line: 7, values: { id: 'p1', title: 'Growth of thin films', abstract, ...values }, extra },
    config,
    counts,
  );
  return { checked, counts };
}

function kept(values: SourceRow['values'], extra: SourceRow['extra'] = []): IngestedRecord {
  const { checked } = check(values, extra);
  if ('skipped' in checked) throw new Error(`left out: ${checked.skipped.reason}: ${checked.skipped.detail}`);
  return checked.record;
}

function skipped(values: SourceRow['values']): SkippedRow {
  const { checked } = check(values);
  if ('record' in checked) throw new Error('kept');
  return checked.skipped;
}

describe('a sound row', () => {
  it('becomes a record with every field filled in', () => {
    const record = kept(
      { doi: 'https://doi.org/10.1000/ABC.1', year: '2019', title: ' Growth of <i>thin</i> films ' },
      [['venue', ' Journal  of\tFilms ']],
    );
    expect(record).toEqual({
      line: 7,
      id: 'p1',
      doi: '10.1000/abc.1',
      arxiv: null,
      pmid: null,
      title: 'Growth of thin films',
      abstract,
      year: 2019,
      facts: { authors: [], institutions: [], venue: null, citations: null, published: null },
      withdrawn: null,
      contentHash: createHash('sha256').update(`Growth of thin films\0${abstract}`).digest('hex'),
      titleKey: 'growthofthinfilms',
      richness: abstract.length + 20 + 50 + 50 + 5,
      extra: { venue: 'Journal of Films' },
    });
  });

  it('has another content hash when text moves between title and abstract', () => {
    expect(kept({ title: 'One two', abstract: 'three four five six' }).contentHash).not.toBe(
      kept({ title: 'One', abstract: 'two three four five six' }).contentHash,
    );
  });

  it('is richer with an abstract, a year or a DOI than without', () => {
    const full = kept({ year: 2000, doi: '10.1000/x' }).richness;
    for (const lack of [{ abstract: '' }, { year: null }, { doi: null }]) {
      expect(kept({ year: 2000, doi: '10.1000/x', ...lack }).richness).toBeLessThan(full);
    }
  });
});

describe('rows left out', () => {
  it.each([
    ['both empty', { title: '', abstract: ' ' }, 'no title and no abstract'],
    ['placeholders alone', { title: 'N/A', abstract: '[No abstract available]' }, 'no title and no abstract'],
    ['tags alone', { title: '<p></p>', abstract: '&nbsp;' }, 'no title and no abstract'],
    ['tiny', { title: 'Ag', abstract: '' }, 'too short'],
    ['signs', { title: '#### 12 ++ 34', abstract: '$$$$ 00 11 22 33 -- == ** 77 88 99' }, 'not text'],
    [
      'numbers under a sound title',
      { abstract: '0.12 0.44 1.93 88.1 23 11 0 0 0 0 1 9 4 5 6 7' },
      'not text',
    ],
    ['encoded bytes', { abstract: 'iVBORw0KGgoAAAANSUhEUgAAAAUA'.repeat(20) }, 'not text'],
    ['undecodable bytes', { abstract: 'caf\ufffd \ufffd\ufffdt\ufffd d\ufffdj\ufffd vu' }, 'not text'],
    ['an enormous abstract', { abstract: 'word '.repeat(210_000) }, 'too long'],
    ['a title that is a number', { title: 12 }, 'wrong type'],
    ['an abstract that is a list of objects', { abstract: [{}] }, 'wrong type'],
    [
      'an index that would grow beyond memory',
      { abstract: { ['x'.repeat(100_000)]: Array.from({ length: 100_000 }, (_, i) => i) } },
      'wrong type',
    ],
    ['an abstract that is a broken index', { abstract: { we: 'no positions' } }, 'wrong type'],
  ])('%s', (_, values, reason) => {
    const row = skipped(values);
    expect(row).toMatchObject({ line: 7, id: 'p1', reason });
    expect(row.detail).not.toBe('');
  });

  it('tells the size of an enormous abstract and the setting that bounds it', () => {
    expect(skipped({ abstract: 'x'.repeat(1_048_576) }).detail).toBe(
      'the abstract has 1,048,576 characters, at most 100,000 are taken (ingest.max_text_length)',
    );
  });

  it('counts nothing as mended in a row that is left out', () => {
    expect(check({ id: '', title: '', abstract: '', year: 'soon' }).counts).toEqual(createMendCounts());
  });
});

describe('text that is unusual and kept', () => {
  it.each([
    [
      'formulas',
      {
        abstract: 'Let $f(x)=\\sum_{i=1}^{n}a_i x^i$ be given; then $\\|f\\|_{2}\\leq 1$ holds for all $n$.',
      },
    ],
    ['Chinese', { title: '薄膜生长', abstract: '我们测量薄膜在蓝宝石和玻璃上的生长速度，并与模型比较。' }],
    ['Arabic', { title: 'نمو الأغشية الرقيقة', abstract: 'نقيس سرعة نمو الطبقة على الياقوت وعلى الزجاج.' }],
    ['letters beyond the basic plane', { title: '', abstract: '𝒜𝒷𝒸𝒹ℯ𝒻ℊ𝒽𝒾𝒿𝓀𝓁𝓂𝓃ℴ𝓅𝓆𝓇𝓈𝓉' }],
    ['a number for a title', { title: '1984' }],
    [
      'a long address',
      { abstract: `Code is at https://example.org/${'a'.repeat(90)} for all to use and to extend.` },
    ],
  ])('%s', (_, values) => {
    expect(() => kept(values)).not.toThrow();
  });

  it('keeps a title without an abstract, and counts it', () => {
    const { checked, counts } = check({ title: 'Growth of films on glass', abstract: null });
    expect(checked).toHaveProperty('record.abstract', '');
    expect(counts.withoutAbstract).toBe(1);
  });

  it('keeps a text with few undecodable bytes, and counts it', () => {
    const { checked, counts } = check({ abstract: `${abstract} caf\ufffd` });
    expect(checked).toHaveProperty('record');
    expect(counts.undecodable).toBe(1);
  });

  it('joins a title that is a list of strings', () => {
    expect(kept({ title: ['Growth of films', 'on glass'] }).title).toBe('Growth of films on glass');
  });

  it.each([
    [{ the: [0, 3], cat: [1], saw: [2], dog: [4] }],
    ['{"the": [0, 3], "cat": [1], "saw": [2], "dog": [4]}'],
  ])('rebuilds an abstract from its inverted index %#', (index) => {
    const { checked, counts } = check({ abstract: index });
    expect(checked).toHaveProperty('record.abstract', 'the cat saw the dog');
    expect(counts.rebuiltAbstract).toBe(1);
  });
});

describe('ids', () => {
  it('come from the DOI, else from the title, where there is none', () => {
    expect(kept({ id: '', doi: 'doi:10.1000/X' }).id).toBe('doi:10.1000/x');
    const made = kept({ id: null, title: 'Growth of thin films' }).id;
    expect(made).toMatch(/^title:[0-9a-f]{16}$/);
    expect(kept({ id: 'nan', title: 'Growth of Thin Films.' }).id).toBe(made);
    expect(kept({ id: '', title: 'Growth of thick films' }).id).not.toBe(made);
    expect(check({ id: '' }).counts.madeId).toBe(1);
  });

  it('that are numbers are taken as text', () => {
    expect(kept({ id: 42 }).id).toBe('42');
  });

  it('lose control characters, and long ones end in a hash that keeps them apart', () => {
    expect(kept({ id: 'a\u0000b\u200bc\n d' }).id).toBe('abc d');
    const [a, b] = [kept({ id: `${'x'.repeat(300)}1` }).id, kept({ id: `${'x'.repeat(300)}2` }).id];
    expect(a).toHaveLength(256);
    expect(a).not.toBe(b);
    expect(check({ id: 'x'.repeat(300) }).counts.mendedId).toBe(1);
  });

  it('that are DOIs give the DOI', () => {
    expect(kept({ id: 'https://doi.org/10.1000/Q' })).toMatchObject({
      id: 'https://doi.org/10.1000/Q',
      doi: '10.1000/q',
    });
  });
});

describe('DOIs and years', () => {
  it.each([
    ['http://dx.doi.org/10.1000/A', '10.1000/a'],
    ['doi: 10.1000/a', '10.1000/a'],
    ['10.1000/a', '10.1000/a'],
    ['10.1000', null],
    ['n/a', null],
  ])('DOI %s', (text, doi) => {
    expect(kept({ doi: text }).doi).toBe(doi);
  });

  it.each([
    [2015, 2015],
    ['2015', 2015],
    ['2015.0', 2015],
    ['2015-03-01', 2015],
    ['2015/3', 2015],
    ['Mar 2015', 2015],
    ['03/2015', 2015],
    ['1500', 1500],
    ['1499', null],
    ['2101', null],
    ['20155', null],
    ['2015 2016', null],
    ['forthcoming', null],
    [2015.5, null],
    [true, null],
  ])('year %j', (value, year) => {
    const { checked, counts } = check({ year: value });
    expect(checked).toHaveProperty('record.year', year);
    expect(counts.badYear).toBe(year === null ? 1 : 0);
    expect(counts.withoutYear).toBe(0);
  });

  it.each([undefined, null, '', ' ', 'nan'])('no year where there is %j', (value) => {
    expect(check({ year: value }).counts).toMatchObject({ withoutYear: 1, badYear: 0 });
  });
});

describe('other columns', () => {
  it('are cleaned in depth, in their order', () => {
    const extra = kept({}, [
      ['z', 'a\u0000b'],
      ['a', { list: [' x ', 1, null], none: null }],
      ['n', 3],
    ]).extra;
    expect(JSON.stringify(extra)).toBe('{"z":"ab","a":{"list":["x",1,null]},"n":3}');
  });

  it('too large to keep are dropped and counted', () => {
    const { checked, counts } = check({}, [
      ['large', 'x'.repeat(30_000)],
      ['small', 'y'],
    ]);
    expect(checked).toHaveProperty('record.extra', { small: 'y' });
    expect(counts.droppedExtra).toBe(1);
  });

  it('named __proto__ are columns like others, and nesting without end is cut', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`);
    const extra = kept({}, [
      ['__proto__', 'x'],
      ['deep', deep],
    ]).extra;
    expect(Object.keys(extra)).toEqual(['__proto__', 'deep']);
    expect(Object.getPrototypeOf(extra)).toBe(Object.prototype);
  });
});

describe('title keys', () => {
  it('are equal for titles that differ in case, accents, signs and markup alone', () => {
    const key = kept({ title: 'Naïve Bayes — for <i>spam</i>: a re-look!' }).titleKey;
    expect(key).toBe('naivebayesforspamarelook');
    expect(titleKey('naive bayes for SPAM; a relook')).toBe(key);
  });

  it.each([
    'Editorial',
    'Deep learning',
    'Introduction to the Special Issue',
    'Message from the Chairs',
    'A b c',
    '',
  ])('are missing for %j, which many papers share', (title) => {
    expect(titleKey(title)).toBeNull();
  });

  it('are given for short titles of scripts without spaces', () => {
    expect(titleKey('薄膜生长速度的测量')).toBe('薄膜生长速度的测量');
  });
});
