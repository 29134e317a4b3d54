/** Names topics as a person would: two or three phrases that together cover what the topic is about. */

import type { CandidateTerms } from './candidate-terms.ts';
import type { LabelConfig } from './config.ts';
import { type Shape, saysTheSame, shapeOf } from './fold-terms.ts';
import { isLone, meanTitleShare, type NamePhrase, namePhrases } from './name-phrases.ts';
import { naturalCase, writtenCase } from './natural-case.ts';
import { type RankedTerm, sharedCount } from './topic-terms.ts';

/**
 * The second and the third phrase join only if they are worth this share of the first; the second joins a
 * lone word sooner, which says little by itself.
 */
const WORTH_ADDING = [0.2, 0.5];
const WORTH_ADDING_TO_LONE = 0.1;

/** What covering documents that the label covers already is worth beside covering others. */
const KNOWN_COVERAGE = 0.5;

/** Phrases with this share of their words in common differ too little to stand beside each other. */
const SAME_WORDS = 0.6;

/** Phrases that compete for a place in a label, and how many are ranked: more only tell equal labels apart. */
const COMPETING = 30;
const RANKED = 8;

/** Longer labels do not fit on a map; a third phrase that would exceed this stays out. */
const MAX_LABEL_LENGTH = 80;

export interface LabelledTopic {
  topicId: number;
  /** Ascending document rows. */
  rows: Int32Array;
  /** Terms to make the label of, strongest first, no two that say the same. */
  terms: readonly RankedTerm[];
  /** All strong terms of the topic, strongest first. */
  pool: readonly RankedTerm[];
}

/**
 * One label for each topic, in the given order; no two equal.
 *
 * @param abstractOf Abstract of a document's row.
 * @param kept Labels that stay as they are, by topic id.
 */
export function composeLabels(
  topics: readonly LabelledTopic[],
  candidates: CandidateTerms,
  abstractOf: (row: number) => string,
  config: LabelConfig,
  kept: ReadonlyMap<number, string> = new Map(),
): string[] {
  const taken = new Set([...kept.values()].map((label) => label.toLowerCase()));
  const titleShare = meanTitleShare(candidates);
  return topics.map(({ topicId, rows, terms, pool }) => {
    const standing = kept.get(topicId);
    if (standing !== undefined) return standing;
    const write = ({ ranked, leads }: NamePhrase): Phrase => {
      const text = candidates.text[ranked.term];
      const texts = Array.from(ranked.documents, (at) => abstractOf(rows[at]));
      const isWord = candidates.type[ranked.term] === 'word';
      return { text: naturalCase(isWord ? writtenCase(text, texts) : text, texts), leads };
    };
    const competing = namePhrases(terms, pool, rows.length, candidates, titleShare, config)
      .sort((a, b) => b.worth - a.worth || a.ranked.term - b.ranked.term)
      .slice(0, COMPETING);
    const { phrases, fitting } = rankPhrases(competing, rows.length, candidates);
    const label = uniqueLabel(phrases.map(write), fitting, taken) ?? `Topic ${topicId}`;
    taken.add(label.toLowerCase());
    return label;
  });
}

/**
 * Ranks phrases one by one: the first by worth, each further one by worth times the share of the documents
 * left over that it covers, less what it repeats.
 *
 * @param competing Most worth first.
 * @returns Phrases that add anything, and how many of them the label should have.
 */
