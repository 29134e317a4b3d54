/**
 * The terms that may stand for a topic, and which documents hold them: entities under their canonical
 * form, and single words and pairs of words beside them. An entity and a word of the same text are one term.
 */

import type { CorpusTexts, EntityColumns } from '../../pipeline/contract.ts';
import { compareCodePoints } from './code-point-order.ts';
import { type LabelConfig, weightOf } from './config.ts';
import { createPhraseTable, type PhraseTable } from './phrase-table.ts';
import { FUNCTION_WORD_SET } from './stop-words.ts';
import { wordPhrases } from './word-phrases.ts';
import { BREAK, type CorpusWords, readWords } from './words.ts';

/** v terms, by text then type in code-point order, and their occurrences by document. */
export interface CandidateTerms {
  /** Canonical form of an entity, commonest spelling of words. */
  text: string[];
  /** Type that most of the entity's mentions have, or 'word'. */
  type: string[];
  /** Word ids of each term, in reading order. */
  words: number[][];
  /** Documents of the corpus that hold the term. */
  documentCount: Int32Array;
  /** Float64Array [n + 1]: document i owns the occurrences offsets[i] to offsets[i + 1] − 1. */
  offsets: Float64Array;
  /** Per occurrence: the term; each at most once in a document. */
  terms: Int32Array;
  /** Per occurrence: how much it counts, damped by repetition, in steps of 1/1024. */
  counts: Float32Array;
  /** Per occurrence: weight of the type times confidence, in steps of 1/1024. */
  weights: Float32Array;
  /** Per occurrence: 1 where the document's title holds the term. */
  inTitle: Uint8Array;
  /**
   * Per term: share of its occurrences in running text that a function word, a mark or the end follows, 0 to
   * 1. Names end there; "low-resource" and "patients undergoing" want something more. Occurrences before
   * other stop words ("binary black hole models") tell nothing; where few are left the share is near 0.5.
   */
  completeness: Float32Array;
  /** The words under the terms. */
  corpus: CorpusWords;
}

/** Longer phrases are clauses that the tagger took for a name. */
const MAX_ENTITY_WORDS = 6;

const ACRONYM_IN_BRACKETS = /\s*\(\p{Lu}[^()]*\)/gu;

/** Where the code lies is no subject of a paper. */
const WEB_ADDRESS = /\b(?:www\.\w|\w+\.(?:com|edu|gov|io|net|org)\b)/iu;

/** An entity tagged once is found nowhere else in the text: it is a slip more often than a name. */
const MIN_TAGGED_DOCUMENTS = 2;

/**
 * Sums of multiples of 1/1024 are exact in any order, so that no topic depends on the order of rows.
 */
const STEP = 1 / 1024;

/** Finds all terms within the floor and ceiling on document frequency, and their occurrences. */
export function candidateTerms(
  documents: CorpusTexts,
  entities: EntityColumns,
  config: LabelConfig,
): CandidateTerms {
  const n = documents.id.length;
  const corpus = readWords(documents);
  const groups = entityGroups(entities, corpus, config);
  const phrases = createPhraseTable(corpus.keys.length);
  for (const group of groups.list) group.node = phrases.add(group.words);
  const plain = plainPhrases(phrases, corpus, config);
  const reader = createReader(corpus, entities, phrases, groups, config, n);

  // Documents that hold each node, then terms for the nodes within floor and ceiling.
  const documentsOfNode = new Int32Array(phrases.size());
  for (let row = 0; row < n; row++) {
    const found = reader.read(row);
    for (let at = 0; at < found; at++) documentsOfNode[reader.nodes[at]]++;
  }
  const completenessOfNode = reader.completeness();
  const { text, type, words, nodes } = termsWithin(documentsOfNode, groups, plain, corpus, config, n);
  const termOfNode = new Int32Array(phrases.size()).fill(-1);
  for (let term = 0; term < nodes.length; term++) termOfNode[nodes[term]] = term;
  const documentCount = Int32Array.from(nodes, (node) => documentsOfNode[node]);
  const completeness = Float32Array.from(nodes, (node) => completenessOfNode[node]);

  // Every occurrence, document by document.
  const total = documentCount.reduce((sum, count) => sum + count, 0);
  const offsets = new Float64Array(n + 1);
  const terms = new Int32Array(total);
  const counts = new Float32Array(total);
  const weights = new Float32Array(total);
  const inTitle = new Uint8Array(total);
  let used = 0;
  for (let row = 0; row < n; row++) {
    const found = reader.read(row);
    for (let at = 0; at < found; at++) {
      const node = reader.nodes[at];
      const term = termOfNode[node];
      if (term === -1) continue;
      terms[used] = term;
      counts[used] = reader.countOf(node);
      weights[used] = reader.weightOf(node);
      inTitle[used] = reader.isInTitle(node) ? 1 : 0;
      used++;
    }
    offsets[row + 1] = used;
  }
  return {
    text,
    type,
    words,
    documentCount,
    offsets,
    terms,
    counts,
    weights,
    inTitle,
    completeness,
    corpus,
  };
}

