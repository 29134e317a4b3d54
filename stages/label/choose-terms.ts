/** Chooses the terms that stand for a topic: strong ones, that belong together, and do not repeat one another. */

import { npmi } from '../../pipeline/math/npmi.ts';
import type { CandidateTerms } from './candidate-terms.ts';
import { stemOf } from './fold-terms.ts';
import type { RankedTerm } from './topic-terms.ts';

/**
 * How much a term's agreement with the terms chosen before counts beside its weight. Weight alone lists
 * words that are common in the topic for reasons of their own; people find lists of high NPMI more coherent
 * (Lau, Newman and Baldwin 2014).
 */
const AGREEMENT = 2;

/**
 * Picks `size` terms one by one, each the best by
 * `(1 − diversity) · (weight + AGREEMENT · agreement) − diversity · likeness`: weight relative to the
 * strongest term's, agreement the mean NPMI with the terms picked before, likeness the greatest share of
 * words in common with one of them.
 *
 * @param terms Strongest first.
 * @param documentsOf Rows of the corpus that hold a term, 0 to n − 1, ascending.
 * @param diversity 0 to let terms repeat one another, 1 to choose by unlikeness alone after the strongest.
 * @returns The terms picked, strongest first. Ties go to the stronger term.
 *
 * Source: maximal marginal relevance, Carbonell and Goldstein 1998.
 */
export function chooseTerms(
  terms: readonly RankedTerm[],
  candidates: CandidateTerms,
  documentsOf: (term: number) => Int32Array,
  n: number,
  size: number,
  diversity: number,
): RankedTerm[] {
  if (terms.length <= size) return terms.slice();
  const strongest = terms[0].weight;
  const documents = terms.map(({ term }) => documentsOf(term));
  const words = terms.map(({ term }) => wordStems(term, candidates));
  const likeness = new Float64Array(terms.length);
  const agreement = new Float64Array(terms.length);
  const holdsBest = new Uint8Array(n);
  const picked: number[] = [];
  const isPicked = new Uint8Array(terms.length);
  while (picked.length < size) {
    let best = -1;
    let bestValue = Number.NEGATIVE_INFINITY;
    for (let at = 0; at < terms.length; at++) {
      if (isPicked[at] === 1) continue;
      const mean = picked.length === 0 ? 0 : agreement[at] / picked.length;
      const value =
        (1 - diversity) * (terms[at].weight / strongest + AGREEMENT * mean) - diversity * likeness[at];
      if (value > bestValue) {
        best = at;
        bestValue = value;
      }
    }
    picked.push(best);
    isPicked[best] = 1;
    for (const row of documents[best]) holdsBest[row] = 1;
    for (let at = 0; at < terms.length; at++) {
      if (isPicked[at] === 1) continue;
      likeness[at] = Math.max(likeness[at], shareInCommon(words[at], words[best]));
      const shared =
        SEARCH_COST * documents[best].length < documents[at].length
          ? searchedCount(documents[best], documents[at])
          : heldCount(documents[at], holdsBest);
      agreement[at] += npmi(documents[at].length, documents[best].length, shared, n);
    }
    for (const row of documents[best]) holdsBest[row] = 0;
  }
  return picked.sort((a, b) => a - b).map((at) => terms[at]);
}

/** Rows that are looked at in the time that one is searched for among many. */
const SEARCH_COST = 32;

/** Rows of an ascending list that another holds. */
function heldCount(rows: Int32Array, held: Uint8Array): number {
  let count = 0;
  for (const row of rows) count += held[row];
  return count;
}

/** The same where the list is long and the other, also ascending, is short. */
function searchedCount(few: Int32Array, many: Int32Array): number {
  let count = 0;
  let from = 0;
  for (const row of few) {
    let to = many.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (many[middle] < row) from = middle + 1;
      else to = middle;
    }
    if (many[from] === row) count++;
  }
  return count;
}

/** Share of all words of two terms that both have, 0 to 1. */
function shareInCommon(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let common = 0;
  for (const word of a) if (b.has(word)) common++;
  return common / (a.size + b.size - common);
}

/** Stems of a term's words. */
function wordStems(term: number, candidates: CandidateTerms): Set<string> {
  return new Set(candidates.words[term].map((word) => stemOf(candidates.corpus.keys[word])));
}
