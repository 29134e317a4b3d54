import { describe, expect, it } from 'vitest';
import { readPapers } from './read-papers.ts';

// Headers as the services write them; the papers are invented.
const abstract = 'We follow how lichens settle on basalt after a lava flow has cooled down.';
const title = 'Lichens on young basalt';

/** A table of one row from pairs of header and value, every value quoted. */
function table(row: Record<string, string>, delimiter = ','): string {
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  return `${Object.keys(row).map(quote).join(delimiter)}\n${Object.values(row).map(quote).join(delimiter)}\n`;
}

async function readOne(content: string, settings: Record<string, unknown> = {}) {
  const name = settings.source === 'jsonl' ? 'papers.jsonl' : 'papers.csv';
  const { records, skipped, notices } = await readPapers({ [name]: content }, settings);
  expect(skipped).toEqual([]);
  expect(records).toHaveLength(1);
  return { ...records[0], notices };
}

describe('exports are recognised by their headers', () => {
  it('Scopus', async () => {
    const paper = await readOne(
      `\ufeff${table({
        ...{
          Authors: 'Adder B.; Cobra D.',
          'Author full names': 'Adder, Bea (1); Cobra, Dan (2)',
          'Author(s) ID': '1; 2',
        },
        ...{ Title: title, Year: '2021', 'Source title': 'Journal of Stones', Volume: '3', 'Cited by': '14' },
        ...{ DOI: '10.9999/js.1', Affiliations: 'North University, Norway; South Institute, Chile' },
        ...{
          Abstract: abstract,
          'PubMed ID': '31234567',
          'Document Type': 'Article',
          EID: '2-s2.0-85100000001',
        },
      })}`,
    );
    expect(paper).toMatchObject({
      ...{ id: '2-s2.0-85100000001', doi: '10.9999/js.1', pmid: '31234567', title, abstract, year: 2021 },
      facts: {
        authors: ['Bea Adder', 'Dan Cobra'],
        institutions: ['North University, Norway', 'South Institute, Chile'],
        ...{ venue: 'Journal of Stones', citations: 14 },
      },
    });
    expect(paper.notices[0]).toContain('Scopus');
  });

  it('Web of Science, tab-delimited with field tags', async () => {
    const row = {
      ...{
        PT: 'J',
        AU: 'Adder, B; Cobra, D',
        AF: 'Adder, Bea; Cobra, Dan',
        TI: title,
        SO: 'JOURNAL OF STONES',
      },
      ...{ DT: 'Article', AB: abstract, C1: '[Adder, Bea] North Univ, Oslo, Norway', C3: 'North University' },
      ...{ TC: '7', PY: '2021', DI: '10.9999/js.1', PM: '31234567', UT: 'WOS:000600000000001' },
    };
    const content = `\ufeff${Object.keys(row).join('\t')}\r\n${Object.values(row).join('\t')}\t\r\n`;
    const paper = await readOne(content);
    expect(paper).toMatchObject({
      ...{ id: 'WOS:000600000000001', doi: '10.9999/js.1', pmid: '31234567', title, abstract, year: 2021 },
      facts: {
        ...{ authors: ['Bea Adder', 'Dan Cobra'], institutions: ['North University'] },
        ...{ venue: 'JOURNAL OF STONES', citations: 7 },
      },
    });
    expect(paper.notices[0]).toContain('Web of Science (field tags)');
  });

  it('Dimensions, whose first line tells where the data is from', async () => {
    const about = '"About the data: Exported on Mar 3, 2024. Criteria: \'lichens\' in title and abstract."\n';
    const paper = await readOne(
      about +
        table({
          ...{
            Rank: '500',
            'Publication ID': 'pub.1100000001',
            DOI: '10.9999/js.1',
            PMID: '31234567',
            Title: title,
          },
          ...{ Abstract: abstract, 'Source title': 'Journal of Stones', 'Publication Date': '2021-04-09' },
          ...{ PubYear: '2021', Authors: 'Adder, Bea; Cobra, Dan', 'Times cited': '9' },
          'Research Organizations - standardized': 'North University; South Institute',
        }),
    );
    expect(paper).toMatchObject({
      ...{
        line: 3,
        id: 'pub.1100000001',
        doi: '10.9999/js.1',
        pmid: '31234567',
        title,
        abstract,
        year: 2021,
      },
      facts: {
        ...{ authors: ['Bea Adder', 'Dan Cobra'], institutions: ['North University', 'South Institute'] },
        ...{ venue: 'Journal of Stones', citations: 9, published: '2021-04-09' },
      },
    });
    expect(paper.notices[0]).toContain('Dimensions');
  });

  it('Lens', async () => {
    const paper = await readOne(
      table({
        ...{ '#': '1', 'Lens ID': '000-000-000-000-001', Title: title, 'Date Published': '2021-04-09' },
        ...{
          'Publication Year': '2021',
          'Publication Type': 'journal article',
          'Source Title': 'Journal of Stones',
        },
        ...{ 'Author/s': 'Bea Adder; Dan Cobra', Abstract: abstract, DOI: '10.9999/js.1', PMID: '31234567' },
        ...{ 'Citing Works Count': '4' },
      }),
    );
    expect(paper).toMatchObject({
      ...{ id: '000-000-000-000-001', doi: '10.9999/js.1', pmid: '31234567', year: 2021 },
      facts: {
        authors: ['Bea Adder', 'Dan Cobra'],
        venue: 'Journal of Stones',
        citations: 4,
        published: '2021-04-09',
      },
    });
    expect(paper.notices[0]).toContain('Lens');
  });

  it('OpenAlex, and leaves out what it calls retracted unless told to keep it', async () => {
    const row = {
      ...{
        id: 'https://openalex.org/W1',
        doi: 'https://doi.org/10.9999/js.1',
        display_name: title,
        abstract,
      },
      ...{
        publication_year: '2021',
        publication_date: '2021-04-09',
        cited_by_count: '3',
        is_retracted: 'true',
      },
      ...{
        'authorships.author.display_name': 'Bea Adder|Dan Cobra',
        'ids.pmid': 'https://pubmed.ncbi.nlm.nih.gov/31234567',
      },
      ...{ 'authorships.institutions.display_name': 'North University|South Institute' },
      'primary_location.source.display_name': 'Journal of Stones',
    };
    const paper = await readOne(table(row));
    expect(paper).toMatchObject({
      ...{ id: 'https://openalex.org/W1', pmid: '31234567', withdrawn: { reason: 'retracted' } },
      facts: {
        ...{ authors: ['Bea Adder', 'Dan Cobra'], institutions: ['North University', 'South Institute'] },
        ...{ venue: 'Journal of Stones', citations: 3, published: '2021-04-09' },
      },
    });
    expect((await readOne(table(row), { retracted: 'keep' })).withdrawn).toBeNull();
    expect((await readOne(table({ ...row, is_retracted: 'false' }))).withdrawn).toBeNull();
  });

  it('Semantic Scholar, whose titles and abstracts stand in two files', async () => {
    const paper = {
      ...{
        corpusid: 77,
        externalids: { DOI: '10.9999/JS.1', ArXiv: '2101.00001', PubMed: '31234567', MAG: null },
      },
      ...{
        title,
        authors: [
          { authorId: '1', name: 'Bea Adder' },
          { authorId: null, name: 'Dan Cobra' },
        ],
        venue: '',
      },
      ...{
        year: 2021,
        citationcount: 5,
        publicationdate: '2021-04-09',
        journal: { name: 'Journal of Stones' },
      },
    };
    const files = {
      'papers.jsonl': `${JSON.stringify(paper)}\n`,
      'abstracts.jsonl': `${JSON.stringify({ corpusid: 77, openaccessinfo: {}, abstract })}\n`,
    };
    const { records, skipped, notices } = await readPapers(files, { source: 'jsonl' });
    expect(skipped).toEqual([]);
    expect(records).toMatchObject([
      {
        ...{
          id: '77',
          doi: '10.9999/js.1',
          arxiv: '2101.00001',
          pmid: '31234567',
          title,
          abstract: '',
          year: 2021,
        },
        facts: {
          ...{ authors: ['Bea Adder', 'Dan Cobra'], venue: 'Journal of Stones', citations: 5 },
          published: '2021-04-09',
        },
      },
      { id: '77', title: '', abstract },
    ]);
    expect(notices.some((notice) => notice.includes('Semantic Scholar'))).toBe(true);
  });
});

