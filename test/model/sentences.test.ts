import { describe, expect, it } from 'vitest';
import { MAX_SENTENCE_TOKENS, splitSentences } from '../../pipeline/model/sentences.ts';
import { tokenize } from '../../pipeline/model/words.ts';

function split(text: string): string[] {
  const { starts, ends } = splitSentences(text, tokenize(text));
  return Array.from(starts, (start, i) => text.slice(start, ends[i]));
}

describe('splitSentences', () => {
  it.each([
    ['after full stop, question and exclamation mark', ['We ask. What?', 'Yes!', 'Done.']],
    [
      'not after abbreviations',
      ['It works, e.g. for BERT (Devlin et al. 2019), cf. Fig. 3 vs. Eq. 4, approx. 5.', 'We go on.'],
    ],
    ['not after initials and country names', ['J. Smith saw the U.S. corpus of E. coli.', 'It grew.']],
    [
      'after "etc." and "et al." only before a word that opens sentences',
      ['Dogs, cats, etc. in Smith et al. Corpora.', 'We saw etc.', 'This is so.'],
    ],
    ['not inside brackets', ['A model (we use BERT. It is large.) is used.', 'It works.']],
    ['behind the quote and bracket that close it', ['He said "It is done."', '(This too.)', 'So be it.']],
    ['not in decimals and chemical names', ['It rose by 3.5 % for 2.4-D and poly(A).', 'Next.']],
    ['not before a small letter', ['Some text. with an error.', 'Fine.']],
    ['before names that begin small', ['It uses text.', 'mBERT is one.', 'p53 is none.']],
    ['where the space is missing', ['We like it.', 'They do not.']],
    ['not after an ellipsis in the middle', ['We wait... and stop.', 'Now.']],
    ['not after the number of an item', ['1. First we cut.', '2. Then we paste.']],
    ['at an empty line', ['No point here', 'Another one']],
  ])('ends sentences %s', (name, sentences) => {
    const joined = name.includes('missing') ? '' : name.includes('empty line') ? '\n\n' : ' ';
    const expected = name.startsWith('after full') ? ['We ask.', 'What?', 'Yes!', 'Done.'] : sentences;
    expect(split(sentences.join(joined))).toEqual(expected);
  });

  it('holds every token exactly once', () => {
    const text = 'One. Two? (Three. Four.) "Five." six... Seven etc. We go.';
    const words = tokenize(text);
    const { n, firsts } = splitSentences(text, words);
    expect(firsts[0]).toBe(0);
    expect(firsts[n]).toBe(words.n);
    for (let i = 0; i < n; i++) expect(firsts[i + 1]).toBeGreaterThan(firsts[i]);
  });

  it('gives no sentence for empty text', () => {
    expect(splitSentences('', tokenize('')).n).toBe(0);
  });

  it('bounds sentences in a megabyte without ends', () => {
    for (const unit of ['word ', '( ', '. ', 'a, ', 'et al. ', 'A. ']) {
      const text = unit.repeat(Math.ceil(1e6 / unit.length));
      const words = tokenize(text);
      const { n, firsts } = splitSentences(text, words);
      expect(firsts[n]).toBe(words.n);
      let longest = 0;
      for (let i = 0; i < n; i++) longest = Math.max(longest, firsts[i + 1] - firsts[i]);
      expect(longest).toBeLessThanOrEqual(MAX_SENTENCE_TOKENS);
    }
  });

  it('cuts a long sentence after a comma where one is near', () => {
    const text = `${'word '.repeat(150)}word, ${'more '.repeat(100)}`;
    const { firsts } = splitSentences(text, tokenize(text));
    expect(Array.from(firsts)).toEqual([0, 152, 252]);
  });

  it('lets a bracket that never closes hold sentences together only so long', () => {
    const text = `A ( ${'word word word. Next '.repeat(60)}`;
    expect(splitSentences(text, tokenize(text)).n).toBeGreaterThan(10);
  });
});
