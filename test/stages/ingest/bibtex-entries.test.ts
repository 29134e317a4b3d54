import { describe, expect, it } from 'vitest';
import { type BibtexEntry, createBibtexScanner } from '../../../stages/ingest/bibtex-entries.ts';

/** Reads a text in pieces of so many characters. */
function scan(text: string, pieceLength = text.length || 1): BibtexEntry[] {
  const scanner = createBibtexScanner();
  const entries: BibtexEntry[] = [];
  for (let i = 0; i < text.length; i += pieceLength)
    entries.push(...scanner.push(text.slice(i, i + pieceLength)));
  return [...entries, ...scanner.end()];
}

const fieldsOf = (text: string): Record<string, string> => Object.fromEntries(scan(text)[0].fields);

describe('an entry', () => {
  it('has type, key, line and fields, whatever quotes them', () => {
    const text =
      '% a comment\n\n@Article{adder2021,\n  Title = {On {Stones}},\n  year = 2021, note = "a {"}quoted{"} word"\n}\n';
    expect(scan(text)).toEqual([
      {
        ...{ line: 3, type: 'article', key: 'adder2021', fault: null },
        fields: new Map([
          ['title', 'On {Stones}'],
          ['year', '2021'],
          ['note', 'a {"}quoted{"} word'],
        ]),
      },
    ]);
  });

  it.each([
    ['@article(k, title = {A (b) c})', { title: 'A (b) c' }],
    ['@article{k, title = {A}, }', { title: 'A' }],
    ['@article{k,, title={A},,year=1999}', { title: 'A', year: '1999' }],
    ['@article{k, title = "A" # " and " # {B}}', { title: 'A and B' }],
    ['@article{k, month = mar # "~1"}', { month: '3~1' }],
    ['@article{k, title = {100\\% of \\{braces\\}}}', { title: '100\\% of \\{braces\\}' }],
    ['@article{k, title = {first}, title = {second}}', { title: 'first' }],
    ['@article{k, title = unknown}', { title: 'unknown' }],
    ['@article {k , title={A}}', { title: 'A' }],
  ])('is read from %s', (text, fields) => {
    expect(fieldsOf(text)).toEqual(fields);
  });

  it('takes abbreviations from @string, in any case, and passes over @comment and @preamble', () => {
    const text =
      '@string{js = "Journal of " # "Stones"}\n@comment{@article{no, title={no}}}\n@preamble{"\\x{}"}\n@article{k, journal = JS}';
    expect(scan(text).map(({ key }) => key)).toEqual(['k']);
    expect(scan(text)[0].fields.get('journal')).toBe('Journal of Stones');
  });

  it('may have no key', () => {
    expect(scan('@misc{, title={A}}')[0]).toMatchObject({ key: '', fault: null });
    expect(scan('@misc{title={A}}')[0]).toMatchObject({
      key: '',
      fault: null,
      fields: new Map([['title', 'A']]),
    });
  });
});

describe('a file', () => {
  const sound = (key: string): string =>
    `@article{${key},\n  title = {Title of ${key}},\n  abstract = {Lines\n    of text @ home, mail a@b.example}\n}\n`;

  it.each([1, 2, 7, 50])('gives the same entries in pieces of %i characters', (pieceLength) => {
    const text = `junk\n${sound('a')}${sound('b')}@string{x = {y}}\n${sound('c')}`;
    expect(scan(text, pieceLength)).toEqual(scan(text));
    expect(scan(text).map(({ key, line }) => [key, line])).toEqual([
      ['a', 2],
      ['b', 7],
      ['c', 13],
    ]);
  });

  it.each([
    [
      'a brace that does not close',
      '@article{bad,\n  title = {An {open one,\n}\n',
      'a brace opens and does not close',
    ],
    [
      'a quote that does not close',
      '@article{bad,\n  title = "open,\n}\n',
      'a quote opens and does not close',
    ],
    ['an entry that does not close', '@article{bad,\n  title = {A},\n', 'the entry does not close'],
    ['no equals sign', '@article{bad,\n  title {A}\n}\n', 'expected name = value'],
  ])('loses one entry to %s, and no other', (_name, bad, fault) => {
    const entries = scan(sound('a') + bad + sound('b'));
    expect(entries.map(({ key, fault }) => [key, fault === null])).toEqual([
      ['a', true],
      ['', false],
      ['b', true],
    ]);
    expect(entries[1]).toMatchObject({ line: 6, fault: expect.stringContaining(fault) });
  });

  it('gives entries that follow on one line', () => {
    expect(scan('@misc{a, title={A}} @misc{b, title={B}}').map(({ key }) => key)).toEqual(['a', 'b']);
  });

  it('gives up what never ends, and reads on behind it', () => {
    const entries = scan(`@article{bad,\n title = {${'x '.repeat(3_000_000)}\n${sound('b')}`, 1 << 18);
    expect(entries.map(({ key, fault }) => [key, fault?.slice(0, 16)])).toEqual([
      ['', 'expected at most'],
      ['b', undefined],
    ]);
  });

  it('costs time in proportion to its length', () => {
    const open = `${'@article{a, title = {{{{\n'.repeat(20_000)}`;
    expect(scan(open, 1 << 16)).toHaveLength(20_000);
  });
});
