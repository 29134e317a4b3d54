/**
 * Makes LaTeX in running text readable: accents become letters, \emph{x} becomes x, citations go.
 * Formulas ($…$, \(…\), \[…\], \begin{equation}…) are kept to the letter, and so is any command that is
 * not known here. One pass, linear in the length of the text.
 */

/** Combining marks of the accent commands. */
const accents: Record<string, string> = {
  '"': '\u0308',
  "'": '\u0301',
  '`': '\u0300',
  '^': '\u0302',
  '~': '\u0303',
  '=': '\u0304',
  '.': '\u0307',
  u: '\u0306',
  v: '\u030c',
  H: '\u030b',
  c: '\u0327',
  k: '\u0328',
  r: '\u030a',
  d: '\u0323',
  b: '\u0331',
};

/** Letters with names; as in TeX, the spaces after the name go with it. */
const letters: Record<string, string> = {
  ...{ ss: 'ß', ae: 'æ', AE: 'Æ', oe: 'œ', OE: 'Œ', aa: 'å', AA: 'Å', o: 'ø', O: 'Ø', l: 'ł', L: 'Ł' },
  ...{ dh: 'ð', DH: 'Ð', th: 'þ', TH: 'Þ', dj: 'đ', DJ: 'Đ', i: 'i', j: 'j' },
};

/** Other commands that stand for a text of their own. Authors rarely guard the space after them: it stays. */
const symbols: Record<string, string> = {
  ...{
    LaTeX: 'LaTeX',
    TeX: 'TeX',
    BibTeX: 'BibTeX',
    ldots: '…',
    dots: '…',
    textellipsis: '…',
    S: '§',
    P: '¶',
  },
  ...{
    textendash: '–',
    textemdash: '—',
    copyright: '©',
    pounds: '£',
    textregistered: '®',
    texttrademark: '™',
  },
  ...{
    textasciitilde: '~',
    textasciicircum: '^',
    textbackslash: '\\',
    textquoteright: '’',
    textquoteleft: '‘',
  },
  ...{ textquotedblleft: '“', textquotedblright: '”', textless: '<', textgreater: '>', textbar: '|' },
  ...{ textunderscore: '_', noindent: ' ', item: ' ', par: ' ', newline: ' ', linebreak: ' ', quad: ' ' },
  ...{ qquad: ' ', newpage: ' ', smallskip: ' ', medskip: ' ', bigskip: ' ', centering: ' ', maketitle: ' ' },
  // Signs that stand outside of formulas: arXiv writes every letter beyond ASCII so, {\alpha} and {\deg}.
  ...{ alpha: 'α', beta: 'β', gamma: 'γ', delta: 'δ', epsilon: 'ϵ', varepsilon: 'ε', zeta: 'ζ', eta: 'η' },
  ...{ theta: 'θ', iota: 'ι', kappa: 'κ', lambda: 'λ', mu: 'μ', nu: 'ν', xi: 'ξ', pi: 'π', rho: 'ρ' },
  ...{ sigma: 'σ', tau: 'τ', upsilon: 'υ', phi: 'ϕ', varphi: 'φ', chi: 'χ', psi: 'ψ', omega: 'ω' },
  ...{ Gamma: 'Γ', Delta: 'Δ', Theta: 'Θ', Lambda: 'Λ', Xi: 'Ξ', Pi: 'Π', Sigma: 'Σ', Phi: 'Φ', Psi: 'Ψ' },
  ...{ Omega: 'Ω', deg: '°', degree: '°', textdegree: '°', textmu: 'µ', pm: '±', textpm: '±', times: '×' },
  ...{ texttimes: '×', div: '÷', cdot: '·', leq: '≤', le: '≤', geq: '≥', ge: '≥', neq: '≠', approx: '≈' },
  ...{ sim: '∼', ll: '≪', gg: '≫', infty: '∞', rightarrow: '→', to: '→', leftarrow: '←', Rightarrow: '⇒' },
  ...{ leftrightarrow: '↔', ell: 'ℓ', hbar: 'ℏ', dag: '†', dagger: '†', bullet: '•', euro: '€' },
};

/** Commands whose argument is the text. */
const wrappers = new Set(
  (
    'emph textbf textit textsc texttt textrm textsf textsl textup textmd textnormal text underline uline mbox hbox ' +
    'textsuperscript textsubscript url path enquote title section subsection paragraph footnote uppercase lowercase'
  ).split(' '),
);

/** Commands whose first argument is no text and whose second is. */
const secondArgument = new Set(['href', 'textcolor', 'colorbox', 'foreignlanguage']);

