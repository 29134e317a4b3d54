/** How a phrase is written in running text, when its commonest form stands in titles. */

import { compareCodePoints } from './code-point-order.ts';

/** A phrase that running text writes small in this share of its occurrences is no name. */
const SMALL_SHARE = 0.2;

/**
 * A phrase whose words all have a capital first letter and small ones after, in small letters where the
 * texts write it so: "Machine Translation" turns small, "Sketch Engine" and "Penn Treebank" stay. Phrases
 * with any other word, such as an acronym, are left as they are.
 */
export function naturalCase(phrase: string, texts: readonly string[]): string {
  if (!/^\p{Lu}/u.test(phrase) || !phrase.split(' ').every(isTitleCase)) return phrase;
  const small = phrase.toLowerCase();
  let asSmall = 0;
  let asGiven = 0;
  for (const text of texts) {
    if (text.includes(small)) asSmall++;
    if (text.includes(phrase)) asGiven++;
  }
  return asSmall > 0 && asSmall >= SMALL_SHARE * (asSmall + asGiven) ? small : phrase;
}

/**
 * A phrase put together from words, where one of them is a name, as the texts mostly write it: "Bronze age"
 * becomes "Bronze Age". Ties go to the first in code-point order; phrases that no text holds stay.
 */
export function writtenCase(phrase: string, texts: readonly string[]): string {
  if (phrase === phrase.toLowerCase()) return phrase;
  const small = phrase.toLowerCase();
  const counts = new Map<string, number>();
  for (const text of texts) {
    const at = text.toLowerCase().indexOf(small);
    if (at === -1) continue;
    const written = text.slice(at, at + phrase.length);
    // A few letters change their length with their case, and what is cut out is another piece of text.
    if (written.toLowerCase() === small) counts.set(written, (counts.get(written) ?? 0) + 1);
  }
  let best = phrase;
  let most = 0;
  for (const [written, count] of counts) {
    if (count > most || (count === most && compareCodePoints(written, best) < 0)) {
      best = written;
      most = count;
    }
  }
  return best;
}

/** "Machine", "Multi-Document", "of"; not "BERT" or "WordNet". */
function isTitleCase(word: string): boolean {
  return !/\p{Lu}/u.test(word.replace(/(?:^|[-‐‑/])\p{Lu}/gu, ''));
}
