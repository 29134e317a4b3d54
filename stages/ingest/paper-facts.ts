/**
 * Reads what sources tell of a paper beside its text: other ids, authors, institutions, venue, citations, date,
 * and whether it was retracted. What cannot be read stands as absent; the raw columns stay in `extra`.
 */

import type { PaperFacts } from '../../pipeline/contract.ts';
import { cleanCharacters } from './clean-text.ts';
import type { FactRole } from './config.ts';

export interface ReadFacts {
  facts: PaperFacts;
  arxiv: string | null;
  pmid: string | null;
  retracted: boolean;
}

/** A collaboration of thousands is counted by its first names; more would outweigh the paper's text. */
const maxNames = 1000;
const maxNameLength = 300;

/**
 * @param given Raw values by meaning, as a source has them.
 * @param doi In lower case; arXiv's own DOIs tell the arXiv id.
 * @param id The paper's id, which may be one of the others.
 */
export function readFacts(
  given: Partial<Record<FactRole, unknown>>,
  doi: string | null,
  id: string,
): ReadFacts {
  return {
    arxiv: readArxiv(given.arxiv) ?? arxivOfDoi(doi) ?? (/^arxiv:/i.test(id) ? readArxiv(id) : null),
    pmid: readPmid(given.pmid) ?? (/^pmid:/i.test(id) ? readPmid(id) : null),
    facts: {
      authors: [...new Set(readNames(given.authors).map(inNaturalOrder))],
      institutions: readNames(given.institutions),
      venue: readName(given.venue),
      citations: readCitations(given.citations),
      published: readDate(given.published),
    },
    retracted: isRetracted(given.retracted),
  };
}

const arxivId = /(?:^|[/:\s])((?:\d{4}\.\d{4,5}|[a-z-]{2,}(?:\.[a-z]{2})?\/\d{7}))(?:v\d+)?(?:\.pdf)?\s*$/i;

/** An arXiv id without prefix, address and version; null for anything else. */
export function readArxiv(value: unknown): string | null {
  const text = scalar(value);
  return text === null ? null : (arxivId.exec(text.slice(0, 200))?.[1].toLowerCase() ?? null);
}

function arxivOfDoi(doi: string | null): string | null {
  const name = doi === null ? undefined : /^10\.48550\/arxiv\.(.+)$/.exec(doi)?.[1];
  return name === undefined ? null : readArxiv(name);
}

function readPmid(value: unknown): string | null {
  const text = scalar(value)?.trim() ?? '';
  return /^(?:pmid:\s*|medline:\s*|https?:\/\/\S*\/)?0*([1-9]\d{0,8})(?:\.0+)?\/?$/i.exec(text)?.[1] ?? null;
}

/** Names in their order, each once. */
function readNames(value: unknown): string[] {
  const raw = Array.isArray(value) ? value.map(nameOf) : typeof value === 'string' ? splitNames(value) : [];
  const names: string[] = [];
  const seen = new Set<string>();
  for (const part of raw) {
    const name = readName(part);
    if (name === null || seen.has(name) || names.length >= maxNames) continue;
    seen.add(name);
    names.push(name);
  }
  return names;
}

/** "Adder, Bea (1)" and "Adder, Bea" are Bea Adder, so that sources agree on who wrote a paper. */
function inNaturalOrder(name: string): string {
  const plain = name.replace(/\s*\(\d+\)$/, '');
  const [, family, given] = /^([^,]+), ([^,]+)$/.exec(plain) ?? [];
  return family === undefined || /^(?:jr|sr|phd|md|i{1,3}|iv)\b/i.test(given) ? plain : `${given} ${family}`;
}

/** An author as text, or as the object that services give. */
function nameOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const named = value as Record<string, unknown>;
  const whole = named.display_name ?? named.name ?? named.fullName ?? named.full_name;
  if (typeof whole === 'string') return whole;
  const parts = [
    named.given ?? named.first_name ?? named.first,
    named.family ?? named.last_name ?? named.last,
  ];
  const text = parts.filter((part) => typeof part === 'string').join(' ');
  return text === '' ? null : text;
}

/** Semicolons part names in most exports, bars in OpenAlex's; commas only where each part is a whole name. */
function splitNames(text: string): string[] {
  for (const mark of [';', '|']) if (text.includes(mark)) return text.split(mark);
  const parts = text.split(/,\s*/);
  return parts.length > 2 && parts.every((part) => /\S\s+\S/.test(part.trim())) ? parts : [text];
}

function readName(value: unknown): string | null {
  const list = Array.isArray(value) ? value[0] : value;
  const text = scalar(nameOf(list));
  if (text === null) return null;
  const name = cleanCharacters(text.slice(0, maxNameLength));
  return name === '' || /^(?:nan|null|none|n\/a|-+|\[no author name available\])$/i.test(name) ? null : name;
}

function readCitations(value: unknown): number | null {
  const text = scalar(value)?.trim() ?? '';
  const digits = /^(\d{1,9})(?:\.0+)?$/.exec(text)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** The start of an ISO date, as far as it goes; a bare year says no more than the year itself. */
export function readDate(value: unknown): string | null {
  const text = scalar(value)?.trim() ?? '';
  const [, year, month, day] = /^(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?(?:$|[T\s])/.exec(text) ?? [];
  if (year === undefined || Number(year) < 1500 || Number(year) > 2100) return null;
  const parts = [year];
  if (isFrom1(month, 12)) {
    parts.push(month.padStart(2, '0'));
    if (isFrom1(day, 31)) parts.push(day.padStart(2, '0'));
  }
  return parts.join('-');
}

function isFrom1(text: string | undefined, most: number): text is string {
  return text !== undefined && Number(text) >= 1 && Number(text) <= most;
}

/** A flag, or a kind of publication that says so. */
function isRetracted(value: unknown): boolean {
  const values = Array.isArray(value) ? value : [value];
  return values.some((one) =>
    /^(?:true|yes|retracted(?: publication| article)?)$/i.test(String(one ?? '').trim()),
  );
}

function scalar(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : null;
}
