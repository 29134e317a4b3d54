/** Rows of JSON lines: one object a line, fields found by their names, dotted paths where the user maps them. */

import { UserError } from '../../pipeline/errors.ts';
import type { FactRole, Role, SourceConfig } from './config.ts';
import { describeColumns, factRoles, missingColumns, rankOf, rankOfFact, roles } from './header-names.ts';
import { nestedFacts } from './nested-facts.ts';
import type { FaultyRow, SourceReport, SourceRow, SourceRows } from './source-row.ts';

/** The longest line that is read, in characters. */
const maxLineLength = 1 << 24;

/** Objects after which a file that has shown neither title nor abstract is given up. */
const objectsBeforeGivingUp = 1000;

/**
 * @param texts Pieces of the file's text.
 * @param report Filled in as reading goes on.
 * @throws UserError when the file is one JSON array, or one object over several lines, or when no object has
 *   a title or an abstract.
 */
export async function* readJsonl(
  texts: AsyncIterable<string>,
  config: SourceConfig,
  path: string,
  report: SourceReport,
  maxLength = maxLineLength,
): AsyncGenerator<SourceRows> {
  const reader = createObjectReader(config, path, report);
  let pending = '';
  let line = 1;
  let dropping = false;
  for await (const text of texts) {
    const result: SourceRows = { rows: [], faulty: [] };
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      const content = pending === '' ? text.slice(start, end) : pending + text.slice(start, end);
      pending = '';
      if (!dropping) reader.take(content, line, result);
      dropping = false;
      start = end + 1;
      line++;
      report.line = line;
    }
    if (!dropping) pending += text.slice(start);
    if (pending.length > maxLength) {
      const detail = `expected at most ${maxLength} characters in a line`;
      result.faulty.push({ line, id: null, reason: 'record too large', detail });
      pending = '';
      dropping = true;
    }
    yield result;
  }
  const result: SourceRows = { rows: [], faulty: [] };
  if (pending !== '') reader.take(pending, line, result);
  reader.finish();
  yield result;
}

/** Where a value lies in an object: keys from the outside in. */
type Path = string[];

