/**
 * OpenAlex's list of works, by filter or search, page by page. With a key, only what changed since the last
 * listing is asked for; without one that is not allowed, so that the whole list is read each time.
 */

import * as z from 'zod';
import type { KeptSource, SourceChanges, SourceName } from '../../pipeline/contract.ts';
import { UserError } from '../../pipeline/errors.ts';
import { TransferFault } from '../../pipeline/http/transfer-fault.ts';
import { Refused, type WebService } from '../../pipeline/http/web-service.ts';
import type { SourceConfig } from './config.ts';
import { checkedRows, identityOf } from './kept-records.ts';
import { nestedFacts } from './nested-facts.ts';
import { addressOf, keyOf, openService } from './services.ts';
import type { FaultyRow, SourceRow } from './source-row.ts';

const endpoint = 'https://api.openalex.org';

/** The most that the service gives at once. */
const worksPerPage = 200;

/** Works of hundreds of authors with long affiliations included. */
const maxPageBytes = 64 << 20;

/** Ten requests a second are allowed. */
const intervalMilliseconds = 110;

const fields = [
  ...['id', 'doi', 'display_name', 'publication_year', 'publication_date', 'type', 'language', 'authorships'],
  ...['primary_location', 'locations', 'ids', 'cited_by_count', 'is_retracted', 'abstract_inverted_index'],
  ...['topics', 'updated_date'],
];

const pageSchema = z.object({
  meta: z.object({ next_cursor: z.string().nullish() }),
  results: z.array(z.unknown()),
});

const cursorSchema = z.object({
  /** Number of this listing. */
  pass: z.int().min(0),
  /** Where this listing goes on; null when it is done. */
  page: z.string().nullable(),
  /** Works seen in this listing. */
  seen: z.int().min(0),
  /** This listing asks for what changed since this date; null for all. */
  since: z.string().nullable(),
  /** Newest date of change that any work had. */
  newest: z.string().nullable(),
});

type Cursor = z.infer<typeof cursorSchema>;

export function openAlexSource(config: SourceConfig, name: SourceName): KeptSource {
  const { filter, query } = config;
  return {
    ...name,
    identity: identityOf(config, { filter, query, url: config.url }),
    changes: async function* (cursor, job) {
      const service = openService(config, name.name, intervalMilliseconds, job);
      try {
        const key = keyOf(config, job);
        const stored = cursor === null ? null : cursorSchema.parse(JSON.parse(cursor));
        yield* listing(service, config, key, beginning(stored, key !== null), job.notice);
      } finally {
        await service.close();
      }
    },
  };
}

/** Goes on with a listing that was cut off, or begins one. */
function beginning(stored: Cursor | null, hasKey: boolean): Cursor {
  if (stored === null) return { pass: 1, page: '*', seen: 0, since: null, newest: null };
  if (stored.page !== null) return stored;
  return { ...stored, pass: stored.pass + 1, page: '*', seen: 0, since: hasKey ? stored.newest : null };
}

async function* listing(
  service: WebService,
  config: SourceConfig,
  key: string | null,
  from: Cursor,
  notice: (message: string) => void,
): AsyncGenerator<SourceChanges> {
  let at = from;
  for (;;) {
    let page: z.infer<typeof pageSchema>;
    try {
      page = await service.page(pageAddress(config, key, at), maxPageBytes, readPage);
    } catch (error) {
      const again = error instanceof Refused ? afterRefusal(error, at) : null;
      if (again === null) throw wordRefusal(error);
      notice(again.why);
      at = again.from;
      continue;
    }
    const { rows, faulty, newest } = readWorks(page.results, at);
    const next = page.results.length === 0 ? null : (page.meta.next_cursor ?? null);
    const isWhole = at.since === null;
    at = { ...at, page: next, seen: at.seen + page.results.length, newest };
    yield {
      ...{ cursor: JSON.stringify(at), part: '', pass: at.pass, ...checkedRows({ rows, faulty }, config) },
      ...{ deleted: [], endsListing: next === null && isWhole, droppedParts: [] },
    };
    if (next === null) return;
  }
}