// ---------------------------------------------------------------------------------------------
// Entities

/** Entities whose canonical forms share their words: "Penn Treebank" and "the Penn treebank". */
interface EntityGroup {
  words: number[];
  text: string;
  type: string;
  node: number;
}

interface EntityGroups {
  list: EntityGroup[];
  /** Per entity of the corpus: index into list, −1 for entities that are left out. */
  ofEntity: Int32Array;
}

function entityGroups(entities: EntityColumns, corpus: CorpusWords, config: LabelConfig): EntityGroups {
  const { list } = entities;
  const size = list.canonical.length;

  // Tagged documents and confidence of each entity.
  const confidence = new Float64Array(size);
  const tagged = new Int32Array(size);
  const lastRow = new Int32Array(size).fill(-1);
  for (let m = 0; m < entities.entity.length; m++) {
    const entity = entities.entity[m];
    confidence[entity] += stepped(entities.score[m]);
    if (lastRow[entity] !== entities.document[m]) {
      lastRow[entity] = entities.document[m];
      tagged[entity]++;
    }
  }

  // Members of one key together.
  const membersOf = new Map<string, { words: number[]; members: number[] }>();
  for (let entity = 0; entity < size; entity++) {
    const words = nameWords(list.canonical[entity], corpus);
    if (words === null) continue;
    const key = words.join(' ');
    const known = membersOf.get(key);
    if (known === undefined) membersOf.set(key, { words, members: [entity] });
    else known.members.push(entity);
  }

  const groups: EntityGroups = { list: [], ofEntity: new Int32Array(size).fill(-1) };
  for (const { words, members } of membersOf.values()) {
    // Members of several types may share documents; the sum is near enough for a floor of two.
    const documents = members.reduce((sum, entity) => sum + tagged[entity], 0);
    if (documents < Math.min(MIN_TAGGED_DOCUMENTS, config.min_document_count)) continue;
    const type = strongest(members, (entity) => list.type[entity], confidence);
    const isLeftOut = (entity: number): boolean =>
      list.generic[entity] === 1 || weightOf(config.weights, list.type[entity]) === 0;
    const leftOut = members.reduce((sum, entity) => sum + (isLeftOut(entity) ? confidence[entity] : 0), 0);
    const all = members.reduce((sum, entity) => sum + confidence[entity], 0);
    if (2 * leftOut >= all || weightOf(config.weights, type) === 0) continue;
    const text = strongest(members, (entity) => list.canonical[entity], confidence);
    for (const entity of members) if (!isLeftOut(entity)) groups.ofEntity[entity] = groups.list.length;
    groups.list.push({ words, text, type, node: -1 });
  }
  return groups;
}

/**
 * Word ids of an entity without articles and the like in front and without an acronym in brackets; null
 * where nothing is left that names.
 */
