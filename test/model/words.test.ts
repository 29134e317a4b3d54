import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MAX_TOKEN_UNITS, plainToken, tokenize, tokenTexts } from '../../pipeline/model/words.ts';

const cut = (text: string): string => tokenTexts(text, tokenize(text)).join(' | ');

describe('tokenize', () => {
  it.each([
    [
      'punctuation and brackets stand alone',
      'A model (CNN), tested.',
      'A | model | ( | CNN | ) | , | tested | .',
    ],
    [
      'hyphenated and slashed words stay whole',
      'state-of-the-art and/or 2D/3D',
      'state-of-the-art | and/or | 2D/3D',
    ],
    ['a hyphen left hanging stands alone', 'long- and short-term', 'long | - | and | short-term'],
    ['dashes stand alone', 'fast -- and—well – cheap', 'fast | -- | and | — | well | – | cheap'],
    [
      'possessives are split off',
      "the model's and users' Kneser’s",
      "the | model | 's | and | users | ' | Kneser | ’s",
    ],
    ['contractions are split off', "don't we've l’hôpital", "do | n't | we | 've | l’hôpital"],
    ['years keep their apostrophe', "WMT'14", "WMT'14"],
    [
      'decimals, thousands and ratios stay whole',
      '3.5 1,000,000 .05 1:1 3×3',
      '3.5 | 1,000,000 | .05 | 1:1 | 3×3',
    ],
    ['a list of numbers is no thousand', '[1,2,30]', '[ | 1 | , | 2 | , | 30 | ]'],
    ['locants of chemistry stay whole', '1,2,4-trimethyl 1,4-epoxy', '1,2,4-trimethyl | 1,4-epoxy'],
    ['percent signs stand alone', '21.3% of', '21.3 | % | of'],
    [
      'abbreviations keep their point',
      'e.g. i.e. Smith et al. (cf. Fig. 3)',
      'e.g. | i.e. | Smith | et | al. | ( | cf. | Fig. | 3 | )',
    ],
    [
      'initials keep their point, a last letter does not',
      'J. Smith took vitamin C. We',
      'J. | Smith | took | vitamin | C | . | We',
    ],
    ['country names keep their points', 'the U.S. corpus', 'the | U.S. | corpus'],
    ['a missing space after a sentence is seen', 'our method.We show', 'our | method | . | We | show'],
    ['names with points stay whole', 'PU.1 github.com Human3.6', 'PU.1 | github.com | Human3.6'],
    ['names with signs stay whole', 'CD4+ C++ R&D P@10 conv4_3', 'CD4+ | C++ | R&D | P@10 | conv4_3'],
    [
      'short formulas stay whole',
      'the $k$-means of $O(n^2)$ \\alpha',
      'the | $k$-means | of | $O(n^2)$ | \\alpha',
    ],
    ['currency is no formula', '$5 and $10', '$ | 5 | and | $ | 10'],
    ['accents in LaTeX stay in their word', 'Schr\\"odinger', 'Schr\\"odinger'],
    ['addresses end before the full stop', 'See https://a.org/b?c=1.', 'See | https://a.org/b?c=1 | .'],
    ['scripts without spaces are cut by character', '主题 model', '主 | 题 | model'],
    ['accented and Greek letters are letters', 'naïve Fréchet α-helix', 'naïve | Fréchet | α-helix'],
    ['letters beyond the basic plane hold together', '𝒩𝒫 😀', '𝒩𝒫 | 😀'],
  ])('%s', (_, text, expected) => {
    expect(cut(text)).toBe(expected);
  });

  it('gives no token for empty text and white space', () => {
    expect(tokenize('').n).toBe(0);
    expect(tokenize(' \n\t\u00a0\u200b').n).toBe(0);
  });

  it('covers every visible character exactly once, in order, whatever the text', () => {
    const marks = [
      'a',
      'B',
      '7',
      '.',
      ',',
      '-',
      "'",
      '$',
      '\\',
      '{',
      '}',
      '(',
      ' ',
      '\n',
      '😀',
      'é',
      '主',
      '/',
      '"',
      '+',
      ':',
      's',
      't',
      'n',
    ];
    let state = 7;
    let disordered = 0;
    for (let round = 0; round < 400; round++) {
      let text = '';
      for (let i = 0; i < 60; i++) {
        state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
        text += marks[(state >> 8) % marks.length];
      }
      const words = tokenize(text);
      let rebuilt = '';
      for (let i = 0; i < words.n; i++) {
        if (words.ends[i] <= words.starts[i] || (i > 0 && words.starts[i] < words.ends[i - 1])) disordered++;
        rebuilt += text.slice(words.starts[i], words.ends[i]);
      }
      // A short formula is the one token that may hold a space.
      expect(rebuilt.replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
    }
    expect(disordered).toBe(0);
  });

  it('cuts a megabyte without spaces into tokens of bounded size', () => {
    for (const unit of ['a', '.', 'a.', "a'", 'a-', '𝒩', '$a ', '\\a{']) {
      const text = unit.repeat(Math.ceil(1e6 / unit.length));
      const words = tokenize(text);
      expect(words.ends[words.n - 1]).toBeGreaterThanOrEqual(text.trimEnd().length);
      let longest = 0;
      for (let i = 0; i < words.n; i++) longest = Math.max(longest, words.ends[i] - words.starts[i]);
      expect(longest).toBeLessThanOrEqual(MAX_TOKEN_UNITS + 24);
    }
  });
});

describe('plainToken', () => {
  it('gives the names of brackets and all quotation marks one spelling', () => {
    expect(['-LRB-', '``', "''", '“', '’s', '--', 'word'].map(plainToken)).toEqual([
      '(',
      '"',
      '"',
      '"',
      "'s",
      '-',
      'word',
    ]);
  });
});

const folder = '../shared/data/ner';
describe.skipIf(!existsSync(folder))('on ../shared/data/ner (skipped when absent)', () => {
  it.each([
    ['scierc', 0.9995],
    ['scirex', 0.995],
    ['bc5cdr', 0.9995],
    ['jnlpba', 0.99],
  ])('finds the tokens of %s again when they are joined by spaces', (name, share) => {
    const lines = gunzipSync(readFileSync(`${folder}/${name}/dev.txt.gz`))
      .toString()
      .split('\n');
    let gold = 0;
    let found = 0;
    let tokens: string[] = [];
    for (const line of [...lines, '']) {
      if (line.trim() !== '') {
        tokens.push(plainToken(line.split('\t')[0]));
        continue;
      }
      const words = tokenize(tokens.join(' '));
      const spans = new Set(Array.from(words.starts, (start, i) => `${start} ${words.ends[i]}`));
      let at = 0;
      for (const token of tokens) {
        gold++;
        if (spans.has(`${at} ${at + token.length}`)) found++;
        at += token.length + 1;
      }
      tokens = [];
    }
    expect(found / gold).toBeGreaterThanOrEqual(share);
  });
});