function pageAddress(config: SourceConfig, key: string | null, { page, since }: Cursor): URL {
  const address = addressOf(config, endpoint, 'works');
  const filters = [config.filter, since === null ? undefined : `from_updated_date:${since}`];
  const filter = filters.filter((one) => one !== undefined).join(',');
  if (filter !== '') address.searchParams.set('filter', filter);
  if (config.query !== undefined) address.searchParams.set('search', config.query);
  address.searchParams.set('per-page', String(worksPerPage));
  address.searchParams.set('select', fields.join(','));
  if (config.mailto !== undefined) address.searchParams.set('mailto', config.mailto);
  if (key !== null) address.searchParams.set('api_key', key);
  address.searchParams.set('cursor', page ?? '*');
  return address;
}

function readPage(text: string): z.infer<typeof pageSchema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new TransferFault('the answer is no whole JSON');
  }
  const parsed = pageSchema.safeParse(value);
  if (!parsed.success)
    throw new UserError('openalex: expected a list of works, got something else. Check ingest.url.');
  return parsed.data;
}

/** What is left to try when the service says no; null when it is nothing. */
function afterRefusal({ status }: Refused, at: Cursor): { from: Cursor; why: string } | null {
  if (at.page !== '*' && (status === 400 || status === 404 || status === 410)) {
    return {
      from: { ...at, page: '*', seen: 0 },
      why: 'openalex: the place in the list is no longer known; the list is begun again.',
    };
  }
  if (at.since !== null && (status === 400 || status === 403)) {
    const why = 'openalex: this key may not ask for changes alone; the whole list is read.';
    return { from: { ...at, page: '*', seen: 0, since: null }, why };
  }
  return null;
}

function wordRefusal(error: unknown): unknown {
  if (!(error instanceof Refused)) return error;
  const advice =
    error.status === 401 || error.status === 403
      ? 'Check ingest.api_key.'
      : 'Check ingest.filter and ingest.query; the same filter can be tried in a browser at api.openalex.org/works?filter=….';
  return new UserError(`${error.message} ${advice}`, { cause: error });
}

function readWorks(
  results: readonly unknown[],
  at: Cursor,
): { rows: SourceRow[]; faulty: FaultyRow[]; newest: string | null } {
  const rows: SourceRow[] = [];
  const faulty: FaultyRow[] = [];
  let { newest } = at;
  for (const [i, work] of results.entries()) {
    if (!isObject(work) || typeof work.id !== 'string' || work.id === '') {
      const id = `listing ${at.pass}, work ${at.seen + i + 1}`;
      faulty.push({ line: 0, id, reason: 'not a work', detail: 'expected a work with an id' });
      continue;
    }
    const changed = typeof work.updated_date === 'string' ? work.updated_date.slice(0, 10) : '';
    if (/^\d{4}-\d\d-\d\d$/.test(changed) && changed > (newest ?? '')) newest = changed;
    rows.push(toRow(work));
  }
  return { rows, faulty, newest };
}

function toRow(work: Record<string, unknown>): SourceRow {
  const { doi: _doi, ...facts } = nestedFacts(work);
  return {
    line: 0,
    values: {
      id: work.id,
      doi: work.doi,
      title: work.display_name,
      abstract: work.abstract_inverted_index,
      year: work.publication_year,
    },
    facts: {
      ...facts,
      citations: work.cited_by_count,
      published: work.publication_date,
      retracted: work.is_retracted,
    },
    extra: [
      ['type', work.type],
      ['language', work.language],
      ['topics', names(work.topics)],
    ],
  };
}

function names(list: unknown): string[] | undefined {
  if (!Array.isArray(list)) return undefined;
  return list.filter(isObject).flatMap(({ display_name: name }) => (typeof name === 'string' ? [name] : []));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
