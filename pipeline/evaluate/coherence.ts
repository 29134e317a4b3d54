/**
 * How good lists of topic terms are, judged from the texts alone: coherence (terms of one topic share
 * documents) and diversity (topics do not share terms). Any topic model's lists can be compared.
 */

import { documentBits, meanNpmi } from '../math/npmi.ts';

export interface TopicQuality {
  /** Float64Array [c]: mean NPMI of each topic's terms, −1 to 1; 0 for fewer than two terms. */
  coherence: Float64Array;
  /** Mean over topics; 0 without topics. */
  meanCoherence: number;
  /** Share of distinct terms among all terms of all topics, 0 to 1. */
  diversity: number;
}

/**
 * @param topics Terms of each topic, strongest first; cut them to one length to compare models.
 * @param texts The corpus, one text per document.
 */
export function topicQuality(topics: readonly (readonly string[])[], texts: Iterable<string>): TopicQuality {
  const coherence = npmiCoherence(topics, texts);
  const sum = coherence.reduce((total, value) => total + value, 0);
  return {
    coherence,
    meanCoherence: coherence.length === 0 ? 0 : sum / coherence.length,
    diversity: topicDiversity(topics),
  };
}

/**
 * Share of distinct terms among all terms of all topics: 1 where no two topics share a term.
 *
 * @returns 0 to 1; 1 where there are no terms.
 *
 * Source: Dieng, Ruiz and Blei 2020, "Topic modeling in embedding spaces", section 6.
 */
export function topicDiversity(topics: readonly (readonly string[])[]): number {
  const distinct = new Set<string>();
  let all = 0;
  for (const terms of topics) {
    all += terms.length;
    for (const term of terms) distinct.add(term.toLowerCase());
  }
  return all === 0 ? 1 : distinct.size / all;
}

/**
 * Mean NPMI of each topic's terms by the documents they share. A document holds a term where the term's
 * words stand in it one after the other, singular or plural, whatever their case and whatever stands
 * between the words but letters and digits.
 *
 * @returns Float64Array [c]. A term that no text holds counts 0 with every other.
 */
export function npmiCoherence(topics: readonly (readonly string[])[], texts: Iterable<string>): Float64Array {
  // Distinct terms by first word, so that each word of a text is looked up once.
  const documents = new Map<string, number[]>();
  const byFirstWord = new Map<string, { words: string[]; key: string }[]>();
  for (const term of topics.flat()) {
    const words = wordsOf(term);
    const key = words.join(' ');
    if (documents.has(key)) continue;
    documents.set(key, []);
    if (words.length === 0) continue;
    const same = byFirstWord.get(words[0]);
    if (same === undefined) byFirstWord.set(words[0], [{ words, key }]);
    else same.push({ words, key });
  }

  let n = 0;
  for (const text of texts) {
    const words = wordsOf(text);
    for (let at = 0; at < words.length; at++) {
      for (const term of byFirstWord.get(words[at]) ?? []) {
        if (!term.words.every((word, i) => words[at + i] === word)) continue;
        const rows = documents.get(term.key);
        if (rows !== undefined && rows[rows.length - 1] !== n) rows.push(n);
      }
    }
    n++;
  }

  return Float64Array.from(topics, (terms) =>
    meanNpmi(
      terms.map((term) => documentBits(documents.get(wordsOf(term).join(' ')) ?? [], n)),
      n,
    ),
  );
}

/** Words in lower case, without the plural s: a term stands for its other number too. */
function wordsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  return words.map((word) => (word.length > 3 && /[^s]s$/u.test(word) ? word.slice(0, -1) : word));
}