function nameWords(canonical: string, corpus: CorpusWords): number[] | null {
  const words = corpus.idsOf(
    canonical.includes('(') ? canonical.replace(ACRONYM_IN_BRACKETS, '') : canonical,
  );
  let from = 0;
  while (from < words.length && FUNCTION_WORD_SET.has(corpus.keys[words[from]])) from++;
  const name = from === 0 ? words : words.slice(from);
  if (name.length === 0 || name.length > MAX_ENTITY_WORDS) return null;
  return (canonical.includes('.') && WEB_ADDRESS.test(canonical)) || name.every((word) => corpus.isStop(word))
    ? null
    : name;
}

/** The value with the most confidence behind it; ties go to the first in code-point order. */
function strongest(members: number[], nameOf: (entity: number) => string, confidence: Float64Array): string {
  const sums = new Map<string, number>();
  for (const entity of members) {
    sums.set(nameOf(entity), (sums.get(nameOf(entity)) ?? 0) + confidence[entity]);
  }
  let best = '';
  let most = -1;
  for (const [value, sum] of sums) {
    if (sum > most || (sum === most && compareCodePoints(value, best) < 0)) {
      best = value;
      most = sum;
    }
  }
  return best;
}

// ---------------------------------------------------------------------------------------------
// Words

/** Phrases of plain words, with their nodes. */
interface PlainPhrase {
  words: number[];
  node: number;
}

/** Adds the phrases of plain words that enough documents repeat. */
function plainPhrases(phrases: PhraseTable, corpus: CorpusWords, config: LabelConfig): PlainPhrase[] {
  if (weightOf(config.weights, 'word') === 0) return [];
  const floor = config.min_document_count;
  const documents = new Int32Array(corpus.keys.length);
  const lastRow = new Int32Array(corpus.keys.length).fill(-1);
  for (let row = 0; row < corpus.n; row++) {
    for (const word of corpus.tokensOf(row)) {
      if (word < 0 || lastRow[word] === row) continue;
      lastRow[word] = row;
      documents[word]++;
    }
  }
  const frequent = Uint8Array.from(documents, (count) => (count >= floor ? 1 : 0));
  return wordPhrases(corpus, frequent, floor).map((words) => ({ words, node: phrases.add(words) }));
}

// ---------------------------------------------------------------------------------------------
// Occurrences

/** Reads what one document holds: text and mentions alike. */
interface Reader {
  /** Reads a row; returns how many of `nodes` are filled. */
  read(row: number): number;
  /** Nodes found in the row read last. */
  nodes: Int32Array;
  countOf(node: number): number;
  weightOf(node: number): number;
  isInTitle(node: number): boolean;
  /** Of every node, over the rows read so far. */
  completeness(): Float32Array;
}

