/**
 * Words with exact character offsets, cut the way the NER corpora of science cut them (Penn Treebank as
 * SciERC and GENIA use it): punctuation and brackets stand alone, hyphenated and slashed words stay whole,
 * "'s" and "n't" are split off, decimals, abbreviations, addresses and short LaTeX stay in one piece.
 * One pass, no backtracking; nothing is normalised here but by plainToken.
 */

import {
  classAt,
  DIGIT,
  isLetter,
  isWord,
  LOWER,
  OTHER,
  SINGLE,
  SPACE,
  UPPER,
  unitsAt,
} from './character-classes.ts';

/** n tokens of a text, ascending. */
export interface Words {
  n: number;
  /** Int32Array [n], UTF-16 code units. */
  starts: Int32Array;
  /** Int32Array [n], exclusive. */
  ends: Int32Array;
}

/** Longer runs of letters are cut: a token must stay small enough for character features. */
export const MAX_TOKEN_UNITS = 128;

/** `$…$` longer than this is prose between two currency signs, or a formula nobody names. */
const MAX_MATH_UNITS = 40;

/** `\command{…}` keeps its argument up to this size. */
const MAX_ARGUMENT_UNITS = 20;

/**
 * Cuts a text into words.
 *
 * @returns Offsets into `text`, so that `text.slice(starts[i], ends[i])` is token i. Every character that is
 *   neither white space nor a control character belongs to exactly one token.
 */
export function tokenize(text: string): Words {
  const { length } = text;
  let starts = new Int32Array((length >> 2) + 16);
  let ends = new Int32Array(starts.length);
  let n = 0;
  const push = (start: number, end: number): void => {
    if (n === starts.length) {
      starts = grown(starts);
      ends = grown(ends);
    }
    starts[n] = start;
    ends[n] = end;
    n++;
  };

  let at = 0;
  while (at < length) {
    const kind = classAt(text, at);
    if (kind === SPACE) {
      at++;
      continue;
    }
    if (kind === SINGLE) {
      const end = at + unitsAt(text, at);
      push(at, end);
      at = end;
      continue;
    }
    const end = wordEnd(text, at, kind);
    if (end > at) {
      pushWord(text, at, end, push);
      at = end;
    } else {
      const symbols = symbolEnd(text, at);
      push(at, symbols);
      at = symbols;
    }
  }
  return { n, starts: starts.slice(0, n), ends: ends.slice(0, n) };
}

/** The tokens themselves. */
export function tokenTexts(text: string, words: Words): string[] {
  const texts = new Array<string>(words.n);
  for (let i = 0; i < words.n; i++) texts[i] = text.slice(words.starts[i], words.ends[i]);
  return texts;
}

const PLAIN = new Map([
  ['-LRB-', '('],
  ['-RRB-', ')'],
  ['-LSB-', '['],
  ['-RSB-', ']'],
  ['-LCB-', '{'],
  ['-RCB-', '}'],
  ['``', '"'],
  ["''", '"'],
  ['“', '"'],
  ['”', '"'],
  ['„', '"'],
  ['«', '"'],
  ['»', '"'],
  ['’', "'"],
  ['‘', "'"],
  ['`', "'"],
  ['’s', "'s"],
  ['n’t', "n't"],
  ['–', '-'],
  ['—', '-'],
  ['--', '-'],
  ['---', '-'],
  ['−', '-'],
  ['…', '...'],
]);

/**
 * One spelling for what corpora and texts write differently: Penn Treebank's names of brackets and its
 * quotation marks, curly quotes, dashes. Other tokens come back unchanged. What a tagger looks at goes
 * through here, in training and in use.
 */
export function plainToken(token: string): string {
  return PLAIN.get(token) ?? token;
}

// ---------------------------------------------------------------------------------------------
// Words

/** End of the word that starts here, joined parts included; `start` itself where no word does. */
function wordEnd(text: string, start: number, kind: number): number {
  const limit = Math.min(text.length, start + MAX_TOKEN_UNITS);
  const code = text.charCodeAt(start);
  let at = start;
  if (code === DOT) {
    // ".05", but not the point of "end.05".
    if (classAt(text, start + 1) !== DIGIT || (start > 0 && isWord(classAt(text, start - 1)))) return start;
    at = start + 1;
  } else if (code === DOLLAR || code === BACKSLASH) {
    at = code === DOLLAR ? mathEnd(text, start) : commandEnd(text, start);
    if (at === start) return start;
  } else if (!isWord(kind)) {
    return start;
  } else {
    const address = addressEnd(text, start);
    if (address > start) return address;
  }

  while (at < limit) {
    const here = classAt(text, at);
    if (isWord(here)) {
      at++;
      continue;
    }
    if (here !== OTHER) break;
    const next = joinedEnd(text, start, at);
    if (next === at) break;
    at = next;
  }
  if (at > limit) return at;
  // A cut at the limit must not part a surrogate pair.
  if (at === limit && at < text.length && isSecondHalf(text, at)) at--;
  return at;
}

