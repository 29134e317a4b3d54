/**
 * Folds terms that say the same of a topic into one: "translation" into "machine translation", "neural
 * machine translation" and "machine translation systems" into whichever of them names the topic better,
 * the word "nmt" into the entity it abbreviates.
 */

import type { CandidateTerms } from './candidate-terms.ts';
import { type RankedTerm, sharedCount } from './topic-terms.ts';

/** An entity takes the place of a word it contains from this share of the word's weight on. */
const ENTITY_FOR_WORD = 0.25;

/** A pair of words takes the place of a word it contains from this share on. */
const PAIR_FOR_WORD = 0.4;

/** A more specific entity takes the place of a less specific phrase from this share on. */
const SPECIFIC_FOR_BROAD = 0.6;

/** Plain words that occur beside a term in this share of their documents are a piece of it. */
const PIECE_SHARE = 0.7;

/** Nouns that add nothing behind a name: a machine translation system is about machine translation. */
const CONTAINERS: ReadonlySet<string> = new Set(
  (
    'algorithm application approach architecture challenge community experiment field framework literature ' +
    'method methodology model module paradigm performance pipeline problem procedure process research ' +
    'setting setup solution strategy study system task technique technology tool'
  ).split(' '),
);

/** "NMT models" are about NMT; "language models" are not about language. */
const ACRONYM_FIRST = /^\p{Lu}[\p{Lu}\p{N}-]*s? /u;

/** Nouns that add nothing even behind a single word: "MultiWOZ dataset", "code-mixed text". */
const DATA_CONTAINERS: ReadonlySet<string> = new Set(
  'benchmark collection corpus data database dataset text'.split(' '),
);

/**
 * Keeps one of each group of terms that name the same thing.
 *
 * @param ranked Strongest first.
 * @returns The terms kept, strongest first, each with its own weight.
 */
export function foldTerms(ranked: readonly RankedTerm[], candidates: CandidateTerms): RankedTerm[] {
  const kept: Shape[] = [];
  for (const term of ranked) {
    const shape = shapeOf(term, candidates);
    // Of the terms already kept that say the same, the strongest decides; the others fold with it.
    const same = kept.filter((other) => saysTheSame(shape, other));
    if (same.length === 0) {
      kept.push(shape);
    } else if (same.every((other) => takesThePlaceOf(shape, other))) {
      for (const other of same) kept.splice(kept.indexOf(other), 1);
      kept.push(shape);
    }
  }
  return kept.map((shape) => shape.ranked).sort((a, b) => b.weight - a.weight || a.term - b.term);
}

/** What folding compares of a term. */
export interface Shape {
  ranked: RankedTerm;
  isWord: boolean;
  /** Stems of its words. */
  stems: string[];
  /** The same without containers at the end. */
  core: string[];
  /** The same without any container at the end, down to one word. */
  bare: string[];
  /** First letters of its words, and of its core's. */
  initials: string[];
  /** The core where it could be an acronym. */
  acronym: string | null;
}

export function shapeOf(ranked: RankedTerm, { words, corpus, text, type }: CandidateTerms): Shape {
  const keys = words[ranked.term].map((word) => corpus.keys[word]);
  const stems = keys.map(stemOf);
  let length = keys.length;
  while (
    (length > 2 && CONTAINERS.has(keys[length - 1])) ||
    (length === 2 && CONTAINERS.has(keys[1]) && ACRONYM_FIRST.test(text[ranked.term])) ||
    (length > 1 && DATA_CONTAINERS.has(keys[length - 1]))
  ) {
    length--;
  }
  const core = keys.slice(0, length);
  let bareLength = length;
  while (bareLength > 1 && CONTAINERS.has(keys[bareLength - 1])) bareLength--;
  return {
    ranked,
    isWord: type[ranked.term] === 'word',
    stems,
    core: stems.slice(0, length),
    bare: stems.slice(0, bareLength),
    initials: [keys, core].filter((part) => part.length > 1).map(initialsOf),
    acronym: length === 1 && keys[0].length > 1 ? keys[0] : null,
  };
}

function initialsOf(keys: readonly string[]): string {
  return keys.map((key) => key.charAt(0)).join('');
}

/** Whether a word is a noun that adds nothing behind a name. */
export function isContainer(word: number, { corpus }: CandidateTerms): boolean {
  return CONTAINERS.has(corpus.keys[word]);
}

/** Whether two terms name the same thing, or one a kind or a piece of the other. */
export function saysTheSame(a: Shape, b: Shape): boolean {
  if (a.acronym !== null && b.initials.includes(a.acronym)) return true;
  if (b.acronym !== null && a.initials.includes(b.acronym)) return true;
  // A word within a longer name is part of it.
  if (a.isWord && contains(b.stems, a.stems)) return true;
  if (b.isWord && contains(a.stems, b.stems)) return true;
  if (a.isWord || b.isWord) return isPieceOf(a, b) || isPieceOf(b, a);
  // Two names say the same where one specifies the other: the same head with more in front of it.
  return endsWith(a.core, b.core) || endsWith(b.core, a.core);
}

/** Whether a is a few words that hardly occur but beside b, with a word of b's in them. */
function isPieceOf(a: Shape, b: Shape): boolean {
  if (!a.isWord || a.stems.length < 2 || a.stems.length > b.stems.length) return false;
  if (!a.stems.some((stem) => b.stems.includes(stem))) return false;
  const shared = sharedCount(a.ranked.documents, b.ranked.documents);
  return shared >= PIECE_SHARE * a.ranked.documents.length;
}

/** Whether the weaker term a is the better name of the two. */
function takesThePlaceOf(a: Shape, b: Shape): boolean {
  const share = a.ranked.weight / b.ranked.weight;
  if (b.isWord && !a.isWord) {
    return (
      a.stems.length >= b.stems.length && share >= (b.stems.length > 1 ? SPECIFIC_FOR_BROAD : ENTITY_FOR_WORD)
    );
  }
  if (a.stems.length <= b.stems.length) return false;
  if (b.isWord) return share >= PAIR_FOR_WORD;
  return !a.isWord && a.core.length > b.core.length && share >= SPECIFIC_FOR_BROAD;
}

function contains(words: string[], part: string[]): boolean {
  for (let from = 0; from + part.length <= words.length; from++) {
    if (part.every((word, at) => words[from + at] === word)) return true;
  }
  return false;
}

function endsWith(words: string[], part: string[]): boolean {
  const from = words.length - part.length;
  return from >= 0 && part.every((word, at) => words[from + at] === word);
}

/**
 * Endings of English words that leave the stem's meaning alone, longest first. Only for telling whether two
 * terms of one topic are the same: "translate" and "translation", "parser" and "parsing".
 */
const ENDINGS = [
  'ization',
  'isation',
  'ations',
  'izing',
  'ising',
  'ation',
  'ating',
  'ative',
  'izer',
  'iser',
  'ized',
  'ised',
  'ated',
  'ator',
  'ions',
  'ings',
  'ing',
  'ion',
  'ate',
  'ize',
  'ise',
  'ies',
  'ual',
  'er',
  'or',
  'ed',
  'es',
  'al',
  'ic',
  'ly',
  'y',
  'e',
];

/** Shorter stems than this are words of their own. */
const MIN_STEM = 4;

export function stemOf(key: string): string {
  for (const ending of ENDINGS) {
    if (key.length - ending.length >= MIN_STEM && key.endsWith(ending)) return key.slice(0, -ending.length);
  }
  return key;
}
