/**
 * Turns a row into a record, or says why it cannot be one. What was mended or left empty on the way is
 * counted, so that the stage can tell.
 */

import { hash } from 'node:crypto';
import type { IngestedRecord, SkippedRow } from '../../pipeline/contract.ts';
import { cleanAbstract, cleanCharacters, cleanText } from './clean-text.ts';
import type { SourceConfig } from './config.ts';
import { rebuildAbstract } from './inverted-index.ts';
import { readFacts } from './paper-facts.ts';
import type { SourceRow } from './source-row.ts';
import { titleKey } from './title-key.ts';

/** What was mended or left empty; one number of rows each. */
export interface MendCounts {
  withoutAbstract: number;
  withoutYear: number;
  badYear: number;
  badDoi: number;
  undecodable: number;
  madeId: number;
  mendedId: number;
  rebuiltAbstract: number;
  droppedExtra: number;
}

export function createMendCounts(): MendCounts {
  return {
    ...{ withoutAbstract: 0, withoutYear: 0, badYear: 0, badDoi: 0, undecodable: 0, madeId: 0, mendedId: 0 },
    ...{ rebuiltAbstract: 0, droppedExtra: 0 },
  };
}

export type Checked = { record: IngestedRecord } | { skipped: SkippedRow };

/** Years that a paper can have; anything else is a slip of the source. */
const firstYear = 1500;
const lastYear = 2100;

const maxIdLength = 256;

/** Characters of other columns, as JSON, that are kept with a record. */
const maxExtraLength = 20_000;

/** Share of undecodable characters from which a text is no text. */
const maxUndecodable = 0.05;

/** Share of letters among the visible characters below which a text is no text. Formulas leave half. */
const minLetterShare = 0.4;

/** Longer than any word; in numbers such "words" are keys, hashes, encoded files. */
const longWord = 80;
const maxLongWords = 0.8;

