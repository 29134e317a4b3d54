import { describe, expect, it } from 'vitest';
import { cleanText } from '../../../stages/ingest/clean-text.ts';

describe('text', () => {
  it.each([
    ['\\emph{x} and \\textbf{bold \\textit{both}}', 'x and bold both'],
    ['{\\it in situ} and {\\bf CC}-hard, {\\em small }set', 'in situ and CC-hard, small set'],
    [
      'G\\"odel, L\\\'evy, Szeg\\H{o}, Erd\\H{o}s, na\\"{\\i}ve, \\v{C}ech, Fran\\c{c}ois',
      'Gödel, Lévy, Szegő, Erdős, naïve, Čech, François',
    ],
    ['{\\"o} {\\ss} {\\o} H{\\aa}stad {\\L}ukasiewicz', 'ö ß ø Håstad Łukasiewicz'],
    ['Stra\\ss e, m\\AA\\ long, \\O{}rsted', 'Straße, mÅ long, Ørsted'],
    ['40\\% of \\$5 \\& a\\_b \\#1', '40% of $5 & a_b #1'],
    ["``quoted'' words and the dogs' toys", '"quoted" words and the dogs\' toys'],
    ['Section~3, at most~$k$, ~10 km, http://x.org/~me', 'Section 3, at most $k$, ~10 km, http://x.org/~me'],
    ['as shown by \\citet{a1} and \\cite[p. 3]{b,c}.', 'as shown by and.'],
    ['see \\url{http://x.org/a_b} or \\href{http://y}{the page}', 'see http://x.org/a_b or the page'],
    ['a {DNA} test of {BERT}, {a, b}', 'a DNA test of BERT, {a, b}'],
    ['-64{\\deg}C, {\\mu}m and \\alpha-helix', '-64°C, μm and α-helix'],
    ['\\begin{itemize} \\item one \\item two \\end{itemize}', 'one two'],
    ['84\\,\\% of it, line\\\\ break', '84 % of it, line break'],
  ])('%s', (text, expected) => {
    expect(cleanText(text)).toBe(expected);
  });
});

describe('formulas', () => {
  it.each([
    'the $\\alpha$ phase',
    'H$_2$O and $\\mathbb{R}^{n}$',
    '$$B_{\\alpha}(f,g)=\\int_{\\mathbb{R}^{n}}f~dy,\\qquad 0<\\alpha<n$$ holds',
    'so \\(\\emph{x}\\) and \\[ \\frac{1}{2} \\] stay',
    '\\begin{equation} \\textbf{x} \\end{equation}',
    '$a<b$ and $c>d$',
    'set {x_1, x_2} in R^{N} and \\mathbb{R}',
    'costs $5 and $10 or more',
    'C:\\data and \\unknown{thing} and \\constructor{x}',
  ])('keeps %s', (text) => {
    expect(cleanText(text)).toBe(text);
  });

  it('takes the formula out of a publisher’s document around it', () => {
    const text =
      'with $$\\documentclass[12pt]{minimal} \\usepackage{amsmath} \\begin{document}$$\\alpha$$\\end{document}$$ set';
    expect(cleanText(text)).not.toMatch(/documentclass|usepackage/);
    expect(cleanText(text)).toContain('\\alpha');
  });

  it('keeps a command that it does not know apart from the text behind it', () => {
    expect(cleanText('\\texttt{en}\\mapsto\\texttt{de}')).toBe('en\\mapsto de');
  });
});