function createReader(
  corpus: CorpusWords,
  entities: EntityColumns,
  phrases: PhraseTable,
  groups: EntityGroups,
  config: LabelConfig,
  n: number,
): Reader {
  const { tokensOf, titleEnds, stop, functional } = corpus;
  let tokens: Int32Array = new Int32Array(0);
  const mentionOffsets = new Int32Array(n + 1);
  for (let m = 0; m < entities.document.length; m++) mentionOffsets[entities.document[m] + 1]++;
  for (let row = 0; row < n; row++) mentionOffsets[row + 1] += mentionOffsets[row];
  const typeWeight = Float64Array.from(entities.list.type, (type) => weightOf(config.weights, type));
  const wordWeight = stepped(weightOf(config.weights, 'word'));

  const size = phrases.size();
  const nodes = new Int32Array(size);
  const readAt = new Int32Array(size).fill(-1);
  const inText = new Int32Array(size);
  const mentions = new Int32Array(size);
  const strength = new Float64Array(size);
  const titled = new Uint8Array(size);
  const complete = new Int32Array(size);
  const incomplete = new Int32Array(size);
  let titleEnd = 0;
  // Each read has a number of its own, so that nothing needs clearing between two rows.
  let turn = -1;
  let found = 0;
  const see = (node: number): void => {
    if (readAt[node] === turn) return;
    readAt[node] = turn;
    inText[node] = 0;
    mentions[node] = 0;
    strength[node] = 0;
    titled[node] = 0;
    nodes[found++] = node;
  };
  const seeInText = (node: number, start: number, end: number): void => {
    see(node);
    inText[node]++;
    if (start < titleEnd) titled[node] = 1;
    // A document's last token is a break.
    const next = tokens[end];
    if (next === BREAK || functional[next] === 1) complete[node]++;
    else if (stop[next] === 0) incomplete[node]++;
  };

  return {
    nodes,
    read(row) {
      turn++;
      found = 0;
      titleEnd = titleEnds[row];
      tokens = tokensOf(row);
      for (let at = 0; at < tokens.length; at++) {
        if (tokens[at] >= 0 && stop[tokens[at]] === 0) seeInText(tokens[at], at, at + 1);
      }
      phrases.find(tokens, 0, tokens.length, seeInText);
      for (let m = mentionOffsets[row]; m < mentionOffsets[row + 1]; m++) {
        const entity = entities.entity[m];
        const group = groups.ofEntity[entity];
        if (group === -1) continue;
        const { node } = groups.list[group];
        see(node);
        mentions[node]++;
        strength[node] = Math.max(strength[node], typeWeight[entity] * entities.score[m]);
      }
      return found;
    },
    countOf: (node) => stepped(1 + Math.log(Math.max(inText[node], mentions[node]))),
    // An entity that the tagger passed over here still stands in the text as words.
    weightOf: (node) => Math.max(stepped(strength[node]), inText[node] > 0 ? wordWeight : 0),
    isInTitle: (node) => titled[node] === 1,
    completeness: () =>
      // Laplace's rule: one occurrence proves nothing.
      Float32Array.from(complete, (count, node) => (count + 1) / (count + incomplete[node] + 2)),
  };
}

/** Nodes that are terms: within floor and ceiling, and either an entity or words without stop words. */
function termsWithin(
  documentsOfNode: Int32Array,
  groups: EntityGroups,
  plain: PlainPhrase[],
  corpus: CorpusWords,
  config: LabelConfig,
  n: number,
): { text: string[]; type: string[]; words: number[][]; nodes: number[] } {
  const within = (node: number): boolean =>
    documentsOfNode[node] >= config.min_document_count &&
    documentsOfNode[node] / n <= config.max_document_share;
  const found: { text: string; type: string; words: number[]; node: number }[] = [];
  const isEntity = new Uint8Array(documentsOfNode.length);
  for (const { text, type, words, node } of groups.list) {
    isEntity[node] = 1;
    if (within(node)) found.push({ text, type, words, node });
  }
  if (weightOf(config.weights, 'word') > 0) {
    for (let word = 0; word < corpus.display.length; word++) {
      if (isEntity[word] === 1 || corpus.stop[word] === 1 || !within(word)) continue;
      found.push({ text: corpus.display[word], type: 'word', words: [word], node: word });
    }
    for (const { words, node } of plain) {
      if (isEntity[node] === 1 || !within(node)) continue;
      const text = words
        .map((word, at) => (at + 1 < words.length ? corpus.modifier : corpus.display)[word])
        .join(' ');
      found.push({ text, type: 'word', words, node });
    }
  }
  const keyOf = (words: number[]): string => words.map((word) => corpus.keys[word]).join(' ');
  found.sort(
    (a, b) =>
      compareCodePoints(a.text, b.text) ||
      compareCodePoints(a.type, b.type) ||
      compareCodePoints(keyOf(a.words), keyOf(b.words)),
  );
  return {
    text: found.map((term) => term.text),
    type: found.map((term) => term.type),
    words: found.map((term) => term.words),
    nodes: found.map((term) => term.node),
  };
}

function stepped(value: number): number {
  return Math.round(value / STEP) * STEP;
}
