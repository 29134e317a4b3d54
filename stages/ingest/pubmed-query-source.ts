/**
 * PubMed by its E-utilities: the articles that a query finds, then each time those that were changed since. A
 * query is answered with 9,999 articles at most, so that larger ones are asked for by spans of days.
 */

import * as z from 'zod';
import type { KeptSource, SourceChanges, SourceName } from '../../pipeline/contract.ts';
import { UserError } from '../../pipeline/errors.ts';
import { quoted, TransferFault } from '../../pipeline/http/transfer-fault.ts';
import { Refused, type WebService } from '../../pipeline/http/web-service.ts';
import type { SourceConfig } from './config.ts';
import { checkedRows, identityOf } from './kept-records.ts';
import { createPubmedScanner, type PubmedPiece, pubmedId } from './pubmed-articles.ts';
import { addressOf, keyOf, openService } from './services.ts';

const endpoint = 'https://eutils.ncbi.nlm.nih.gov/entrez/eutils';

/** The most ids that a search gives. */
const mostIds = 9_999;

const articlesPerPage = 200;
const maxPageBytes = 128 << 20;

/** Three requests a second are allowed, ten with a key. */
const intervals = { withKey: 110, without: 350 };

const cursorSchema = z.object({
  /** Spans of days that are still to be searched, the next one last; see dayText. */
  spans: z.array(z.tuple([z.int(), z.int()])),
  /** Ids that the last search found and that are still to be fetched, ascending. */
  ids: z.array(z.string()),
  /** edat: by the day on which articles came to PubMed. mdat: by the day on which they last changed. */
  by: z.enum(['edat', 'mdat']),
  /** Day of PubMed's data when this listing began; the next one has what changed from then on. */
  began: z.string().nullable(),
  isDone: z.boolean(),
});

type Cursor = z.infer<typeof cursorSchema>;

const firstDay = dayNumber(1800, 1, 1);
const lastDay = dayNumber(3000, 12, 31);

export function pubmedQuerySource(config: SourceConfig, name: SourceName): KeptSource {
  return {
    ...name,
    identity: identityOf(config, { query: config.query, url: config.url }),
    changes: async function* (cursor, job) {
      const key = keyOf(config, job);
      const service = openService(
        config,
        name.name,
        key === null ? intervals.without : intervals.withKey,
        job,
      );
      try {
        yield* listing(service, config, key, beginning(cursor));
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        throw new UserError(`${error.message} Check ingest.query and ingest.api_key.`, { cause: error });
      } finally {
        await service.close();
      }
    },
  };
}

/** Goes on with a listing that was cut off, or begins one. */
function beginning(cursor: string | null): Cursor {
  const all: Cursor = { spans: [[firstDay, lastDay]], ids: [], by: 'edat', began: null, isDone: false };
  if (cursor === null) return all;
  const stored = cursorSchema.parse(JSON.parse(cursor));
  if (!stored.isDone) return stored;
  const [year, month, day] = (stored.began ?? '').split('/').map(Number);
  return { ...all, spans: [[dayNumber(year, month, day), lastDay]], by: 'mdat' };
}

async function* listing(
  service: WebService,
  config: SourceConfig,
  key: string | null,
  from: Cursor,
): AsyncGenerator<SourceChanges> {
  const ask = (path: string, parameters: Record<string, string>): URL => {
    const address = addressOf(config, endpoint, path);
    const whose = { tool: 'scinertopic', ...(config.mailto === undefined ? {} : { email: config.mailto }) };
    const own = key === null ? {} : { api_key: key };
    for (const [name, value] of Object.entries({ db: 'pubmed', ...parameters, ...whose, ...own })) {
      address.searchParams.set(name, value);
    }
    return address;
  };
  let at = from;
  const piece = (articles: PubmedPiece): SourceChanges => ({
    ...{
      cursor: JSON.stringify(at),
      part: '',
      pass: 1,
      ...checkedRows(articles, config),
      deleted: articles.deleted,
    },
    ...{ endsListing: false, droppedParts: [] },
  });
  const nothing: PubmedPiece = { rows: [], faulty: [], deleted: [] };
  if (at.began === null) {
    at = {
      ...at,
      began: await service.page(ask('einfo.fcgi', { retmode: 'json' }), 4 << 20, readLastUpdate),
    };
    yield piece(nothing);
  }
  for (;;) {
    if (at.ids.length > 0) {
      const now = at.ids.slice(0, articlesPerPage);
      const address = ask('efetch.fcgi', { id: now.join(','), retmode: 'xml' });
      const articles = await service.page(address, maxPageBytes, (text) => readArticles(text, now));
      at = { ...at, ids: at.ids.slice(articlesPerPage) };
      yield piece(articles);
      continue;
    }
    const span = at.spans.at(-1);
    if (span === undefined) break;
    const search = { term: config.query ?? '', retmax: String(mostIds), retmode: 'json', datetype: at.by };
    const days = { mindate: dayText(span[0]), maxdate: dayText(span[1]) };
    const { count, ids } = await service.page(
      ask('esearch.fcgi', { ...search, ...days }),
      4 << 20,
      readSearch,
    );
    const rest = at.spans.slice(0, -1);
    at = count > mostIds ? { ...at, spans: [...rest, ...halves(span, count)] } : { ...at, spans: rest, ids };
    yield piece(nothing);
  }
  at = { ...at, isDone: true };
  yield piece(nothing);
}

