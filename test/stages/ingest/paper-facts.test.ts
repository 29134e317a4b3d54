import { describe, expect, it } from 'vitest';
import { readFacts } from '../../../stages/ingest/paper-facts.ts';

const read = (given: Parameters<typeof readFacts>[0], doi: string | null = null, id = 'x') =>
  readFacts(given, doi, id);

describe('arXiv ids', () => {
  it.each([
    ['2101.00001', '2101.00001'],
    ['arXiv:2101.00001v3', '2101.00001'],
    ['https://arxiv.org/abs/0704.0001v1', '0704.0001'],
    ['http://arxiv.org/pdf/2101.12345v2.pdf', '2101.12345'],
    ['hep-th/9901001', 'hep-th/9901001'],
    ['math.GT/0309136v2', 'math.gt/0309136'],
    ['10.1000/182', null],
    ['', null],
    [undefined, null],
  ])('%s is %s', (text, id) => {
    expect(read({ arxiv: text }).arxiv).toBe(id);
  });

  it("are read from arXiv's own DOIs and from the paper's id", () => {
    expect(read({}, '10.48550/arxiv.2101.00001').arxiv).toBe('2101.00001');
    expect(read({}, null, 'arXiv:2101.00001').arxiv).toBe('2101.00001');
    expect(read({}, null, '2101.00001').arxiv).toBeNull();
  });
});

describe('PubMed ids', () => {
  it.each([
    ['31234567', '31234567'],
    [31234567, '31234567'],
    ['31234567.0', '31234567'],
    ['https://pubmed.ncbi.nlm.nih.gov/31234567/', '31234567'],
    ['MEDLINE:31234567', '31234567'],
    ['0', null],
    ['PMC123', null],
  ])('%s is %s', (text, id) => {
    expect(read({ pmid: text }).pmid).toBe(id);
  });
});

describe('names', () => {
  it.each([
    ['Adder, B.; Cobra, D.; Adder, B.', ['B. Adder', 'D. Cobra']],
    ['Bea Adder|Dan Cobra', ['Bea Adder', 'Dan Cobra']],
    ['Adder B., Cobra D., Eel F.', ['Adder B.', 'Cobra D.', 'Eel F.']],
    ['Adder, Bea', ['Bea Adder']],
    ['Adder, Bea (57); Adder, Jr.', ['Bea Adder', 'Adder, Jr.']],
    ['[No author name available]', []],
    [
      [{ given: 'Bea', family: 'Adder' }, { name: 'Dan' }, 'Eel', null, 3],
      ['Bea Adder', 'Dan', 'Eel', '3'],
    ],
  ])('of %j are %j', (value, names) => {
    expect(read({ authors: value }).facts.authors).toEqual(names);
  });

  it('are bounded in number and length', () => {
    const { authors } = read({
      authors: Array.from({ length: 5000 }, (_, i) => `${i} ${'x'.repeat(900)}`),
    }).facts;
    expect(authors).toHaveLength(1000);
    expect(Math.max(...authors.map((name) => name.length))).toBe(300);
  });
});

describe('numbers and dates', () => {
  it.each([
    ['2021-04-09T00:00:00Z', '2021-04-09'],
    ['2021/4', '2021-04'],
    ['2021', '2021'],
    ['2021-13-01', '2021'],
    ['0021-01-01', null],
    ['April 2021', null],
  ])('%s is the date %s', (text, date) => {
    expect(read({ published: text }).facts.published).toBe(date);
  });

  it('counts of citations are whole and not negative', () => {
    const counts = ['12', 12, '12.0', '-1', '1.5', 'many', '', '9999999999'].map(
      (citations) => read({ citations }).facts.citations,
    );
    expect(counts).toEqual([12, 12, 12, null, null, null, null, null]);
  });

  it('a paper is retracted by a flag or by its kind', () => {
    const flags = [
      true,
      'TRUE',
      'Retracted',
      'Retracted Publication',
      ['Journal Article', 'Retracted Publication'],
    ];
    for (const retracted of flags) expect(read({ retracted }).retracted, `${retracted}`).toBe(true);
    for (const retracted of [false, 'false', 'Article', '', undefined, 'Retraction of Publication'])
      expect(read({ retracted }).retracted, `${retracted}`).toBe(false);
  });
});