const DOT = 0x2e;
const COMMA = 0x2c;
const COLON = 0x3a;
const SLASH = 0x2f;
const HYPHEN = 0x2d;
const DOLLAR = 0x24;
const BACKSLASH = 0x5c;
const APOSTROPHE = 0x27;
const CURLY_APOSTROPHE = 0x2019;
const PLUS = 0x2b;

/**
 * Decides whether the mark at `at` joins what stands before it to what follows.
 *
 * @returns Where to read on: past the mark (and past what it brings along), or `at` when the word ends here.
 */
function joinedEnd(text: string, start: number, at: number): number {
  const mark = text.charCodeAt(at);
  const before = at > start ? classAt(text, at - 1) : OTHER;
  const after = classAt(text, at + 1);
  switch (mark) {
    case HYPHEN:
    case 0x2010: // hyphen
    case 0x2011: // non-breaking hyphen
    case 0x2013: // en dash, as in "Kullback–Leibler" and "10–20"
      if (isWord(after)) return at + 1;
      // "$k$-means" comes here after its formula, "non-$k$" before it.
      if (text.charCodeAt(at + 1) === DOLLAR) {
        const math = mathEnd(text, at + 1);
        return math > at + 1 ? math : at;
      }
      return at;
    case SLASH:
    case 0x40: // @, as in "P@10" and mail addresses
    case 0x5e: // ^, as in "x^2"
      return isWord(after) && isWord(before) ? at + 1 : at;
    case 0x26: // &, as in "R&D"
      return before === UPPER && after === UPPER ? at + 1 : at;
    case APOSTROPHE:
    case CURLY_APOSTROPHE:
    case 0x2032: // prime, as in "5′-UTR"
      if (isWord(after)) return at + 1;
      if (before === DIGIT && text.charCodeAt(at + 1) === HYPHEN && isWord(classAt(text, at + 2)))
        return at + 2;
      return at;
    case COMMA:
      return before === DIGIT && after === DIGIT && commaJoins(text, at + 1) ? at + 1 : at;
    case COLON:
    case 0xd7: // ×
      return before === DIGIT && after === DIGIT ? at + 1 : at;
    case PLUS:
      // "CD4+", "Ca2+", "C++": at the end of a word only.
      if (!isWord(before) && text.charCodeAt(at - 1) !== PLUS) return at;
      return isWord(after) || (after === OTHER && text.charCodeAt(at + 1) === SLASH) ? at : at + 1;
    case BACKSLASH:
      // An accent inside a word, as in Schr\"odinger.
      return isLetter(before) ? accentEnd(text, at) : at;
    case DOT:
      if (isWord(after)) return pointJoins(text, start, at, before, after) ? at + 1 : at;
      return keepsPoint(text, start, at) ? at + 1 : at;
    default:
      return at;
  }
}

/** Whether the digits after a comma make it part of the number ("1,000") or of a locant ("1,4-epoxy"). */
function commaJoins(text: string, at: number): boolean {
  let end = at;
  while (end < at + 4 && classAt(text, end) === DIGIT) end++;
  if (end - at === 3) return true;
  if (text.charCodeAt(end) === COMMA)
    return classAt(text, end + 1) === DIGIT && end - at < 3 && locantFollows(text, end);
  return text.charCodeAt(end) === HYPHEN && isLetter(classAt(text, end + 1));
}

/** Whether a list of small numbers ends in a hyphen and a letter, as in "1,2,4,5-tetra…"; looks 12 units ahead. */
function locantFollows(text: string, at: number): boolean {
  for (let end = at; end < at + 12; end++) {
    const code = text.charCodeAt(end);
    if (code === HYPHEN) return isLetter(classAt(text, end + 1));
    if (code !== COMMA && classAt(text, end) !== DIGIT) return false;
  }
  return false;
}

/** Whether a point between two word characters belongs to the word ("3.5", "U.S", "PU.1", "github.com"). */
function pointJoins(text: string, start: number, at: number, before: number, after: number): boolean {
  if (after === DIGIT) return true;
  if (after === UPPER) {
    // A missing space after a sentence: "method.We". Initials ("U.S.") have one letter before each point.
    if (before === LOWER) return false;
    return at - start === 1 || text.charCodeAt(at - 2) === DOT || classAt(text, at + 2) !== LOWER;
  }
  return isLetter(before) || before === DIGIT;
}