function rankPhrases(
  competing: readonly NamePhrase[],
  size: number,
  candidates: CandidateTerms,
): { phrases: NamePhrase[]; fitting: number } {
  const compared = competing.map((phrase) => likened(phrase, candidates));
  const repeats = new Float64Array(competing.length);
  const covered = new Uint8Array(size);
  const phrases: NamePhrase[] = [];
  const values: number[] = [];
  while (phrases.length < RANKED) {
    let best = -1;
    let bestValue = 0;
    for (let at = 0; at < competing.length; at++) {
      const { ranked, worth } = competing[at];
      let fresh = 0;
      for (const document of ranked.documents) fresh += 1 - covered[document];
      const coverage = KNOWN_COVERAGE + (1 - KNOWN_COVERAGE) * Math.sqrt(fresh / ranked.documents.length);
      const value = worth * coverage * (1 - repeats[at]);
      if (value > bestValue) {
        best = at;
        bestValue = value;
      }
    }
    if (best === -1) break;
    phrases.push(competing[best]);
    values.push(bestValue);
    for (const document of competing[best].ranked.documents) covered[document] = 1;
    // A phrase repeats itself in full, and is not ranked twice.
    for (let at = 0; at < competing.length; at++) {
      const repeated = at === best ? 1 : likeness(compared[at], compared[best]);
      repeats[at] = Math.max(repeats[at], repeated);
    }
  }
  if (phrases.length === 0) return { phrases, fitting: 0 };
  const [second, third] = WORTH_ADDING;
  const shares = [isLone(phrases[0].ranked.term, candidates) ? WORTH_ADDING_TO_LONE : second, third];
  let fitting = 1;
  while (fitting <= shares.length && values[fitting] >= shares[fitting - 1] * values[0]) fitting++;
  return { phrases, fitting };
}

/** What likeness compares of a phrase. */
interface Likened {
  documents: Int32Array;
  shape: Shape;
  /** Distinct stems that say something, without the numbers of a series: WMT21, WMT20 and WMT are one. */
  stems: readonly string[];
}

function likened({ ranked }: NamePhrase, candidates: CandidateTerms): Likened {
  const shape = shapeOf(ranked, candidates);
  const stems = new Set(shape.bare.map((stem) => stem.replace(/(?<=\D)\d+$/u, '')));
  return { documents: ranked.documents, shape, stems: [...stems] };
}

/**
 * How much of the shorter of two phrases the other says already: all where they say the same or share most
 * of their words, else the share of its words, or half the cosine of their documents, whichever is more.
 */
function likeness(a: Likened, b: Likened): number {
  if (saysTheSame(a.shape, b.shape)) return 1;
  const [shorter, longer] = a.stems.length <= b.stems.length ? [a, b] : [b, a];
  const common = Math.max(wordsIn(shorter, longer), wordsIn(longer, shorter)) / shorter.stems.length;
  if (common >= SAME_WORDS) return 1;
  const shared = sharedCount(a.documents, b.documents);
  const cosine = shared === 0 ? 0 : shared / Math.sqrt(a.documents.length * b.documents.length);
  return Math.max(common, cosine / 2);
}

/** Words of a phrase that stand in another, an acronym also for the words it abbreviates: "MT evaluation". */
function wordsIn(phrase: Likened, other: Likened): number {
  return phrase.stems.filter(
    (stem) =>
      other.stems.includes(stem) ||
      (stem.length > 1 && other.shape.initials.some((initials) => initials.includes(stem))),
  ).length;
}

/** A term as it stands in a label. */
interface Phrase {
  text: string;
  leads: boolean;
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
 * "Neural machine translation, back-translation and low-resource languages": tasks and methods
 * first, since what is done stands before what it is done with and on; then in the order chosen.
 */
function sentence(phrases: readonly Phrase[]): string {
  const texts = phrases
    .map((phrase, place) => ({ ...phrase, place }))
    .sort((a, b) => Number(b.leads) - Number(a.leads) || a.place - b.place)
    .map(({ text }) => text);
  return capitalised(joined(texts.filter((text, at) => texts.indexOf(text) === at)));
}

function joined(texts: readonly string[]): string {
  if (texts.length < 2) return texts.join('');
  return `${texts.slice(0, -1).join(', ')} and ${texts[texts.length - 1]}`;
}

/** A capital first letter, but for names with a case of their own: mBERT, iPhone; not text-to-SQL. */
function capitalised(label: string): string {
  const [first] = label.split(/[ -]/u, 1);
  if (first !== first.toLowerCase()) return label;
  const [letter] = label;
  return letter === undefined ? label : letter.toUpperCase() + label.slice(letter.length);
}
