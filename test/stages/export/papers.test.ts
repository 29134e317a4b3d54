import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import type { ExportInput, PaperColumns } from '../../../pipeline/contract.ts';
import { documents, exported, inputOf } from './input.ts';

// d1, d2, d3 are topic 3; d4, d5, d6 topic 8; d7 is in none.
const told: Record<
  string,
  { citations?: number; published?: string; venue?: string; authors?: string[]; institutions?: string[] }
> = {
  d1: {
    citations: 5,
    published: '2001-05-02',
    venue: 'Journal of Stones',
    authors: ['Bea Adder', 'Dan Cobra'],
    institutions: ['North University', 'North University'],
  },
  d2: { citations: 9, published: '2001-05', authors: ['Bea Adder'], institutions: ['North University'] },
  d3: { citations: 5, authors: ['=HYPERLINK("x")', 'Bea Adder'] },
  d4: { published: '2002-01-01', authors: ['Dan Cobra'] },
  d7: { citations: 100, published: '2004-01-01', authors: ['Dan Cobra'], institutions: ['North University'] },
};

function withPapers(list = documents): ExportInput {
  const of = (row: number) => told[list[row].id] ?? {};
  const papers: PaperColumns = {
    citations: Int32Array.from(list, (_, row) => of(row).citations ?? -1),
    published: list.map((_, row) => of(row).published ?? ''),
    venue: list.map((_, row) => of(row).venue ?? ''),
    authors: (row) => of(row).authors ?? [],
    institutions: (row) => of(row).institutions ?? [],
  };
  return { ...inputOf(list), papers };
}

const rowsOf = (files: Map<string, string>, name: string): Record<string, string>[] =>
  parse(files.get(name) ?? '', { columns: true });

describe('what sources tell of papers', () => {
  it('stands behind the other columns of documents.csv, with places among the topic', async () => {
    const rows = rowsOf(await exported(withPapers()), 'documents.csv');
    expect(Object.keys(rows[0]).slice(9)).toEqual([
      ...[
        'entities',
        'citations',
        'published',
        'venue',
        'authors',
        'institutions',
        'place_by_citations',
        'place_by_date',
      ],
    ]);
    const shown = rows.map((row) => [row.id, row.citations, row.place_by_citations, row.place_by_date]);
    expect(shown).toEqual([
      ['d1', '5', '2', '2'],
      ['d2', '9', '1', '3'],
      ['d3', '5', '3', '1'],
      ['d4', '', '', '2'],
      ['d5', '', '', '1'],
      ['d6', '', '', ''],
      ['d7', '100', '', ''],
    ]);
    expect(rows[0]).toMatchObject({
      published: '2001-05-02',
      venue: 'Journal of Stones',
      authors: 'Bea Adder; Dan Cobra',
    });
    expect(rows[2].authors.startsWith("'=")).toBe(true);
  });

  it('gives punchcards of topics by institution and by author', async () => {
    const files = await exported(withPapers(), { min_topic_entity_documents: 1 });
    expect(rowsOf(files, 'punchcard_topic_institution.csv')).toEqual([
      {
        ...{ topic_id: '3', label: 'Parsing', institution: 'North University', documents: '2' },
        ...{ topic_share: '0.6667', all_documents: '3' },
      },
    ]);
    const authors = rowsOf(files, 'punchcard_topic_author.csv').map((row) => [
      row.topic_id,
      row.author,
      row.documents,
      row.all_documents,
    ]);
    expect(authors).toEqual([
      ['3', 'Bea Adder', '3', '3'],
      ['3', `'=HYPERLINK("x")`, '1', '1'],
      ['3', 'Dan Cobra', '1', '3'],
      ['8', 'Dan Cobra', '1', '3'],
    ]);
  });

  it('shows in the report which papers are most cited and newest', async () => {
    const report = (await exported(withPapers())).get('report.html') ?? '';
    expect(report).toContain(
      '<p>Most cited</p><ol><li dir="auto">-1 is &lt;b&gt;cold&lt;/b&gt; (2001), cited 9 times</li>',
    );
    expect(report).toContain('<p>Newest</p><ol><li dir="auto">two\nlines (2002)</li>');
  });

  it('does not depend on the order of the rows', async () => {
    const files = await exported(withPapers());
    expect(await exported(withPapers([...documents].reverse()))).toEqual(files);
  });

  it('leaves everything as it is where there is nothing', async () => {
    const files = await exported(inputOf(documents));
    expect([...files.keys()]).not.toContain('punchcard_topic_author.csv');
    expect(rowsOf(files, 'documents.csv')[0]).not.toHaveProperty('citations');
    expect(files.get('report.html')).not.toContain('Most cited');
  });
});
