/**
 * Sentences over the tokens of words.ts, in one pass. Points that belong to abbreviations, numbers and
 * initials are part of their tokens already; what is left to decide is where a closing mark ends a sentence.
 */

import { SENTENCE_STARTERS, type Words } from './words.ts';

/** n sentences, ascending; together they hold every token. */
export interface Sentences {
  n: number;
  /** Int32Array [n + 1]: sentence i holds tokens firsts[i] to firsts[i + 1]. */
  firsts: Int32Array;
  /** Int32Array [n], UTF-16 code units: start of the first token. */
  starts: Int32Array;
  /** Int32Array [n], exclusive: end of the last token. */
  ends: Int32Array;
}

/** Longest sentence in tokens: text without punctuation (tables, lists, formulas) is cut here. */
export const MAX_SENTENCE_TOKENS = 200;

/**
 * A sentence ends after ".", "?", "!" and the closing quotes and brackets that follow, unless inside brackets
 * or before a small letter; and at an empty line. One that would exceed `maxTokens` is cut after the last
 * semicolon or comma of its second half, else where the limit falls.
 *
 * @param words Of this very text.
 */
export function splitSentences(text: string, words: Words, maxTokens = MAX_SENTENCE_TOKENS): Sentences {
  const firsts: number[] = [];
  let first = 0;
  let depth = 0;
  let lastPause = 0;
  let stop = NO_STOP;
  const begin = (token: number): void => {
    firsts.push(token);
    first = token;
    depth = 0;
    stop = NO_STOP;
  };

  for (let i = 0; i < words.n; i++) {
    const code = text.charCodeAt(words.starts[i]);
    if (i === 0) begin(0);
    else if (stop !== NO_STOP && i - first < maxTokens && closesAfterStop(text, words, i)) {
      // A bracket or quote right after the stop belongs to the sentence it closes.
      if (CLOSING.has(code)) depth = Math.max(0, depth - 1);
      continue;
    } else if (opensParagraph(text, words, i)) begin(i);
    else if (stop !== NO_STOP) {
      const inBrackets = depth > 0 && i - first < BRACKET_PATIENCE;
      if (!inBrackets && opensSentence(text, words, i, stop)) begin(i);
      else stop = NO_STOP;
    }

    if (OPENING.has(code)) depth++;
    else if (CLOSING.has(code)) depth = Math.max(0, depth - 1);
    else if (PAUSES.has(code)) lastPause = i + 1;
    stop = stopOf(text, words, i, first);

    if (i + 1 - first >= maxTokens && i + 1 < words.n) {
      const kept = stop;
      begin(lastPause - first > maxTokens / 2 ? lastPause : i + 1);
      // The limit may fall right on a stop; what closes it must not open a sentence of its own.
      if (first <= i) stop = kept;
    }
  }
  return withOffsets(words, firsts);
}

function withOffsets(words: Words, firsts: number[]): Sentences {
  const n = firsts.length;
  return {
    n,
    firsts: Int32Array.from([...firsts, words.n]),
    starts: Int32Array.from(firsts, (first) => words.starts[first]),
    ends: Int32Array.from(firsts, (_, i) => words.ends[(i + 1 < n ? firsts[i + 1] : words.n) - 1]),
  };
}

/** A bracket still open after this many tokens was never closed: sentences end inside it again. */
const BRACKET_PATIENCE = 80;

const codes = (marks: string): Set<number> => new Set(Array.from(marks, (mark) => mark.charCodeAt(0)));
const OPENING = codes('([{');
const CLOSING = codes(')]}');
const PAUSES = codes(';,');
const QUOTES = codes('"\'”’»');
const STOPS = codes('.?!…');
const FULL_WIDTH_STOPS = codes('。！？');
const POINT = 0x2e;

// What kind of end the last token may be.
const NO_STOP = 0;
/** ".", "?", "!": a sentence unless a small letter follows. */
const STOP = 1;
/** An ellipsis, or an abbreviation that can end a sentence: only before a word that usually opens one. */
const WEAK_STOP = 2;
/** Full-width marks: always. */
const FULL_STOP = 3;

function stopOf(text: string, words: Words, i: number, first: number): number {
  const start = words.starts[i];
  const end = words.ends[i];
  const code = text.charCodeAt(start);
  if (FULL_WIDTH_STOPS.has(code)) return FULL_STOP;
  if (STOPS.has(code)) {
    // ".05" begins with a point but is a number.
    if (text.charCodeAt(end - 1) !== code) return NO_STOP;
    if (code === 0x2026 || (code === POINT && end - start > 1)) return WEAK_STOP;
    // "1." or "a." at the front numbers an item of a list.
    return i === first + 1 && words.ends[first] - words.starts[first] <= 2 && code === POINT ? NO_STOP : STOP;
  }
  if (text.charCodeAt(end - 1) !== POINT) return NO_STOP;
  return MAY_END.test(text.slice(start, end)) ? WEAK_STOP : NO_STOP;
}

/** Abbreviations that a sentence can end in: "etc.", "et al.", "U.S.", "Ph.D."; not "e.g." or "Fig.". */
const MAY_END = /^(?:etc|al|jr|sr|\p{Lu}\p{L}?(?:\.\p{Lu})+)\.$/u;

/** Whether token i is a closing bracket, a closing quote or a further mark that still belongs to the stop. */
function closesAfterStop(text: string, words: Words, i: number): boolean {
  const code = text.charCodeAt(words.starts[i]);
  if (CLOSING.has(code)) return true;
  if (STOPS.has(code)) return text.charCodeAt(words.ends[i] - 1) === code;
  if (!QUOTES.has(code) || words.ends[i] - words.starts[i] > 2) return false;
  // A straight quote closes when it touches what is before it, or stands alone as tokenized text has it.
  const touches = words.starts[i] === words.ends[i - 1];
  const apart = i + 1 === words.n || words.starts[i + 1] > words.ends[i];
  return touches || (apart && text.slice(words.starts[i], words.ends[i]) === "''");
}

/** Whether an empty line stands before token i. */
function opensParagraph(text: string, words: Words, i: number): boolean {
  let lines = 0;
  for (let at = words.ends[i - 1]; at < words.starts[i]; at++) if (text.charCodeAt(at) === 0x0a) lines++;
  return lines >= 2;
}

/** Whether token i can be the first of a sentence after such a stop. */
function opensSentence(text: string, words: Words, i: number, stop: number): boolean {
  if (stop === FULL_STOP) return true;
  const token = text.slice(words.starts[i], words.ends[i]);
  if (stop === WEAK_STOP) return SENTENCE_STARTERS.has(token);
  const character = token.charAt(0);
  if (words.starts[i] === words.ends[i - 1]) {
    // No space: "method.We" ends a sentence, "Fig.3a" and "a.b" do not.
    return /^\p{Lu}\p{Ll}/u.test(token) || SENTENCE_STARTERS.has(token);
  }
  if (PAUSES.has(token.charCodeAt(0)) || character === ':' || character === '%') return false;
  if (!/^\p{Ll}/u.test(character)) return true;
  // Names written with a small first letter: "mBERT", "eQTL", "p53", "iPhone".
  return /^\p{Ll}{1,3}[\p{Lu}\p{Nd}]/u.test(token);
}
