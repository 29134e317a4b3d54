/**
 * The phrases that could name a topic, and how well each would: what is strong in the topic, written in
 * titles, whole as a phrase, and known to the tagger. Lone words give way to phrases that hold them.
 */

import { npmi } from '../../pipeline/math/npmi.ts';
import type { CandidateTerms } from './candidate-terms.ts';
import { type LabelConfig, weightOf } from './config.ts';
import { isContainer } from './fold-terms.ts';
import { type RankedTerm, sharedCount } from './topic-terms.ts';

/** A phrase with its worth as part of the topic's label. */
export interface NamePhrase {
  ranked: RankedTerm;
  /** Above 0; only comparable within one topic. */
  worth: number;
  /** Whether it says what is done: a task or a method, or any other type of full weight. */
  leads: boolean;
}

/** The fitness that the worth holds (see fitnessOf). */
interface Judged extends NamePhrase {
  fitness: number;
}

/** A phrase of no more than one of the topic's documents and this share of them is a detail. */
const MIN_COVERAGE = 0.05;

/** Weights fall steeply from the first term on; damped, they leave a say to what is special to the topic. */
const WEIGHT_POWER = 0.7;

/** Documents at which a phrase is worth half: of two small numbers, chance may have made the larger. */
const FEW_DOCUMENTS = 2;

/** So that a topic of the whole corpus, to which nothing is special, is named by weight. */
const LEAST_BOND = 0.01;

/**
 * Words that authors put into this share of the titles of the papers that use them are a name that the
 * tagger passed over: titles are where papers name their subjects.
 */
const TITLE_SHARE_OF_NAMES = 0.4;

/** What such a name counts: as much as a material, a little less than a task or method. */
const NAME_WEIGHT = 0.8;

/** Documents whose titles are as the corpus has them on average, added so that few prove little. */
const TITLE_PRIOR = 4;

/** How far being oftener or less often in titles than other terms raises or lowers a term's worth. */
const TITLE_POWER = 0.5;

/** Phrases with "and" or marks of their own read badly in a list of phrases. */
const UNWIELDY = 0.4;

/** A lone word is worth this much of a phrase of equal weight: "translation" says less than what kind. */
const LONE_ENTITY = 0.6;
const LONE_WORD = 0.5;

/** So is a word with a container behind it, a little less: "translation task", "shared task". */
const CONTAINED_WORD = 0.75;

/** From this completeness on a term is a whole phrase; below the other it is a fragment ("low-resource"). */
const WHOLE = 0.3;
const FRAGMENT = 0.1;
const FRAGMENT_WORTH = 0.05;

/** "patients treated", "code-mixed": as whole as nouns by what follows ("with", "in"); but not "seed". */
const PARTICIPLE = /\p{Ll}{2}[^e\P{Ll}]ed$/u;

/**
 * A lone word gives way to a phrase that stands in this share of its documents; a fragment needs one more
 * and gives way to rarer ones, an acronym or a name needs none and gives way only to commoner ones.
 */
const EXTENSION_SHARE = 0.25;
const FRAGMENT_EXTENSION_SHARE = 0.12;
const NAME_EXTENSION_SHARE = 0.4;

/** Names of a year are events: "SemEval-2018 Task" says where a paper was read and not what about. */
const EVENT = 0.1;
const YEAR = /(?<![\d.])(?:19|20)\d\d(?![\d.])/u;

/**
 * Phrases that may name the topic, in the order of the terms; all terms where none covers enough.
 *
 * @param terms Strongest first; no two that say the same.
 * @param pool Further terms of the topic, among which lone words find phrases that hold them.
 * @param size Documents of the topic.
 */
export function namePhrases(
  terms: readonly RankedTerm[],
  pool: readonly RankedTerm[],
  size: number,
  candidates: CandidateTerms,
  titleShare: number,
  config: LabelConfig,
): NamePhrase[] {
  const broad = terms.filter((ranked) => isBroad(ranked, size));
  const found = new Map<number, NamePhrase>();
  for (const ranked of broad.length > 0 ? broad : terms) {
    const own = judge(ranked, size, candidates, titleShare, config);
    const longer = extensionOf(ranked, pool, size, candidates, titleShare);
    const phrase = longer === null ? own : extended(own, judge(longer, size, candidates, titleShare, config));
    const known = found.get(phrase.ranked.term);
    if (known === undefined || known.worth < phrase.worth) found.set(phrase.ranked.term, phrase);
  }
  return [...found.values()];
}

/**
 * A phrase in the place of a word of it: as far as it stands for the word, by the documents they share, it is
 * worth what the word would be if it were a whole phrase.
 */
function extended(word: Judged, phrase: Judged): NamePhrase {
  const shared = sharedCount(word.ranked.documents, phrase.ranked.documents);
  const inherited = (word.worth / word.fitness) * Math.sqrt(shared / word.ranked.documents.length);
  return { ...phrase, worth: Math.max(phrase.worth, inherited), leads: word.leads || phrase.leads };
}

function isBroad({ documents }: RankedTerm, size: number): boolean {
  return documents.length >= 1 + MIN_COVERAGE * size;
}

/** Share of the occurrences of terms in documents that stand in a title too: what a term has by chance. */
export function meanTitleShare({ inTitle }: CandidateTerms): number {
  let titles = 0;
  for (let at = 0; at < inTitle.length; at++) titles += inTitle[at];
  return titles / Math.max(1, inTitle.length);
}