function createObjectReader(config: SourceConfig, path: string, report: SourceReport) {
  const mapping = config.columns;
  const mapped = new Map<Role, Path>();
  for (const role of roles) {
    const name = mapping[role];
    if (typeof name === 'string') mapped.set(role, [name, ...name.split('.')]);
  }
  /** Roles that a key may fill, with its rank; the same for every object, so worked out once. */
  const candidates = new Map<string, { role: Role; rank: number }[]>();
  const factCandidates = new Map<string, { role: FactRole; rank: number }[]>();
  const seenKeys = new Set<string>();
  const taken: Partial<Record<Role, string>> = {};
  let objects = 0;
  let isFirst = true;

  function take(content: string, line: number, result: SourceRows): void {
    const trimmed = content.trim();
    if (trimmed === '') return;
    const fail = (reason: string, detail: string): void => {
      result.faulty.push({ line, id: null, reason, detail } satisfies FaultyRow);
    };
    let value: unknown;
    try {
      value = JSON.parse(trimmed);
    } catch (error) {
      if (isFirst) refuseWholeDocument(trimmed, path);
      isFirst = false;
      fail('broken JSON', error instanceof Error ? shortenTo(error.message, 200) : 'unreadable');
      return;
    }
    if (isFirst && Array.isArray(value) && value.some(isObject)) refuseWholeDocument('[', path);
    isFirst = false;
    if (!isObject(value)) {
      fail('not an object', `expected { … }, found ${shortenTo(trimmed, 60)}`);
      return;
    }
    objects++;
    result.rows.push(toRow(value, line));
    if (objects === objectsBeforeGivingUp) refuseWithoutText();
  }

  function toRow(object: Record<string, unknown>, line: number): SourceRow {
    const values: SourceRow['values'] = {};
    const bestRank: Partial<Record<Role, number>> = {};
    const used = new Map<Role, string>();
    for (const [role, keys] of mapped) {
      const found = lookUp(object, keys);
      if (found === undefined || found.value === undefined) continue;
      values[role] = found.value;
      used.set(role, found.key);
      taken[role] ??= keys[0];
    }
    for (const key of Object.keys(object)) {
      for (const { role, rank } of candidatesOf(key)) {
        const value = object[key];
        if (value === null || value === '' || rank >= (bestRank[role] ?? Number.POSITIVE_INFINITY)) continue;
        bestRank[role] = rank;
        values[role] = value;
        used.set(role, key);
      }
    }
    for (const [role, key] of used) taken[role] ??= key;
    const facts = factsOf(object);
    if (values.doi === undefined && mapping.doi === undefined) values.doi = facts.doi;
    const usedKeys = new Set(used.values());
    const extra: SourceRow['extra'] = [];
    for (const key of Object.keys(object)) if (!usedKeys.has(key)) extra.push([key, object[key]]);
    return { line, values, facts: facts.facts, extra };
  }

  function factsOf(object: Record<string, unknown>): {
    facts: Partial<Record<FactRole, unknown>>;
    doi: unknown;
  } {
    const { doi, ...facts } = nestedFacts(object);
    const bestRank: Partial<Record<FactRole, number>> = {};
    for (const key of Object.keys(object)) {
      for (const { role, rank } of factCandidatesOf(key)) {
        const value = object[key];
        if (value === null || value === '' || rank >= (bestRank[role] ?? Number.POSITIVE_INFINITY)) continue;
        bestRank[role] = rank;
        // What lies deeper is more to the point than the object that holds it.
        if (facts[role] === undefined) facts[role] = value;
      }
    }
    for (const role of factRoles) {
      const name = mapping[role];
      if (name === null) delete facts[role];
      else if (name !== undefined) facts[role] = lookUp(object, [name, ...name.split('.')])?.value;
    }
    return { facts, doi };
  }

  function factCandidatesOf(key: string): { role: FactRole; rank: number }[] {
    const known = factCandidates.get(key);
    if (known !== undefined) return known;
    const list = factRoles.flatMap((role) => {
      const rank = rankOfFact(role, key);
      return rank < 0 ? [] : [{ role, rank }];
    });
    if (factCandidates.size < 10_000) factCandidates.set(key, list);
    return list;
  }

  function candidatesOf(key: string): { role: Role; rank: number }[] {
    const known = candidates.get(key);
    if (known !== undefined) return known;
    const list: { role: Role; rank: number }[] = [];
    for (const role of roles) {
      const rank = mapping[role] === undefined ? rankOf(role, key) : -1;
      if (rank >= 0) list.push({ role, rank });
    }
    // A file whose every object has keys of its own must not fill memory.
    if (candidates.size < 10_000) candidates.set(key, list);
    if (seenKeys.size < 200) seenKeys.add(key);
    return list;
  }

  function describe(): void {
    report.recognised = describeColumns(path, 'JSON lines', [...seenKeys], taken);
    report.abstractName = taken.abstract ?? 'abstract';
  }

  /** A whole file without a single title or abstract has other names for them. */
  function refuseWithoutText(): void {
    if (taken.title !== undefined || taken.abstract !== undefined) return;
    const missing = ['title', 'abstract'].map((role) => {
      const name = mapping[role as Role];
      return typeof name === 'string' ? `"${name}" (ingest.columns.${role})` : role;
    });
    throw new UserError(missingColumns(missing, [...seenKeys], mapping, path));
  }

  function finish(): void {
    if (objects === 0) return;
    refuseWithoutText();
    describe();
  }

  return { take, finish };
}

/** A JSON document is no JSON lines: said at once, instead of one complaint a line. */
function refuseWholeDocument(firstLine: string, path: string): void {
  if (firstLine.startsWith('[')) {
    throw new UserError(
      `ingest: expected one JSON object a line in ${path}, found one JSON array. ` +
        `Turn it into JSON lines, for instance with: jq -c '.[]' "${path}" > papers.jsonl`,
    );
  }
  if (/^\{\s*("[^"]*"\s*:\s*[[{]?\s*)?$/.test(firstLine)) {
    throw new UserError(
      `ingest: expected one JSON object a line in ${path}, found one object over several lines. ` +
        `Turn it into JSON lines, for instance with: jq -c . "${path}" > papers.jsonl`,
    );
  }
}

/** The whole name as a key, else the path that its dots describe. */
function lookUp(
  object: Record<string, unknown>,
  [name, ...steps]: Path,
): { key: string; value: unknown } | undefined {
  if (Object.hasOwn(object, name)) return { key: name, value: object[name] };
  const value = valueAt(object, steps);
  if (value === undefined) return undefined;
  // What lies deeper stays in its outer object, which is no column of ours.
  return { key: steps.length === 1 ? steps[0] : '', value };
}

/** What lies at the end of a path; of a list that lies on it, what lies there in each of its members. */
function valueAt(value: unknown, steps: Path): unknown {
  if (steps.length === 0) return value;
  if (Array.isArray(value)) {
    const found = value.flatMap((member) => valueAt(member, steps) ?? []);
    return found.length === 0 ? undefined : found;
  }
  const [step, ...rest] = steps;
  return isObject(value) && Object.hasOwn(value, step) ? valueAt(value[step], rest) : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shortenTo(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