/** Abbreviations whose point is part of the word; lower case, without the point. */
const ABBREVIATIONS = new Set(
  (
    'al approx avg ca cf ch chap dept dr ed eds eg e.g eq eqn eqns eqs est et.al etc ex fig figs i.e ie ' +
    'incl jr lit max.-no min.-no mr mrs ms no nos nr op p.d.f pp prof prop ref refs resp sec sect sp spp sr ' +
    'st subsp suppl tab thm univ var viz vol vols vs w.r.t i.i.d a.k.a'
  ).split(' '),
);

/** Of these, the ones that are also plain words: only kept before a number ("no. 3", "ch. 2"). */
const BEFORE_NUMBER = new Set(
  'ch chap ed ex fig figs max min no nos pp ref refs sec sect tab thm vol p'.split(' '),
);

const LONGEST_ABBREVIATION = 8;

/** Whether the point after the word belongs to it: an abbreviation, or an initial before a name. */
function keepsPoint(text: string, start: number, at: number): boolean {
  const size = at - start;
  if (size > LONGEST_ABBREVIATION || size === 0) return false;
  const word = text.slice(start, at).toLowerCase();
  if (ABBREVIATIONS.has(word)) {
    if (!BEFORE_NUMBER.has(word)) return true;
    const next = nextVisible(text, at + 1);
    const kind = classAt(text, next);
    return (
      kind === DIGIT ||
      text.charCodeAt(next) === 0x28 ||
      (word.startsWith('fig') && next > at + 1 && kind !== SPACE)
    );
  }
  // Letters with points between them: "U.S.", "Ph.D.", "i.i.d.".
  if (word.includes('.') && /^\p{L}{1,2}(?:\.\p{L}{1,2})+$/u.test(word)) return true;
  // An initial, "J. Smith" or "E. coli", but not "vitamin C. We" and not the last word.
  if (size === 1 && classAt(text, start) === UPPER) {
    const next = nextVisible(text, at + 1);
    if (next === at + 1 || next >= text.length || !isLetter(classAt(text, next))) return false;
    return !SENTENCE_STARTERS.has(leadingWord(text, next));
  }
  return false;
}

/** Words that open a sentence and are hardly ever names: "vitamin C. We" ends one, "J. Smith" does not. */
export const SENTENCE_STARTERS: ReadonlySet<string> = new Set(
  (
    'A According Additionally After Also Although An And Another As At Based Because Before Besides Both But By ' +
    'Compared Conversely Currently Despite Due During Each Even Experimental Experiments Extensive Finally First ' +
    'Following For From Further Furthermore Given Hence Here How However I If In Indeed Instead It Its Last Lastly ' +
    'Many Meanwhile More Moreover Most Much Nevertheless Next No Nonetheless Not Notably Now On One Only Our Out ' +
    'Over Overall Particularly Previous Recent Recently Results Second Several Similarly Since So Some Specifically ' +
    'Still Subsequently Such That The Their Then There Thereby Therefore These They Third This Those Though Three ' +
    'Through Thus To Together Traditional Two Under Unfortunately Unlike Until Using We What When Where Whereas ' +
    'Whether Which While Why With Within Without Yet You'
  ).split(' '),
);

function leadingWord(text: string, at: number): string {
  let end = at;
  while (end < text.length && end < at + 20 && isLetter(classAt(text, end))) end++;
  return text.slice(at, end);
}

/** First position from `at` that is no white space; looks a few characters ahead at most. */
function nextVisible(text: string, at: number): number {
  let next = at;
  while (next < at + 4 && next < text.length && classAt(text, next) === SPACE) next++;
  return next;
}

/** End of `$…$` by pandoc's rule: no space inside the signs, no digit right after; else `at`. */
function mathEnd(text: string, at: number): number {
  if (classAt(text, at + 1) === SPACE || text.charCodeAt(at + 1) === DOLLAR) return at;
  const limit = Math.min(text.length, at + MAX_MATH_UNITS);
  for (let end = at + 1; end < limit; end++) {
    const code = text.charCodeAt(end);
    if (code === 0x0a) return at;
    if (code !== DOLLAR || text.charCodeAt(end - 1) === BACKSLASH) continue;
    if (classAt(text, end - 1) === SPACE) return at;
    return classAt(text, end + 1) === DIGIT ? at : end + 1;
  }
  return at;
}

