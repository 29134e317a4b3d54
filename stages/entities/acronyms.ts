/** Acronyms beside their long forms, by Schwartz & Hearst (2003), "A simple algorithm for identifying abbreviation definitions in biomedical text". */

/** One definition; offsets are UTF-16 code units of the text, ends exclusive. */
export interface Acronym {
  short: string;
  long: string;
  shortStart: number;
  shortEnd: number;
  longStart: number;
  longEnd: number;
}

/** Bounds that keep the search linear whatever the text: nothing longer is an acronym or its long form. */
const MAX_BRACKET_UNITS = 200;
const MAX_LONG_UNITS = 200;
const MIN_SHORT_UNITS = 2;
const MAX_SHORT_UNITS = 12;

/**
 * Finds "long form (SHORT)" and "SHORT (long form)", in round and square brackets, nested ones included.
 *
 * Differs from the paper: a short form needs a capital letter and is no plain capitalised word, its plural
 * s is not looked for in the long form, what follows a comma or semicolon in the bracket (a citation) is
 * left aside, and words whose initials make the short form go before words that merely hold its letters:
 * "non-autoregressive neural machine translation (NAT)" does not begin at "neural".
 *
 * @returns In the order of their brackets.
 */
export function findAcronyms(text: string): Acronym[] {
  const found: Acronym[] = [];
  const open: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === ROUND_OPEN || code === SQUARE_OPEN) {
      open.push(at);
      continue;
    }
    if (code !== ROUND_CLOSE && code !== SQUARE_CLOSE) continue;
    const start = open.pop();
    if (start === undefined || at - start > MAX_BRACKET_UNITS) continue;
    const acronym = shortInBracket(text, start, at) ?? longInBracket(text, start, at);
    if (acronym !== null) found.push(acronym);
  }
  return found;
}

const ROUND_OPEN = 0x28;
const ROUND_CLOSE = 0x29;
const SQUARE_OPEN = 0x5b;
const SQUARE_CLOSE = 0x5d;

/** "long form (SHORT)". */
function shortInBracket(text: string, open: number, close: number): Acronym | null {
  let start = open + 1;
  while (start < close && isOpening(text.charCodeAt(start))) start++;
  let end = start;
  while (end < close && end - start <= MAX_SHORT_UNITS && !ENDS_SHORT.has(text.charAt(end))) end++;
  [start, end] = trimmed(text, start, end);
  const short = text.slice(start, end);
  if (!isShortForm(short)) return null;
  const [longStart, longEnd] = trimmed(text, ...candidateBefore(text, open, short));
  const initials = longFormOfInitials(short, text, longStart, longEnd);
  const best = initials >= 0 ? initials : bestLongForm(short, text, longStart, longEnd);
  if (best < 0 || !isLongForm(text.slice(best, longEnd), short)) return null;
  return {
    short,
    long: text.slice(best, longEnd),
    shortStart: start,
    shortEnd: end,
    longStart: best,
    longEnd,
  };
}

/** "SHORT (long form)". */
function longInBracket(text: string, open: number, close: number): Acronym | null {
  let shortEnd = open;
  while (shortEnd > 0 && isSpace(text.charCodeAt(shortEnd - 1))) shortEnd--;
  let shortStart = shortEnd;
  while (
    shortStart > 0 &&
    shortEnd - shortStart <= MAX_SHORT_UNITS &&
    isShortPart(text.charAt(shortStart - 1))
  ) {
    shortStart--;
  }
  const short = text.slice(shortStart, shortEnd);
  if (!isShortForm(short)) return null;
  let longStart = open + 1;
  let end = longStart;
  while (end < close && text.charAt(end) !== ';' && text.charAt(end) !== '(') end++;
  [longStart, end] = trimmed(text, longStart, end);
  const article = /^(?:an?|the|i\.e\.,?|or|for|short for)\s+/i.exec(text.slice(longStart, longStart + 12));
  if (article !== null) longStart += article[0].length;
  const best = bestLongForm(short, text, longStart, end);
  // The long form must fill the bracket: words before it mean that the bracket says something else.
  if (best !== longStart || !isLongForm(text.slice(best, end), short)) return null;
  return { short, long: text.slice(best, end), shortStart, shortEnd, longStart: best, longEnd: end };
}

const ENDS_SHORT = new Set([',', ';', ':', '(', '[', ')', ']', '"', '“', '”']);

/** Two to twelve characters, at most two words, with a capital that is not just the first letter of a word. */
function isShortForm(short: string): boolean {
  if (short.length < MIN_SHORT_UNITS || short.length > MAX_SHORT_UNITS) return false;
  if (!/^[\p{L}\p{N}]/u.test(short) || !/\p{Lu}/u.test(short)) return false;
  if (/\s\S*\s/.test(short) || /^\p{Lu}?\p{Ll}{2,}$/u.test(short) || /^\p{Lu}\p{Ll}$/u.test(short))
    return false;
  // "Fig. 3", "Table 2", "Smith 2004" are references.
  return !/\s\d+$/.test(short) && !/\s\p{Ll}+$/u.test(short);
}