describe('fields of JSON lines', () => {
  const paper = {
    key: '1',
    t: { main: title },
    text: abstract,
    people: [{ who: { n: 'Bea Adder' } }, { who: { n: 'Dan' } }],
  };
  const columns = { id: 'key', title: 't.main', abstract: 'text', authors: 'people.who.n', year: null };

  it('are found by paths that lead into objects and lists', async () => {
    const read = await readOne(JSON.stringify(paper), { source: 'jsonl', columns });
    expect(read).toMatchObject({ id: '1', title, abstract, facts: { authors: ['Bea Adder', 'Dan'] } });
  });

  it('tell nothing where the mapping says that the file has no such field', async () => {
    const content = JSON.stringify({ id: '1', title, abstract, authors: ['Bea Adder'], venue: 'J' });
    const read = await readOne(content, { source: 'jsonl', columns: { authors: null } });
    expect(read.facts).toMatchObject({ authors: [], venue: 'J' });
  });

  it("are OpenAlex's own where the line is one of its works", async () => {
    const work = {
      ...{ id: 'https://openalex.org/W1', display_name: title, publication_year: 2021, cited_by_count: 3 },
      abstract_inverted_index: { The: [0], sea: [1, 4], meets: [2], the: [3], 'again.': [5] },
      authorships: [
        { author: { display_name: 'Bea Adder' }, institutions: [{ display_name: 'North University' }] },
      ],
      primary_location: { source: { display_name: 'Journal of Stones' } },
      locations: [{ landing_page_url: 'http://arxiv.org/abs/2101.00001' }],
      ids: { pmid: 'https://pubmed.ncbi.nlm.nih.gov/31234567' },
    };
    expect(await readOne(JSON.stringify(work), { source: 'jsonl' })).toMatchObject({
      ...{ abstract: 'The sea meets the sea again.', arxiv: '2101.00001', pmid: '31234567' },
      facts: {
        authors: ['Bea Adder'],
        institutions: ['North University'],
        venue: 'Journal of Stones',
        citations: 3,
      },
    });
  });
});