class Fault extends Error {
  readonly reason: string;
  constructor(reason: string, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

export function checkRow(row: SourceRow, config: SourceConfig, counts: MendCounts): Checked {
  const mends = createMendCounts();
  const rawId = readGiven(row.values.id);
  const givenId = rawId === null ? '' : cleanCharacters(rawId);
  try {
    const record = readRecord(row, config, givenId, mends);
    if (rawId !== null && givenId !== rawId.trim()) mends.mendedId++;
    for (const key of Object.keys(counts) as (keyof MendCounts)[]) counts[key] += mends[key];
    return { record };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const id = givenId === '' ? null : boundId(givenId);
    return { skipped: { line: row.line, id, reason: error.reason, detail: error.message } };
  }
}

function readRecord(
  row: SourceRow,
  config: SourceConfig,
  givenId: string,
  mends: MendCounts,
): IngestedRecord {
  const rawTitle = readText('title', row.values.title, config);
  const rawAbstract = readAbstract(row, config, mends);
  const title = cleanText(rawTitle);
  const abstract = cleanAbstract(rawAbstract);
  checkText(title, abstract, config, mends);
  if (abstract === '') mends.withoutAbstract++;

  const doi = readDoi(row.values.doi, mends) ?? asDoi(givenId);
  const id = givenId === '' ? makeId(doi, title, abstract) : boundId(givenId);
  if (givenId === '') mends.madeId++;
  else if (id !== givenId) mends.mendedId++;
  const year = readYear(row.values.year, mends);
  const extra = readExtra(row.extra, mends);
  const { facts, arxiv, pmid, retracted } = readFacts(row.facts ?? {}, doi, id);
  const isOut = retracted && config.retracted !== 'keep';
  return {
    line: row.line,
    id,
    doi,
    arxiv,
    pmid,
    title,
    abstract,
    year,
    facts,
    withdrawn:
      row.withdrawn ?? (isOut ? { reason: 'retracted', detail: 'its source calls it retracted' } : null),
    contentHash: hash('sha256', `${title}\0${abstract}`),
    titleKey: titleKey(title),
    richness: richness(title, abstract, doi, year, extra),
    extra,
  };
}

/** Of two duplicates the one that says more is kept: the text first, then what dates and links it. */
function richness(
  title: string,
  abstract: string,
  doi: string | null,
  year: number | null,
  extra: Record<string, unknown>,
): number {
  const linked = (doi === null ? 0 : 50) + (year === null ? 0 : 50);
  return abstract.length + title.length + linked + 5 * Object.keys(extra).length;
}

// ---------------------------------------------------------------------------------------------
// Text

function readText(field: string, value: unknown, config: SourceConfig): string {
  if (value === undefined || value === null) return '';
  // Crossref gives titles as lists.
  const text =
    Array.isArray(value) && value.every((part) => typeof part === 'string') ? value.join(' ') : value;
  if (typeof text !== 'string') {
    throw new Fault('wrong type', `expected the ${field} to be text, found ${describeValue(value)}`);
  }
  if (text.length > config.max_text_length) {
    const found = `the ${field} has ${text.length.toLocaleString('en-US')} characters`;
    const bound = config.max_text_length.toLocaleString('en-US');
    throw new Fault('too long', `${found}, at most ${bound} are taken (ingest.max_text_length)`);
  }
  return text;
}

function readAbstract(row: SourceRow, config: SourceConfig, mends: MendCounts): string {
  const value = row.values.abstract;
  const isIndex =
    (typeof value === 'object' && value !== null && !Array.isArray(value)) ||
    (typeof value === 'string' && /^\s*\{\s*"(?:[^"\\]|\\.){0,200}"\s*:\s*\[\s*\d/.test(value));
  if (!isIndex) return readText('abstract', value, config);
  const text = rebuildAbstract(value);
  if (text === null) {
    throw new Fault('wrong type', 'expected the abstract to be text or words with their positions');
  }
  mends.rebuiltAbstract++;
  return readText('abstract', text, config);
}

function checkText(title: string, abstract: string, config: SourceConfig, mends: MendCounts): void {
  if (title === '' && abstract === '') throw new Fault('no title and no abstract', 'both are empty');
  const abstractMeasure = measure(abstract);
  const whole = addMeasures(measure(title), abstractMeasure);
  // A sound title must not hide an abstract that is none; a title of digits beside a sound abstract may stand.
  const parts: [string, TextMeasure][] = [
    ['title and abstract', whole],
    ['the abstract', abstractMeasure],
  ];
  for (const [field, found] of parts) {
    const { visible, letters, undecodable, longest } = found;
    if (undecodable > maxUndecodable * visible) {
      throw new Fault(
        'not text',
        `${percent(undecodable / visible)} of ${field} cannot be decoded (see ingest.encoding)`,
      );
    }
    if (letters < minLetterShare * visible && visible >= 4) {
      throw new Fault('not text', `only ${percent(letters / visible)} of ${field} are letters`);
    }
    if (longest > maxLongWords * visible) {
      throw new Fault(
        'not text',
        `${percent(longest / visible)} of ${field} is in words of ${longWord} characters or more`,
      );
    }
  }
  const said = whole.letters + whole.digits;
  if (said < config.min_text_length) {
    const detail = `title and abstract have ${said} letters and digits, at least ${config.min_text_length} are expected`;
    throw new Fault('too short', `${detail} (ingest.min_text_length)`);
  }
  if (whole.undecodable > 0) mends.undecodable++;
}

interface TextMeasure {
  /** Characters other than spaces. */
  visible: number;
  letters: number;
  digits: number;
  undecodable: number;
  /** Characters in words too long to be words. */
  longest: number;
}

function addMeasures(a: TextMeasure, b: TextMeasure): TextMeasure {
  return {
    visible: a.visible + b.visible,
    letters: a.letters + b.letters,
    digits: a.digits + b.digits,
    undecodable: a.undecodable + b.undecodable,
    longest: a.longest + b.longest,
  };
}

const notAscii = /[^\x20-\x7e]/;
const anyLetter = /[\p{L}\p{M}]/u;

function measure(text: string): TextMeasure {
  const result: TextMeasure = { visible: 0, letters: 0, digits: 0, undecodable: 0, longest: 0 };
  const isAscii = !notAscii.test(text);
  let runStart = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 32;
    // Scripts without spaces make long words by nature: a run ends at any sign beyond ASCII.
    if (code === 32 || code > 126) {
      if (i - runStart >= longWord && !text.startsWith('http', runStart)) result.longest += i - runStart;
      runStart = i + 1;
    }
    if (code === 32) continue;
    result.visible++;
    const lower = code | 32;
    if (lower >= 97 && lower <= 122 && code < 128) result.letters++;
    else if (code >= 48 && code <= 57) result.digits++;
    else if (isAscii || code < 128) continue;
    else if (code === 0xfffd) result.undecodable++;
    else if (code >= 0xd800 && code <= 0xdfff) result.letters += isLetterPair(text, i) ? 1 : 0;
    else if (anyLetter.test(text[i])) result.letters++;
  }
  return result;
}

/** Whether the surrogate at i belongs to a letter beyond the basic plane. */
function isLetterPair(text: string, i: number): boolean {
  const code = text.charCodeAt(i);
  return anyLetter.test(code < 0xdc00 ? text.slice(i, i + 2) : text.slice(i - 1, i + 1));
}

function percent(share: number): string {
  return `${Math.round(100 * share)}%`;
}

// ---------------------------------------------------------------------------------------------
// Id, DOI, year, the rest

function readScalar(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : null;
}

/** What stands for nothing in exported tables. */
const emptyMark = /^(?:nan|null|none|n\/a|-*)$/i;

/** A scalar with something in it, else null. */
function readGiven(value: unknown): string | null {
  const text = readScalar(value);
  return text === null || emptyMark.test(text.trim()) ? null : text;
}

/** An id too long for keys and tables keeps its start and, so that it stays unique, a hash. */
function boundId(id: string): string {
  if (id.length <= maxIdLength) return id;
  return `${id.slice(0, maxIdLength - 17)}~${hash('sha256', id).slice(0, 16)}`;
}

function makeId(doi: string | null, title: string, abstract: string): string {
  if (doi !== null) return boundId(`doi:${doi}`);
  return `title:${hash('sha256', titleKey(title) ?? (title === '' ? abstract : title.toLowerCase())).slice(0, 16)}`;
}

function readDoi(value: unknown, mends: MendCounts): string | null {
  const text = readGiven(value);
  if (text === null) return null;
  const doi = asDoi(cleanCharacters(text));
  if (doi === null) mends.badDoi++;
  return doi;
}

/** A DOI without its resolver, in lower case; null where the text is none. */
function asDoi(text: string): string | null {
  const name = text.replace(/^(?:https?:\/\/)?(?:(?:dx\.|www\.)?doi\.org\/|doi:\s*)/i, '').toLowerCase();
  return /^10\.\d{4,9}\/\S{1,200}$/.test(name) ? name : null;
}

function readYear(value: unknown, mends: MendCounts): number | null {
  const text = readGiven(value)?.trim() ?? null;
  if (text === null) {
    if (value === undefined || value === null || typeof value === 'string') mends.withoutYear++;
    else mends.badYear++;
    return null;
  }
  // "2015", "2015.0", "2015-03-01", "2015.03.01"; else the one year among other signs: "March 2015", "03/2015".
  const start = /^(\d{4})(?:$|\.0+$|[-/]\d|\.\d{1,2}\.\d|T)/.exec(text)?.[1];
  const inside = start === undefined ? (text.match(/(?<!\d)\d{4}(?!\d|\.\d)/g) ?? []) : [start];
  const year = inside.length === 1 ? Number(inside[0]) : Number.NaN;
  if (year >= firstYear && year <= lastYear) return year;
  mends.badYear++;
  return null;
}

/** The other columns, cleaned in depth; what is too much to keep is counted. */
function readExtra(columns: SourceRow['extra'], mends: MendCounts): Record<string, unknown> {
  const kept: [string, unknown][] = [];
  let length = 0;
  let dropped = false;
  for (const [name, value] of columns) {
    const clean = cleanValue(value, 0);
    if (clean === undefined) continue;
    const size = name.length + (typeof clean === 'string' ? clean.length : JSON.stringify(clean).length);
    if (length + size > maxExtraLength) {
      dropped = true;
      continue;
    }
    length += size;
    kept.push([cleanCharacters(name), clean]);
  }
  if (dropped) mends.droppedExtra++;
  // fromEntries defines each name as an own property, "__proto__" too.
  return Object.fromEntries(kept);
}

/** Deeper than this nothing is kept: a hostile row may nest without end. */
const maxDepth = 16;

function cleanValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string')
    return value === '' ? undefined : cleanCharacters(value.slice(0, maxExtraLength + 1));
  if (value === null || value === undefined || depth > maxDepth) return undefined;
  if (Array.isArray(value)) return value.map((part) => cleanValue(part, depth + 1) ?? null);
  if (typeof value !== 'object') return value;
  const pairs = Object.entries(value).map(([name, part]): [string, unknown] => [
    cleanCharacters(name),
    cleanValue(part, depth + 1),
  ]);
  return Object.fromEntries(pairs.filter(([, part]) => part !== undefined));
}

function describeValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `${typeof value} ${String(value).slice(0, 40)}`;
}
