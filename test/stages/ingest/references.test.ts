import { describe, expect, it } from 'vitest';
import { plainText } from '../../../stages/ingest/bibtex-source.ts';
import { readPapers } from './read-papers.ts';

const bibtex = { source: 'bibtex' };
const ris = { source: 'ris' };

describe('BibTeX', () => {
  it('becomes a record, with accents as letters and braces gone', async () => {
    const text = String.raw`
@inproceedings{adder-cobra-2021-lichens,
  title = {{Lichens} on young basalt: {\'E}tudes of {B}{\"u}rgel},
  author = {Adder, B{\'e}a and {The Lichen Group} and Dan {\v C}obra and others},
  booktitle = {Proceedings of the Stone Meeting},
  year = {2021}, month = apr,
  doi = {10.9999/js\_1},
  eprint = {2101.00001v2}, archivePrefix = {arXiv},
  abstract = {We follow how \emph{lichens} settle on 50\% of the basalt after $x^{2}$ days. Cooling takes longer.},
  keywords = {lichen, basalt},
  file = {:home/me/paper.pdf:PDF}
}`;
    const { records, skipped } = await readPapers({ 'refs.bib': text }, bibtex);
    expect(skipped).toEqual([]);
    expect(records).toMatchObject([
      {
        ...{ id: 'adder-cobra-2021-lichens', line: 2, doi: '10.9999/js_1', arxiv: '2101.00001', year: 2021 },
        title: 'Lichens on young basalt: Études of Bürgel',
        abstract:
          'We follow how lichens settle on 50% of the basalt after $x^{2}$ days. Cooling takes longer.',
        facts: {
          authors: ['Béa Adder', 'The Lichen Group', 'Dan Čobra'],
          venue: 'Proceedings of the Stone Meeting',
          published: '2021-04',
        },
        extra: { type: 'inproceedings', keywords: 'lichen, basalt' },
      },
    ]);
  });

  it.each([
    ['{\\"{o}} and \\"o and {\\"o} and \\"{o}', 'ö and ö and ö and ö'],
    ['\\o re, {\\O}re, {\\ss}, \\ae sir, {\\aa}', 'øre, Øre, ß, æsir, å'],
    ['{\\c c}a, {\\v{s}}, \\H{o}, \\.I, {\\u g}', 'ça, š, ő, İ, ğ'],
    ['{{Double {Braces}}}', 'Double Braces'],
    ['$\\alpha_{i}$ of {X}', '$\\alpha_{i}$ of X'],
    ['\\(\\beta_{i}\\) and \\[x^{2}\\] of {X}', '\\(\\beta_{i}\\) and \\[x^{2}\\] of X'],
    ['Smith \\& Sons, 5\\% \\#1', 'Smith & Sons, 5% #1'],
  ])('reads %s', (latex, text) => {
    expect(plainText(latex).normalize('NFC')).toBe(text);
  });

  it('counts a broken entry with its line, and reads the others', async () => {
    const text =
      '@article{a,\n title={Stones of the north}\n}\n@article{b,\n title={Open\n}\n@article{c,\n title={Stones of the south}\n}\n';
    const { records, skipped } = await readPapers({ 'refs.bib': text }, bibtex);
    expect(records.map(({ id }) => id)).toEqual(['a', 'c']);
    expect(skipped).toMatchObject([{ line: 4, reason: 'broken entry' }]);
  });
});

