/** The few terms, methods, tasks, materials and metrics that stand for a topic in the tables. */

import type { ExportInput } from '../../pipeline/contract.ts';
import type { TopicEntity } from './counts.ts';

/** Names shown for one topic, best first. */
export interface Highlights {
  terms: string[];
  methods: string[];
  tasks: string[];
  materials: string[];
  metrics: string[];
}

/** Entity types of the shipped tagger (SciERC's), lower case; other taggers leave these lists empty. */
const shownTypes = { methods: 'method', tasks: 'task', materials: 'material', metrics: 'metric' } as const;
type Shown = keyof typeof shownTypes;

/** Names per list: what fits a spreadsheet cell. */
const NAMES_PER_LIST = 10;

/**
 * Terms come in the label stage's order. Entities of a type come from the same terms first, and are filled
 * up with the topic's entities of that type by their weight.
 *
 * @returns One entry per topic row.
 */
export function topicHighlights(input: ExportInput, entities: readonly TopicEntity[][]): Highlights[] {
  const { topics, terms } = input;
  const rowOf = new Map(topics.topicId.map((id, row) => [id, row]));
  const highlights = topics.topicId.map(
    (): Highlights => ({ terms: [], methods: [], tasks: [], materials: [], metrics: [] }),
  );
  terms.term.forEach((term, i) => {
    const row = rowOf.get(terms.topicId[i]);
    if (row === undefined) return;
    highlights[row].terms.push(term);
    const shown = shownAs(terms.type[i]);
    if (shown !== null) addName(highlights[row][shown], term);
  });
  const { canonical, type } = input.entities.list;
  highlights.forEach((highlight, row) => {
    // Only the heaviest few of each type are wanted, so each list is kept short while walking.
    const heaviest: Record<Shown, TopicEntity[]> = { methods: [], tasks: [], materials: [], metrics: [] };
    for (const candidate of entities[row]) {
      const shown = shownAs(type[candidate.entity]);
      if (shown !== null) keepHeaviest(heaviest[shown], candidate);
    }
    for (const shown of Object.keys(shownTypes) as Shown[]) {
      for (const { entity } of heaviest[shown]) addName(highlight[shown], canonical[entity]);
    }
  });
  return highlights;
}

function shownAs(type: string): Shown | null {
  const wanted = type.toLowerCase();
  for (const shown of Object.keys(shownTypes) as Shown[]) {
    if (shownTypes[shown] === wanted) return shown;
  }
  return null;
}

/** Twice the names shown: some of them repeat the topic's terms. */
const CANDIDATES = 2 * NAMES_PER_LIST;

function keepHeaviest(kept: TopicEntity[], candidate: TopicEntity): void {
  if (kept.length === CANDIDATES && !isHeavier(candidate, kept[CANDIDATES - 1])) return;
  if (kept.length === CANDIDATES) kept.pop();
  let place = kept.length;
  while (place > 0 && isHeavier(candidate, kept[place - 1])) place--;
  kept.splice(place, 0, candidate);
}

function isHeavier(a: TopicEntity, b: TopicEntity): boolean {
  return a.weight > b.weight || (a.weight === b.weight && a.entity < b.entity);
}

function addName(names: string[], name: string): void {
  if (names.length >= NAMES_PER_LIST) return;
  const folded = name.toLowerCase();
  if (!names.some((known) => known.toLowerCase() === folded)) names.push(name);
}