/** End of `\alpha` or `\mathcal{O}`; `at` where the backslash begins neither. */
function commandEnd(text: string, at: number): number {
  const limit = Math.min(text.length, at + MAX_TOKEN_UNITS);
  let end = at + 1;
  while (end < limit && isLetter(classAt(text, end))) end++;
  if (end === at + 1) return accentEnd(text, at);
  return argumentEnd(text, end);
}

/** End of `{…}` when short and without spaces, else `at`. */
function argumentEnd(text: string, at: number): number {
  if (text.charCodeAt(at) !== 0x7b) return at;
  const limit = Math.min(text.length, at + MAX_ARGUMENT_UNITS);
  for (let end = at + 1; end < limit; end++) {
    if (text.charCodeAt(end) === 0x7d) return end + 1;
    if (classAt(text, end) === SPACE) return at;
  }
  return at;
}

const ACCENTS = new Set(['"', "'", '`', '^', '~', '=', '.']);

/** End of a LaTeX accent and its letter (`\"o`, `\"{o}`), else `at`. */
function accentEnd(text: string, at: number): number {
  if (!ACCENTS.has(text.charAt(at + 1))) return at;
  if (isLetter(classAt(text, at + 2))) return at + 3;
  const end = argumentEnd(text, at + 2);
  return end > at + 2 ? end : at;
}

/** End of a web address, without the punctuation of the sentence around it; `at` where none starts. */
function addressEnd(text: string, at: number): number {
  const code = text.charCodeAt(at) | 0x20;
  if (code === 0x68) {
    if (!/^https?:\/\//i.test(text.slice(at, at + 8))) return at;
  } else if (code !== 0x77 || text.slice(at, at + 4).toLowerCase() !== 'www.') {
    return at;
  }
  let end = at;
  while (end < text.length && end < at + 4 * MAX_TOKEN_UNITS) {
    const here = classAt(text, end);
    if (here === SPACE || here === SINGLE || '<>"{}|^`“”'.includes(text.charAt(end))) break;
    end++;
  }
  while (end > at && ".,;:!?)]'’".includes(text.charAt(end - 1))) end--;
  return end;
}

function isSecondHalf(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff;
}

// ---------------------------------------------------------------------------------------------
// What is split off again

const CONTRACTIONS = new Set(['s', 're', 've', 'll', 'd', 'm']);

/** Emits a word, its possessive or contracted ending apart. */
function pushWord(
  text: string,
  start: number,
  end: number,
  push: (start: number, end: number) => void,
): void {
  const tail = Math.min(3, end - start - 1);
  for (let size = 2; size <= tail; size++) {
    const mark = text.charCodeAt(end - size);
    if (mark !== APOSTROPHE && mark !== CURLY_APOSTROPHE) continue;
    const ending = text.slice(end - size + 1, end).toLowerCase();
    const cut = CONTRACTIONS.has(ending) ? end - size : ending === 't' && isN(text, end - 3) ? end - 3 : end;
    if (cut > start && cut < end) {
      push(start, cut);
      push(cut, end);
      return;
    }
  }
  push(start, end);
}

function isN(text: string, at: number): boolean {
  return at >= 0 && (text.charCodeAt(at) | 0x20) === 0x6e;
}

/** Marks that are one sign when repeated: "--", "...", "``", "==". */
const REPEATED = new Set([..."-.=+'`*~<>|/_!?—–’&#:"]);

/** Two- and three-character signs. */
const SIGNS = new Set(['+/-', '->', '<-', '=>', '<=', '>=', '!=', ':=']);

/** End of the sign at `at`. */
function symbolEnd(text: string, at: number): number {
  const contraction = contractionEnd(text, at);
  if (contraction > at) return contraction;
  if (text.charCodeAt(at) === BACKSLASH && classAt(text, at + 1) === OTHER) return at + 2;
  if (SIGNS.has(text.slice(at, at + 3))) return at + 3;
  if (SIGNS.has(text.slice(at, at + 2))) return at + 2;
  let end = at + 1;
  if (REPEATED.has(text.charAt(at))) {
    const code = text.charCodeAt(at);
    while (end < text.length && end < at + MAX_TOKEN_UNITS && text.charCodeAt(end) === code) end++;
  }
  return end;
}

/** A possessive that stands apart already, as tokenized text has it: "model 's". */
function contractionEnd(text: string, at: number): number {
  const mark = text.charCodeAt(at);
  if (mark !== APOSTROPHE && mark !== CURLY_APOSTROPHE) return at;
  let end = at + 1;
  while (end < text.length && end < at + 4 && isLetter(classAt(text, end))) end++;
  return !isWord(classAt(text, end)) && CONTRACTIONS.has(text.slice(at + 1, end).toLowerCase()) ? end : at;
}

function grown(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
