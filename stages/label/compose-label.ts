/** Names topics as a person would: two or three phrases that together cover what the topic is about. */

import { npmi } from '../../pipeline/math/npmi.ts';
import type { CandidateTerms } from './candidate-terms.ts';
import { wordStems } from './choose-terms.ts';
import { type LabelConfig, weightOf } from './config.ts';
import { naturalCase } from './natural-case.ts';
import { type RankedTerm, sharedCount } from './topic-terms.ts';

/** The second and the third phrase join only if they are worth this share of the first. */
const WORTH_ADDING = [0.25, 0.4];

/** What covering documents that the label covers already is worth beside covering others. */
const KNOWN_COVERAGE = 0.5;

/** A phrase of fewer of the topic's documents is a detail. */
const MIN_COVERAGE = 0.05;

/** Longer labels do not fit on a map; a third phrase that would exceed this stays out. */
const MAX_LABEL_LENGTH = 80;

/** Weights fall steeply from the first term on; damped, they leave a say to what is special to the topic. */
const WEIGHT_POWER = 0.6;

/** So that a topic of the whole corpus, to which nothing is special, is named by weight. */
const LEAST_BOND = 0.01;

/** Phrases with "and" or marks of their own read badly in a list of phrases. */
const UNWIELDY = 0.4;

/** A word alone is worth this much of a phrase of equal weight: "translation" says less than what kind. */
const LONE_WORD = 0.7;

/** An adjective names nothing: "cross-lingual" what? */
const LONE_ADJECTIVE = 0.05;
const ADJECTIVE_ENDING =
  /(?:al|ic|ive|ible|able|ous|ful|less|ed|lingual|modal|based|aware|level|free|specific|oriented|shot|efficient|label|class|text|token|rich|domain|source|resource|end|hop|scale|driven|agnostic|style|turn|party)$/iu;

export interface LabelledTopic {
  topicId: number;
  /** Ascending document rows. */
  rows: Int32Array;
  /** Strongest first. */
  terms: readonly RankedTerm[];
}

/** One label for each topic, in the given order; no two equal. */
export function composeLabels(
  topics: readonly LabelledTopic[],
  candidates: CandidateTerms,
  abstracts: readonly string[],
  config: LabelConfig,
): string[] {
  const taken = new Set<string>();
  return topics.map(({ topicId, rows, terms }) => {
    const write = (ranked: RankedTerm): Phrase => ({
      text: naturalCase(
        candidates.text[ranked.term],
        Array.from(ranked.documents, (at) => abstracts[rows[at]]),
      ),
      typeWeight: weightOf(config.weights, candidates.type[ranked.term]),
    });
    const { phrases, fitting } = rankPhrases(terms, rows.length, candidates, config);
    const label = uniqueLabel(phrases.map(write), fitting, taken) ?? `Topic ${topicId}`;
    taken.add(label.toLowerCase());
    return label;
  });
}

/**
 * Ranks phrases one by one: the first by worth, each further one by worth times the share of the documents
 * left over that it covers, less what it repeats.
 *
 * @returns All phrases that add anything, and how many of them the label should have.
 */
function rankPhrases(
  terms: readonly RankedTerm[],
  size: number,
  candidates: CandidateTerms,
  config: LabelConfig,
): { phrases: RankedTerm[]; fitting: number } {
  const broad = terms.filter(({ documents }) => documents.length >= MIN_COVERAGE * size);
  const pool = broad.length > 0 ? broad : terms;
  const worth = pool.map((ranked) => worthOf(ranked, size, candidates, config));
  const repeats = new Float64Array(pool.length);
  const covered = new Uint8Array(size);
  const phrases: RankedTerm[] = [];
  const values: number[] = [];
  for (;;) {
    let best = -1;
    let bestValue = 0;
    for (let at = 0; at < pool.length; at++) {
      const { documents } = pool[at];
      let fresh = 0;
      for (const document of documents) fresh += 1 - covered[document];
      const coverage = KNOWN_COVERAGE + (1 - KNOWN_COVERAGE) * Math.sqrt(fresh / documents.length);
      const value = worth[at] * coverage * (1 - repeats[at]);
      if (value > bestValue) {
        best = at;
        bestValue = value;
      }
    }
    if (best === -1) break;
    phrases.push(pool[best]);
    values.push(bestValue);
    for (const document of pool[best].documents) covered[document] = 1;
    // A phrase repeats itself in full, and is not ranked twice.
    for (let at = 0; at < pool.length; at++) {
      repeats[at] = Math.max(repeats[at], at === best ? 1 : likeness(pool[at], pool[best], candidates));
    }
  }
  let fitting = Math.min(1, phrases.length);
  while (fitting < phrases.length && values[fitting] >= (WORTH_ADDING[fitting - 1] ?? 2) * values[0])
    fitting++;
  return { phrases, fitting };
}