/**
 * A term's strength times its NPMI with the topic, since what names a topic is common in it and rare
 * elsewhere ("NLP tasks" may be the commonest term of ten topics and names none of them), times how often
 * it is in titles beside other terms, times its standing and fitness. A metric or a unit is rarely in titles
 * and names a topic only where nothing else does.
 */
function judge(
  ranked: RankedTerm,
  size: number,
  candidates: CandidateTerms,
  titleShare: number,
  config: LabelConfig,
): Judged {
  const { term, documents } = ranked;
  const n = candidates.offsets.length - 1;
  const bond = npmi(candidates.documentCount[term], size, documents.length, n);
  const inTitles = shrunkTitleShare(ranked, titleShare);
  // Titles of system papers begin with the system's or the team's own name, which is no subject.
  const isOwnName = candidates.words[term].length === 1 && !isLone(term, candidates);
  const typeWeight = Math.min(1, weightOf(config.weights, candidates.type[term]));
  const asName = isOwnName ? 0 : NAME_WEIGHT * Math.min(1, inTitles / TITLE_SHARE_OF_NAMES);
  const certainty = Math.max(ranked.weight / ranked.tfIdf, asName);
  const standing = candidates.type[term] === 'word' ? Math.max(typeWeight, asName) : typeWeight;
  const lift = titleShare === 0 ? 1 : (inTitles / titleShare) ** TITLE_POWER;
  const titled = isOwnName ? Math.min(1, lift) : lift;
  const fitness = fitnessOf(term, candidates);
  const support = documents.length / (documents.length + FEW_DOCUMENTS);
  const strength = (ranked.tfIdf * certainty) ** WEIGHT_POWER;
  return {
    ranked,
    worth: strength * support * Math.max(bond, LEAST_BOND) * standing * titled * fitness,
    leads: typeWeight === 1 && !YEAR.test(candidates.text[term]),
    fitness,
  };
}

/** Share of the topic's documents with the term that hold it in their titles, drawn towards the corpus's. */
function shrunkTitleShare({ documents, titles }: RankedTerm, titleShare: number): number {
  return (titles + TITLE_PRIOR * titleShare) / (documents.length + TITLE_PRIOR);
}

/** How well a term reads as a phrase of a label, above 0 to 1. */
function fitnessOf(term: number, candidates: CandidateTerms): number {
  const text = candidates.text[term];
  const wholeness = wholenessOf(term, candidates);
  if (YEAR.test(text)) return EVENT * wholeness;
  if (/ and | or |[,;:()[\]]/u.test(text)) return UNWIELDY * wholeness;
  if (!isLone(term, candidates)) {
    const words = candidates.words[term];
    return words.length === 2 && isContainer(words[1], candidates) ? CONTAINED_WORD * wholeness : wholeness;
  }
  return (candidates.type[term] === 'word' ? LONE_WORD : LONE_ENTITY) * wholeness;
}

/** 1 for whole phrases, FRAGMENT_WORTH for fragments, in between by completeness. */
function wholenessOf(term: number, { completeness, text }: CandidateTerms): number {
  if (PARTICIPLE.test(text[term])) return FRAGMENT_WORTH;
  const share = (completeness[term] - FRAGMENT) / (WHOLE - FRAGMENT);
  return FRAGMENT_WORTH + (1 - FRAGMENT_WORTH) * Math.min(1, Math.max(0, share));
}

/** A word that says little by itself; names with a capital inside or a hyphen say enough: BERT, GPT-4. */
export function isLone(term: number, { words, text }: CandidateTerms): boolean {
  return words[term].length === 1 && !/\p{Lu}.*[\p{Lu}\p{N}]|-/u.test(text[term]);
}

/**
 * The phrase that says a lone word or a fragment in full: the commonest whole one that holds it and stands
 * in a fair share of its documents of the topic; ties go to more titles, then to the stronger term. Null
 * where there is none or none is needed.
 */
function extensionOf(
  ranked: RankedTerm,
  pool: readonly RankedTerm[],
  size: number,
  candidates: CandidateTerms,
  titleShare: number,
): RankedTerm | null {
  const words = candidates.words[ranked.term];
  const isFragment = wholenessOf(ranked.term, candidates) < 1;
  if (!isFragment && words.length > 1) return null;
  const share = isLone(ranked.term, candidates) ? EXTENSION_SHARE : NAME_EXTENSION_SHARE;
  const least = (isFragment ? FRAGMENT_EXTENSION_SHARE : share) * ranked.documents.length;
  let best: RankedTerm | null = null;
  let bestValue = 0;
  for (const longer of pool) {
    const phrase = candidates.words[longer.term];
    if (phrase.length <= words.length || !isBroad(longer, size)) continue;
    if (!holds(phrase, words) || fitnessOf(longer.term, candidates) < CONTAINED_WORD) continue;
    if (sharedCount(ranked.documents, longer.documents) < least) continue;
    const value = longer.documents.length * (1 + shrunkTitleShare(longer, titleShare));
    if (value > bestValue) {
      best = longer;
      bestValue = value;
    }
  }
  return best;
}

function holds(phrase: readonly number[], part: readonly number[]): boolean {
  for (let from = 0; from + part.length <= phrase.length; from++) {
    if (part.every((word, at) => phrase[from + at] === word)) return true;
  }
  return false;
}
