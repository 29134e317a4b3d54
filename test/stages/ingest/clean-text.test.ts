import { describe, expect, it } from 'vitest';
import { cleanAbstract, cleanCharacters, cleanText } from '../../../stages/ingest/clean-text.ts';

describe('characters', () => {
  it('leaves plain text as it is', () => {
    const text = 'We measure (n = 12) the "rate" of change; it\'s 5% > 3%, [1] e.g. x/y_z.';
    expect(cleanText(text)).toBe(text);
  });

  it.each([
    ['folds every kind of space', ' a\t b\r\n\u00a0c\u2009d\u3000 ', 'a b c d'],
    ['composes accents', 'Cafe\u0301', 'Café'],
    ['drops control characters', 'a\u0000b\u0007c\u001bd', 'abcd'],
    ['drops zero-width and direction characters', 'neu\u200bral\u200f net\u2060work\ufeff', 'neural network'],
    ['drops soft hyphens', 'trans\u00adformer', 'transformer'],
    [
      'reads Windows quotes that were taken for control characters',
      'the model\u0092s \u0093best\u0094',
      'the model’s “best”',
    ],
    ['separates letters that a PDF left joined', 'e\ufb03cient \ufb01eld', 'efficient field'],
    ['replaces half a surrogate pair', 'a\ud800b', 'a\ufffdb'],
    ['keeps whole surrogate pairs', 'a 😀 𝑥', 'a 😀 𝑥'],
  ])('%s', (_, text, expected) => {
    expect(cleanText(text)).toBe(expected);
  });

  it('keeps at most thirty marks on one letter', () => {
    expect(cleanCharacters(`a${'\u0316\u0301'.repeat(5000)}b`).length).toBeLessThan(40);
  });

  it('gives text that cleaning leaves unchanged', () => {
    for (const text of [
      '<p>a &lt;b&gt; c</p>',
      "\\emph{x} ~ ``y'' {DNA}",
      'e\u0301\u200b  x',
      'x\u0092s &amp;amp; y',
    ]) {
      const once = cleanText(text);
      expect(cleanText(once)).toBe(once);
    }
  });
});

describe('headings and placeholders', () => {
  it.each([
    ['Abstract: We show that it works.', 'We show that it works.'],
    ['ABSTRACT We show that it works.', 'We show that it works.'],
    ['Abstract. We show that it works.', 'We show that it works.'],
    ['AbstractBackground noise is measured.', 'Background noise is measured.'],
    ['Abstract The rate is measured.', 'The rate is measured.'],
    ['Summary: The rate is measured.', 'The rate is measured.'],
    ['<jats:title>Abstract</jats:title><jats:p>The rate.</jats:p>', 'The rate.'],
    [
      'Abstract Meaning Representation (AMR) is a formalism.',
      'Abstract Meaning Representation (AMR) is a formalism.',
    ],
    ['Abstraction helps. Abstracts do not.', 'Abstraction helps. Abstracts do not.'],
    ['Abstracting from detail', 'Abstracting from detail'],
    ['Summary statistics are given.', 'Summary statistics are given.'],
  ])('%s', (text, expected) => {
    expect(cleanAbstract(text)).toBe(expected);
  });

  it('keeps "Abstract" at the start of a title', () => {
    expect(cleanText('Abstract: a word')).toBe('Abstract: a word');
  });

  it.each([
    '[No abstract available]',
    'No abstract available.',
    'N/A',
    'nan',
    'NULL',
    '-',
    'Abstract',
    ' \u200b ',
  ])('takes %j for nothing', (text) => {
    expect(cleanAbstract(text)).toBe('');
  });
});

describe('hostile text', () => {
  // Each pattern invites a search that fails at every start; quadratic time would be 10^10 steps.
  const patterns = [
    ...[
      '<',
      '<a ',
      '<a a=a ',
      '<a a="',
      '<script>',
      '<!--',
      '<title>abstract',
      '&',
      '&amp;',
      '{',
      '\\',
      '\\cite{',
    ],
    ...[
      '\\emph{',
      '\\begin{x}',
      '$',
      '$$',
      '\\(',
      '``',
      '~',
      '{\\em ',
      '\\"',
      '\u0316\u0301',
      ' ',
      '1<sup>1',
    ],
    ...['\\documentclass', '"a":[', '\ud800'],
  ];
  it.each(patterns)('a million characters of %j come back', (pattern) => {
    const text = pattern.repeat(Math.ceil(1_000_000 / pattern.length));
    expect(cleanAbstract(text).length).toBeLessThanOrEqual(text.length);
  });
});