/**
 * How much of the shorter of two phrases the other says already: the share of its words, or half the cosine
 * of their documents, whichever is more.
 */
function likeness(a: RankedTerm, b: RankedTerm, candidates: CandidateTerms): number {
  const wordsA = wordStems(a.term, candidates);
  const wordsB = wordStems(b.term, candidates);
  let common = 0;
  for (const word of wordsA) if (wordsB.has(word)) common++;
  const shared = sharedCount(a.documents, b.documents);
  const documents = shared === 0 ? 0 : shared / Math.sqrt(a.documents.length * b.documents.length);
  return Math.max(common / Math.min(wordsA.size, wordsB.size), documents / 2);
}

/**
 * A term's weight times its NPMI with the topic: what names a topic is common in it and rare elsewhere.
 * "NLP tasks" may be the commonest term of ten topics and names none of them. The type's weight enters once
 * more, so that a metric or a plain word names a topic only where tasks and methods fail.
 */
function worthOf(
  { term, weight, documents }: RankedTerm,
  size: number,
  candidates: CandidateTerms,
  config: LabelConfig,
): number {
  const n = candidates.offsets.length - 1;
  const bond = npmi(candidates.documentCount[term], size, documents.length, n);
  const typeWeight = Math.min(1, weightOf(config.weights, candidates.type[term]));
  return weight ** WEIGHT_POWER * Math.max(bond, LEAST_BOND) * typeWeight * fitnessOf(term, candidates);
}

/** How well a term reads as a phrase of a label, 0 to 1. */
function fitnessOf(term: number, candidates: CandidateTerms): number {
  const text = candidates.text[term];
  if (/ and | or |[,;:()[\]]/u.test(text)) return UNWIELDY;
  // An acronym or a name with a capital inside stands alone well: BERT, WordNet, GPT-4.
  if (candidates.words[term].length > 1 || /\p{Lu}.*[\p{Lu}\p{N}]/u.test(text)) return 1;
  if (ADJECTIVE_ENDING.test(text)) return LONE_ADJECTIVE;
  return text.includes('-') ? 1 : LONE_WORD;
}

/** A term as it stands in a label. */
interface Phrase {
  text: string;
  typeWeight: number;
}

/**
 * A label of the fitting phrases, with further ones where another topic has it already; null where there
 * are no phrases.
 */
function uniqueLabel(phrases: readonly Phrase[], fitting: number, taken: ReadonlySet<string>): string | null {
  if (phrases.length === 0) return null;
  let length = fitting > 2 && isLong(phrases.slice(0, fitting)) ? 2 : fitting;
  let label = sentence(phrases.slice(0, length));
  while (taken.has(label.toLowerCase()) && length < phrases.length) {
    label = sentence(phrases.slice(0, ++length));
  }
  if (!taken.has(label.toLowerCase())) return label;
  for (let number = 2; ; number++) {
    const numbered = `${label} (${number})`;
    if (!taken.has(numbered.toLowerCase())) return numbered;
  }
}

function isLong(phrases: readonly Phrase[]): boolean {
  return sentence(phrases).length > MAX_LABEL_LENGTH;
}

/**
 * "Neural machine translation, back-translation and low-resource languages": by weight of the type, Task and
 * Method first, since what is done stands before what it is done with and on; then in the order chosen.
 */
function sentence(phrases: readonly Phrase[]): string {
  const texts = phrases
    .map((phrase, place) => ({ ...phrase, place }))
    .sort((a, b) => b.typeWeight - a.typeWeight || a.place - b.place)
    .map(({ text }) => text);
  return capitalised(joined(texts.filter((text, at) => texts.indexOf(text) === at)));
}

function joined(texts: readonly string[]): string {
  if (texts.length < 2) return texts.join('');
  return `${texts.slice(0, -1).join(', ')} and ${texts[texts.length - 1]}`;
}

/** A capital first letter, but for names with a case of their own: mBERT, iPhone. */
function capitalised(label: string): string {
  const first = label.split(' ', 1)[0];
  if (first !== first.toLowerCase()) return label;
  const [letter] = label;
  return letter === undefined ? label : letter.toUpperCase() + label.slice(letter.length);
}
