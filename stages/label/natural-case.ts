/** How a phrase is written in running text, when its commonest form stands in titles. */

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

/** "Machine", "Multi-Document", "of"; not "BERT" or "WordNet". */
function isTitleCase(word: string): boolean {
  return !/\p{Lu}/u.test(word.replace(/(?:^|[-‐‑/])\p{Lu}/gu, ''));
}
