/**
 * Where BERT's words begin and end: at white space, and around punctuation and ideographs.
 *
 * A text is cut into runs before it is normalised: normalising never reaches past a blank or past a
 * character that is a word of its own, so most runs need none of it, and each can be remembered.
 */

import { characterFlags, PUNCTUATION, SPACE } from './bert-characters.ts';
import { BLANK, CAPITAL, CHANGED, OTHER, SINGLE } from './bert-normalizer.ts';

/**
 * Visits the runs between the code units `from` and `to` of a text: what lies between blanks, and characters
 * that are words of their own.
 *
 * @param kinds As `classifyCodeUnits` gives it.
 * @param visit Gets the run's place and the kinds of its code units, gathered; false ends the visit.
 */
export function eachRun(
  kinds: Uint8Array,
  text: string,
  from: number,
  to: number,
  visit: (start: number, end: number, kindsSeen: number) => boolean,
): void {
  for (let at = from; at < to; ) {
    let kindsSeen = kinds[text.charCodeAt(at)];
    const start = at++;
    if (kindsSeen === BLANK) continue;
    if (kindsSeen !== SINGLE) {
      for (; at < to; at++) {
        const kind = kinds[text.charCodeAt(at)];
        if (kind === BLANK || kind === SINGLE) break;
        kindsSeen |= kind;
      }
    }
    if (!visit(start, at, kindsSeen)) return;
  }
}

/** The one word that a run is, as long as that needs nothing but lower case; null where it must be normalised. */
export function plainWord(run: string, kindsSeen: number): string | null {
  if (kindsSeen & CHANGED) return null;
  if (!(kindsSeen & CAPITAL)) return run;
  // Lower case beyond ASCII is for the tables to say, since Node's own grows with each release.
  return kindsSeen & OTHER ? null : run.toLowerCase();
}

/** Visits the words among the normalised characters `from` to `to`; false ends the visit. */
export function eachNormalizedWord(
  codes: readonly number[],
  from: number,
  to: number,
  visit: (start: number, end: number) => boolean,
): void {
  let start = from;
  for (let i = from; i <= to; i++) {
    const flags = i < to ? characterFlags[codes[i]] : SPACE;
    if (!(flags & (SPACE | PUNCTUATION))) continue;
    if (start < i && !visit(start, i)) return;
    if (flags & PUNCTUATION && !visit(i, i + 1)) return;
    start = i + 1;
  }
}

/** Normalised characters as text. */
export function textOf(codes: readonly number[], from: number, to: number): string {
  let text = '';
  for (let i = from; i < to; i++) text += String.fromCodePoint(codes[i]);
  return text;
}
