/** Names topics as a person would: two or three phrases that together cover what the topic is about. */

import type { CandidateTerms } from './candidate-terms.ts';
import { commonWords } from './choose-terms.ts';
import { type LabelConfig, weightOf } from './config.ts';
import { type RankedTerm, sharedCount } from './topic-terms.ts';

const MAX_PHRASES = 3;

/** A phrase joins the label only if it is worth this share of the first. */
const WORTH_ADDING = 0.4;

/** Longer labels do not fit on a map; a third phrase that would exceed this stays out. */
const MAX_LABEL_LENGTH = 80;

/** A word alone is worth this much of a phrase of equal weight: "translation" says less than what kind. */
const LONE_WORD = 0.7;

/** One label for each topic, in the given order; no two equal. */
export function composeLabels(
  topics: readonly { topicId: number; size: number; terms: readonly RankedTerm[] }[],
  candidates: CandidateTerms,
  config: LabelConfig,
): string[] {
  const taken = new Set<string>();
  return topics.map(({ topicId, size, terms }) => {
    const phrases = choosePhrases(terms, size, candidates);
    const label = uniqueLabel(phrases, terms, candidates, config, taken) ?? `Topic ${topicId}`;
    taken.add(label.toLowerCase());
    return label;
  });
}

/**
 * Picks phrases one by one: the first by worth, each further one by worth times the share of the documents
 * left over that it covers, less what it repeats.
 */
function choosePhrases(terms: readonly RankedTerm[], size: number, candidates: CandidateTerms): RankedTerm[] {
  const entities = terms.filter(({ term }) => candidates.type[term] !== 'word');
  const pool = entities.length > 0 ? entities : terms;
  const worth = pool.map((ranked) => worthOf(ranked, candidates));
  const covered = new Uint8Array(size);
  const chosen: RankedTerm[] = [];
  let firstValue = 0;
  while (chosen.length < MAX_PHRASES) {
    let best = -1;
    let bestValue = 0;
    for (let at = 0; at < pool.length; at++) {
      if (chosen.includes(pool[at])) continue;
      let fresh = 0;
      for (const document of pool[at].documents) fresh += 1 - covered[document];
      const repeats = chosen.reduce(
        (most, other) => Math.max(most, likeness(pool[at], other, candidates)),
        0,
      );
      const value = worth[at] * Math.sqrt(fresh / pool[at].documents.length) * (1 - repeats);
      if (value > bestValue) {
        best = at;
        bestValue = value;
      }
    }
    if (best === -1 || bestValue < WORTH_ADDING * firstValue) break;
    if (chosen.length === 0) firstValue = bestValue;
    chosen.push(pool[best]);
    for (const document of pool[best].documents) covered[document] = 1;
  }
  return chosen;
}

/** How much of one phrase the other says already: words in common, or half the cosine of their documents. */
function likeness(a: RankedTerm, b: RankedTerm, candidates: CandidateTerms): number {
  const shared = sharedCount(a.documents, b.documents);
  const documents = shared === 0 ? 0 : shared / Math.sqrt(a.documents.length * b.documents.length);
  return Math.max(commonWords(a, b, candidates), documents / 2);
}

function worthOf({ term, weight }: RankedTerm, candidates: CandidateTerms): number {
  const isLoneWord = candidates.words[term].length === 1 && !/\p{Lu}.*\p{Lu}|-/u.test(candidates.text[term]);
  return weight * (isLoneWord ? LONE_WORD : 1);
}

/** The label, with further terms where another topic has it already; null where there are no terms. */
function uniqueLabel(
  phrases: readonly RankedTerm[],
  terms: readonly RankedTerm[],
  candidates: CandidateTerms,
  config: LabelConfig,
  taken: ReadonlySet<string>,
): string | null {
  if (phrases.length === 0) return null;
  const further = terms.filter((term) => !phrases.includes(term));
  let label = '';
  for (let extra = 0; extra <= further.length; extra++) {
    label = sentence([...phrases, ...further.slice(0, extra)], candidates, config, extra > 0);
    if (!taken.has(label.toLowerCase())) return label;
  }
  for (let number = 2; ; number++) {
    const numbered = `${label} (${number})`;
    if (!taken.has(numbered.toLowerCase())) return numbered;
  }
}

/** "Neural machine translation, back-translation and low-resource languages". */
function sentence(
  phrases: readonly RankedTerm[],
  candidates: CandidateTerms,
  config: LabelConfig,
  anyLength: boolean,
): string {
  // What a topic does stands before what it does it with and on: by weight of the type, Task and Method first.
  const typeWeight = ({ term }: RankedTerm): number => weightOf(config.weights, candidates.type[term]);
  const texts = phrases
    .map((ranked, place) => ({ ranked, place }))
    .sort((a, b) => typeWeight(b.ranked) - typeWeight(a.ranked) || a.place - b.place)
    .map(({ ranked }) => candidates.corpus.naturalCase(candidates.text[ranked.term]));
  const distinct = texts.filter((text, at) => texts.indexOf(text) === at);
  let label = joined(distinct);
  if (!anyLength && label.length > MAX_LABEL_LENGTH && distinct.length > 2)
    label = joined(distinct.slice(0, 2));
  return capitalised(label);
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