/** The later half first, so that the earlier is searched next. */
function halves([first, last]: [number, number], count: number): [number, number][] {
  if (first >= last) {
    throw new UserError(
      `pubmed: expected at most ${mostIds} articles of one day, got ${count} on ${dayText(first)}. Narrow ingest.query, or read PubMed's files (ingest.url).`,
    );
  }
  const middle = Math.floor((first + last) / 2);
  return [
    [middle + 1, last],
    [first, middle],
  ];
}

/** Days in order; every month has room for 31, so that some numbers stand for the last day of a shorter one. */
function dayNumber(year: number, month: number, day: number): number {
  return (year * 12 + month - 1) * 31 + day - 1;
}

function dayText(number: number): string {
  const month = Math.floor(number / 31);
  const year = Math.floor(month / 12);
  const monthOfYear = (month % 12) + 1;
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const length = monthOfYear === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(monthOfYear) ? 30 : 31;
  const day = Math.min((number % 31) + 1, length);
  return `${year}/${String(monthOfYear).padStart(2, '0')}/${String(day).padStart(2, '0')}`;
}

function readLastUpdate(text: string): string {
  const schema = z.object({
    einforesult: z.object({ dbinfo: z.array(z.object({ lastupdate: z.string() })).min(1) }),
  });
  const day = /^\d{4}\/\d\d\/\d\d/.exec(readJson(text, schema).einforesult.dbinfo[0].lastupdate)?.[0];
  if (day === undefined) throw new TransferFault('the answer tells no date');
  return day;
}

function readSearch(text: string): { count: number; ids: string[] } {
  const schema = z.object({
    esearchresult: z.object({
      count: z
        .string()
        .regex(/^\d{1,9}$/)
        .optional(),
      idlist: z.array(z.string().regex(/^\d{1,9}$/)).optional(),
      ERROR: z.string().optional(),
    }),
  });
  const { count, idlist, ERROR: error } = readJson(text, schema).esearchresult;
  if (error !== undefined || count === undefined || idlist === undefined) {
    // Faults of the service itself come in the same way as those of the query.
    if (/backend|timeout|server|temporar/i.test(error ?? 'server'))
      throw new TransferFault(`the search failed (${error ?? 'no result'})`);
    throw new UserError(`pubmed: the query was refused: ${quoted(error ?? '')}. Check ingest.query.`);
  }
  const ids = [...idlist].sort((a, b) => Number(a) - Number(b));
  if (Number(count) <= mostIds && ids.length < Number(count))
    throw new TransferFault('the list of ids is not whole');
  return { count: Number(count), ids };
}

function readJson<T>(text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new TransferFault('the answer is no whole JSON');
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    throw new UserError(
      'pubmed: expected an answer of E-utilities, got something else. Check ingest.url and the proxy.',
    );
  }
  return parsed.data;
}

/** What was asked for and is not there has been deleted in the meantime. */
function readArticles(text: string, asked: readonly string[]): PubmedPiece {
  if (!/<\/PubmedArticleSet>\s*$/.test(text)) throw new TransferFault('the articles did not come whole');
  const scanner = createPubmedScanner('an answer of PubMed');
  const pushed = scanner.push(text);
  const ended = scanner.end();
  const rows = [...pushed.rows, ...ended.rows];
  const faulty = [...pushed.faulty, ...ended.faulty].map((row, i) => ({
    ...row,
    line: 0,
    id: row.id ?? `broken record ${i + 1} of those from ${asked[0]} on`,
  }));
  const there = new Set([...rows.map(({ values }) => values.id), ...faulty.map(({ id }) => id)]);
  const hasBroken = faulty.some(({ reason }) => reason === 'broken XML');
  const missing = hasBroken ? [] : asked.map(pubmedId).filter((id) => !there.has(id));
  return { rows, faulty, deleted: [...pushed.deleted, ...ended.deleted, ...missing] };
}