function isShortPart(character: string): boolean {
  return /[\p{L}\p{N}\-/&+*.]/u.test(character);
}

/** The long form has more than one word's worth of letters, and does not hold the short form itself. */
function isLongForm(long: string, short: string): boolean {
  const bare = withoutPlural(short);
  if (long.length <= short.length || long.length > MAX_LONG_UNITS) return false;
  const words = long.split(/[\s-]+/);
  if (words.length > Math.min(bare.length + 5, 2 * bare.length)) return false;
  if (words.some((word) => word === short || word === bare)) return false;
  // One word hardly gives an acronym: "translation (TRN)" is possible, "very (V)" is not.
  return words.length > 1 || long.length >= 3 * bare.length || /\p{Ll}\p{Lu}/u.test(long);
}

/** Text before the bracket that can hold the long form: so many words, in the same sentence. */
function candidateBefore(text: string, open: number, short: string): [number, number] {
  const letters = withoutPlural(short).length;
  const maxWords = Math.min(letters + 5, 2 * letters);
  const floor = Math.max(0, open - MAX_LONG_UNITS);
  let start = open;
  while (start > 0 && isSpace(text.charCodeAt(start - 1))) start--;
  const end = start;
  let words = 0;
  while (start > floor) {
    const character = text.charAt(start - 1);
    if (BREAKS.has(character) || (character === '.' && isSpace(text.charCodeAt(start)))) break;
    if (isSpace(text.charCodeAt(start - 1)) && !isSpace(text.charCodeAt(start)) && ++words >= maxWords) break;
    start--;
  }
  return [start, end];
}

const BREAKS = new Set(['(', ')', '[', ']', ';', ':', '?', '!']);

/**
 * Matches the short form's letters and digits against text[start, end) from right to left; the first one
 * must begin a word.
 *
 * @returns Start of the long form, or −1.
 */
function bestLongForm(short: string, text: string, start: number, end: number): number {
  const letters = withoutPlural(short).toLowerCase();
  let at = end - 1;
  for (let s = letters.length - 1; s >= 0; s--) {
    const letter = letters.charAt(s);
    if (!isAlphanumeric(letter)) continue;
    while (
      at >= start &&
      (text.charAt(at).toLowerCase() !== letter ||
        (s === 0 && at > start && isAlphanumeric(text.charAt(at - 1))))
    ) {
      at--;
    }
    if (at < start) return -1;
    at--;
  }
  return wordStart(text, at + 1, start);
}

/** Words that may stand between those that give their initials ("of", "neural machine"). */
const MAX_SKIPPED_WORDS = 2;

/**
 * Start of the words in text[start, end) whose initials are the letters of the short form, the last word
 * giving the last; −1 where there are none.
 */
function longFormOfInitials(short: string, text: string, start: number, end: number): number {
  const letters = withoutPlural(short).toLowerCase();
  if (/[^\p{L}\p{N}]/u.test(letters)) return -1;
  let letter = letters.length - 1;
  let skipped = 0;
  for (let at = end - 1; at >= start; at--) {
    const opens = isAlphanumeric(text.charAt(at)) && (at === start || !isAlphanumeric(text.charAt(at - 1)));
    if (!opens) continue;
    if (text.charAt(at).toLowerCase() !== letters.charAt(letter)) {
      if (letter === letters.length - 1 || ++skipped > MAX_SKIPPED_WORDS) return -1;
      continue;
    }
    if (letter === 0) return wordStart(text, at, start);
    letter--;
  }
  return -1;
}

/** Start of the word around `at`, back to white space or a bracket: "(non-)linear" stays whole. */
function wordStart(text: string, at: number, start: number): number {
  let first = at;
  while (first > start && !isSpace(text.charCodeAt(first - 1)) && text.charAt(first - 1) !== '(') first--;
  while (first < at && !isAlphanumeric(text.charAt(first))) first++;
  return first;
}

/** "CNNs" as "CNN". */
export function withoutPlural(short: string): string {
  return /[\p{Lu}\p{N}]s$/u.test(short) && short.length > 2 ? short.slice(0, -1) : short;
}

function trimmed(text: string, start: number, end: number): [number, number] {
  let [from, to] = [start, end];
  while (from < to && (isSpace(text.charCodeAt(from)) || `"'“‘\``.includes(text.charAt(from)))) from++;
  while (to > from && (isSpace(text.charCodeAt(to - 1)) || `"'”’,`.includes(text.charAt(to - 1)))) to--;
  return [from, to];
}

function isOpening(code: number): boolean {
  return code === ROUND_OPEN || code === SQUARE_OPEN;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0xa0 || (code >= 0x09 && code <= 0x0d);
}

function isAlphanumeric(character: string): boolean {
  return /[\p{L}\p{N}]/u.test(character);
}