/** Commands that go with their argument. */
const references = new Set(
  'cite citep citet citeal citealp citealt citeauthor citeyear ref eqref autoref cref label footnotemark vspace hspace'.split(
    ' ',
  ),
);

/** Font switches at the start of a group: {\em x}. */
const switches = new Set(
  'em it bf sc tt rm sf sl itshape bfseries scshape ttfamily small large normalfont'.split(' '),
);

/** Environments that hold text. */
const textEnvironments = new Set(
  'itemize enumerate description abstract center quote quotation document flushleft flushright'.split(' '),
);

/** Publishers' feeds wrap each formula in a whole document: \documentclass… \begin{document}$…$\end{document}. */
const preamble = '\\documentclass';
const preambleEnd = '\\begin{document}';

const special = /[\\${}`'~]/g;
const commandName = /[A-Za-z]+/y;
const accentArgument = /\s*(?:\{\s*\\?([A-Za-z])\s*\}|\\([ij])(?![A-Za-z])|([A-Za-z]))/y;
const bracedAccentArgument = /\s*\{\s*\\?([A-Za-z])\s*\}/y;
const simpleArgument = /\s*(?:\[[^\][{}]{0,200}\]\s*)*\{[^{}]{0,400}\}/y;
const protectedWord = /\{([A-Z][\p{L}\p{N}.+-]{0,40})\}/uy;

/** Whether there is anything to do: most abstracts have none of these. */
export function hasLatex(text: string): boolean {
  return text.includes('\\') || text.includes('{') || text.includes('``') || text.includes('~');
}

/** @returns The text with text-mode LaTeX resolved; accents come as combining marks, so normalise after. */
export function readLatex(text: string): string {
  let result = '';
  let copied = 0;
  let position = 0;
  /** For each open group, whether its closing brace goes. */
  const groups: boolean[] = [];
  let openQuotes = 0;
  /** Where the last command that is not known here ended. */
  let keptCommandEnd = -1;
  /** Closing marks that were looked for in vain: not looked for again. */
  const absent = new Set<string>();

  const match = (pattern: RegExp, from: number): RegExpExecArray | null => {
    pattern.lastIndex = from;
    return pattern.exec(text);
  };
  /** Puts `replacement` for text[from, to). */
  const replace = (from: number, to: number, replacement: string): void => {
    result += text.slice(copied, from) + replacement;
    copied = to;
    position = to;
  };
  /** End of a formula that opens at `from`; −1 when it never closes. */
  const formulaEnd = (mark: string, from: number): number => {
    if (absent.has(mark)) return -1;
    const at = text.indexOf(mark, from);
    if (at < 0) absent.add(mark);
    return at < 0 ? -1 : at + mark.length;
  };

  /** A backslash at `at`: resolves the command, or steps over it. */
  const readCommand = (at: number): void => {
    const sign = text[at + 1] ?? '';
    position = at + 2;
    const name = match(commandName, at + 1)?.[0];
    if (name === undefined) {
      readSign(at, sign);
      return;
    }
    const end = at + 1 + name.length;
    position = end;
    const accent = Object.hasOwn(accents, name) ? accents[name] : undefined;
    const braced = accent === undefined ? null : match(bracedAccentArgument, end);
    if (accent !== undefined && braced !== null) {
      replace(at, bracedAccentArgument.lastIndex, braced[1] + accent);
    } else if (Object.hasOwn(letters, name)) {
      const after = match(/\{\}|\s+/y, end);
      replace(at, end + (after?.[0].length ?? 0), letters[name]);
    } else if (Object.hasOwn(symbols, name)) {
      replace(at, text.startsWith('{}', end) ? end + 2 : end, symbols[name]);
    } else if (wrappers.has(name) && match(/\s*\{/y, end) !== null) {
      const brace = text.indexOf('{', end);
      // Behind a command that is kept, the text must not become part of its name.
      replace(at, brace + 1, name === 'footnote' || at === keptCommandEnd ? ' ' : '');
      groups.push(true);
    } else if (secondArgument.has(name) && match(simpleArgument, end) !== null) {
      const first = simpleArgument.lastIndex;
      const opens = text[first] === '{';
      replace(at, opens ? first + 1 : first, '');
      if (opens) groups.push(true);
    } else if (references.has(name) && match(simpleArgument, end) !== null) {
      // "as shown in \cite{x}." must not leave a space before the point.
      const from = /[\s~]/.test(text[at - 1] ?? '') && at - 1 >= copied ? at - 1 : at;
      replace(from, simpleArgument.lastIndex, '');
    } else if (name === 'begin' || name === 'end') {
      const environment = match(/\s*\{([A-Za-z]+)(\*?)\}/y, end);
      if (environment === null) return;
      const after = end + environment[0].length;
      if (textEnvironments.has(environment[1])) {
        replace(at, after, ' ');
      } else if (name === 'begin') {
        const close = formulaEnd(`\\end{${environment[1]}${environment[2]}}`, after);
        position = close < 0 ? after : close;
      }
    } else {
      keptCommandEnd = end;
    }
  };

  /** Commands named by a sign: accents, escaped characters, spaces, formula brackets. */
  const readSign = (at: number, sign: string): void => {
    if (sign === '(' || sign === '[') {
      const close = formulaEnd(sign === '(' ? '\\)' : '\\]', at + 2);
      if (close >= 0) position = close;
    } else if (Object.hasOwn(accents, sign)) {
      const argument = match(accentArgument, at + 2);
      if (argument === null) return;
      replace(at, accentArgument.lastIndex, (argument[1] ?? argument[2] ?? argument[3]) + accents[sign]);
    } else if (/[%&_#$}{]/.test(sign)) {
      replace(at, at + 2, sign);
    } else if (
      sign === '\\' ||
      sign === ',' ||
      sign === ';' ||
      sign === ':' ||
      sign === '!' ||
      sign === ' '
    ) {
      // A backslash alone before a line break or a letter is a slip or a path: only "\\" followed by a space,
      // a number or the end is TeX's line break.
      if (sign === '\\' && /[A-Za-z]/.test(text[at + 2] ?? '')) return;
      replace(at, at + 2, sign === '!' ? '' : ' ');
    } else if (sign === '-' || sign === '/' || sign === '@') {
      replace(at, at + 2, '');
    }
  };

  const readBrace = (at: number): void => {
    position = at + 1;
    const before = text[at - 1] ?? ' ';
    const word = /[\s([{"'“‘\-–—/]/.test(before) ? match(protectedWord, at) : null;
    if (word !== null) {
      replace(at, at + word[0].length, word[1]);
      return;
    }
    if (text[at + 1] === '\\') {
      const name = match(commandName, at + 2)?.[0];
      if (name !== undefined && switches.has(name)) {
        const end = at + 2 + name.length;
        replace(at, /\s/.test(text[end] ?? '') ? end + 1 : end, '');
        groups.push(true);
        return;
      }
      // {\"o}: the group only holds the accent together.
      const sign = text[at + 2] ?? '';
      const letterAccent = name !== undefined && name.length === 1 && Object.hasOwn(accents, name);
      if (Object.hasOwn(accents, sign) || letterAccent || isCharacterCommand(name)) {
        replace(at, at + 1, '');
        groups.push(true);
        return;
      }
    }
    groups.push(false);
  };

  for (;;) {
    const found = match(special, position);
    if (found === null) break;
    const at = found.index;
    const character = found[0];
    if (character === '\\') {
      if (text.startsWith(preamble, at)) {
        const end = formulaEnd(preambleEnd, at);
        if (end >= 0) {
          replace(at, end, '');
          continue;
        }
      }
      readCommand(at);
    } else if (character === '$') {
      position = at + 1;
      const doubled = text[at + 1] === '$';
      // Springer's feeds open a formula around the preamble; what counts is inside it.
      if (text.startsWith(preamble, at + (doubled ? 2 : 1))) continue;
      const close = formulaEnd(doubled ? '$$' : '$', at + (doubled ? 2 : 1));
      if (close >= 0) position = close;
    } else if (character === '{') {
      readBrace(at);
    } else if (character === '}') {
      position = at + 1;
      if (groups.pop() === true) replace(at, at + 1, '');
    } else if (character === '~') {
      position = at + 1;
      // A tie between words; not "~10 km", not the home folder in an address.
      if (/[\p{L}\p{N}.,)\]]/u.test(text[at - 1] ?? '') && /[\p{L}\p{N}\\($]/u.test(text[at + 1] ?? '')) {
        replace(at, at + 1, ' ');
      }
    } else {
      position = at + 1;
      if (text[at + 1] !== character) continue;
      if (character === '`') {
        openQuotes++;
        replace(at, at + 2, '"');
      } else if (openQuotes > 0) {
        openQuotes--;
        replace(at, at + 2, '"');
      }
    }
  }
  return copied === 0 ? text : result + text.slice(copied);
}

function isCharacterCommand(name: string | undefined): boolean {
  return name !== undefined && (Object.hasOwn(letters, name) || Object.hasOwn(symbols, name));
}