describe('RIS', () => {
  const text = [
    'TY  - JOUR',
    'TI  - Lichens on young basalt',
    'AU  - Adder, Bea',
    'AU  - Cobra, Dan',
    'PY  - 2021/04/09/',
    'JO  - Journal of Stones',
    'AB  - We follow how lichens settle on basalt',
    'after a lava flow has cooled down.',
    'UR  - https://doi.org/10.9999/js.1',
    'KW  - lichen',
    'KW  - basalt',
    'ID  - adder2021',
    'ER  - ',
    '',
  ];

  it.each(['\n', '\r\n', '\r'])('becomes a record (line ends %j)', async (newline) => {
    const { records, skipped } = await readPapers({ 'refs.ris': `\ufeff${text.join(newline)}` }, ris);
    expect(skipped).toEqual([]);
    expect(records).toMatchObject([
      {
        ...{ id: 'adder2021', line: 1, doi: '10.9999/js.1', year: 2021, title: 'Lichens on young basalt' },
        abstract: 'We follow how lichens settle on basalt after a lava flow has cooled down.',
        facts: { authors: ['Bea Adder', 'Dan Cobra'], venue: 'Journal of Stones', published: '2021-04-09' },
        extra: { type: 'JOUR', KW: ['lichen', 'basalt'] },
      },
    ]);
  });

  it('knows the older tags', async () => {
    const old =
      'TY  - CONF\nT1  - Lichens on old basalt\nA1  - Adder,Bea\nN2  - They grow on it very slowly indeed.\nY1  - 1999///\nER  -\n';
    const { records } = await readPapers({ 'refs.ris': old }, ris);
    expect(records).toMatchObject([
      { title: 'Lichens on old basalt', abstract: 'They grow on it very slowly indeed.', year: 1999 },
    ]);
  });

  it('ends a record where the next begins, and tells what stands outside of any', async () => {
    const broken =
      'AU  - nobody\nTY  - JOUR\nTI  - The first of these stones\nTY  - JOUR\nTI  - The second of these stones\n';
    const { records, skipped } = await readPapers({ 'refs.ris': broken }, ris);
    expect(records.map(({ title, line }) => [title, line])).toEqual([
      ['The first of these stones', 2],
      ['The second of these stones', 4],
    ]);
    expect(skipped).toMatchObject([{ line: 1, reason: 'not in a record' }]);
  });

  it('takes PubMed ids where the database is PubMed, and arXiv addresses', async () => {
    const more =
      'TY  - JOUR\nTI  - Lichens on young basalt\nAN  - 31234567\nDB  - PubMed\nUR  - https://arxiv.org/abs/2101.00001\nER  - \n';
    const { records } = await readPapers({ 'refs.ris': more }, ris);
    expect(records).toMatchObject([{ pmid: '31234567', arxiv: '2101.00001' }]);
  });
});

describe('hostile files', () => {
  const many = 50_000;

  it.each([
    ['one line of entries', 'bibtex', '@misc{a, title={Stones of the north}}'.repeat(10_000)],
    ['formulas that never close', 'bibtex', `@misc{a, title={${'\\('.repeat(many)}}}\n`],
    [
      'names without end',
      'bibtex',
      `@misc{a, title={Stones of the north}, author={${'A and '.repeat(many)}}}\n`,
    ],
    ['open braces', 'bibtex', '@misc{a, title={{{{'.repeat(10_000)],
    ['one tag over and over', 'ris', `TY  - JOUR\n${'KW  - a\n'.repeat(many)}ER  - \n`],
    ['a value over many lines', 'ris', `TY  - JOUR\nAB  - a\n${'b\n'.repeat(many)}ER  - \n`],
    ['records without end', 'ris', 'TY  - JOUR\n'.repeat(many)],
  ])('cost time in proportion to their length: %s', async (_name, source, text) => {
    const { records, skipped } = await readPapers({ 'refs.txt': text }, { source });
    expect(records.length + skipped.length).toBeGreaterThan(0);
  });

  it('give rows, faults or a message, whatever is broken in them', async () => {
    const sound = {
      bibtex:
        '@article{a,\n title = {Stones {of} the north}, author = "A and B", year = 2020 # "x"\n}\n@string{x = {y}}\n'.repeat(
          3,
        ),
      ris: 'TY  - JOUR\nTI  - Stones of the north\nAU  - A\nPY  - 2020\nER  - \n'.repeat(3),
    };
    let state = 7;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state % below;
    };
    const signs = [
      '{',
      '}',
      '"',
      '@',
      '\\',
      '#',
      '=',
      ',',
      '\n',
      '\r',
      'TY  - ',
      'ER  - ',
      '\0',
      '\ud800',
      '$',
      '(',
      ')',
    ];
    for (const [source, text] of Object.entries(sound)) {
      for (let round = 0; round < 300; round++) {
        let broken = text;
        for (let change = 0; change <= round % 4; change++) {
          const at = random(broken.length);
          broken = broken.slice(0, at) + signs[random(signs.length)] + broken.slice(at + random(3));
        }
        const { records, skipped } = await readPapers({ 'refs.txt': broken }, { source });
        expect(records.length + skipped.length).toBeGreaterThan(0);
      }
    }
  });
});
