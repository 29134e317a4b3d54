/**
 * arXiv by its query interface (Atom): the papers that words, authors or categories find. They come with the
 * latest change first, so that a later listing ends where the one before began.
 */

import * as z from 'zod';
import type { KeptSource, SourceChanges, SourceName } from '../../pipeline/contract.ts';
import { UserError } from '../../pipeline/errors.ts';
import { quoted, TransferFault } from '../../pipeline/http/transfer-fault.ts';
import type { WebService } from '../../pipeline/http/web-service.ts';
import { arxivIntervalMilliseconds, arxivWithdrawal } from './arxiv-papers.ts';
import type { SourceConfig } from './config.ts';
import { checkedRows, identityOf } from './kept-records.ts';
import { readArxiv } from './paper-facts.ts';
import { openService } from './services.ts';
import type { FaultyRow, SourceRow } from './source-row.ts';
import { childrenOf, createXmlScanner, type FoundElement, textOf, valueIn } from './xml-elements.ts';

const endpoint = 'https://export.arxiv.org/api/query';
const papersPerPage = 100;
const maxPageBytes = 16 << 20;

/** The service gives no more of one query. */
const mostPapers = 30_000;

const cursorSchema = z.object({
  /** Papers to pass over; null when the listing is done. */
  start: z.int().min(0).nullable(),
  /** The listing ends where papers were last changed before this; null to list all. */
  since: z.string().nullable(),
  /** Latest change that any paper had. */
  newest: z.string().nullable(),
});

type Cursor = z.infer<typeof cursorSchema>;

interface Page {
  rows: SourceRow[];
  faulty: FaultyRow[];
  /** When each paper was changed, in order of the page. */
  changed: string[];
  /** Papers found in all. */
  total: number;
}

export function arxivQuerySource(config: SourceConfig, name: SourceName): KeptSource {
  return {
    ...name,
    identity: identityOf(config, { query: config.query, url: config.url }),
    changes: async function* (cursor, job) {
      const service = openService(config, name.name, arxivIntervalMilliseconds, job);
      try {
        yield* listing(service, config, beginning(cursor));
      } finally {
        await service.close();
      }
    },
  };
}

/** Goes on with a listing that was cut off, or begins one. */
function beginning(cursor: string | null): Cursor {
  if (cursor === null) return { start: 0, since: null, newest: null };
  const stored = cursorSchema.parse(JSON.parse(cursor));
  return stored.start === null ? { ...stored, start: 0, since: stored.newest } : stored;
}

async function* listing(
  service: WebService,
  config: SourceConfig,
  from: Cursor,
): AsyncGenerator<SourceChanges> {
  let at = from;
  while (at.start !== null) {
    const { start, since } = at;
    const page = await service.page(pageAddress(config, start), maxPageBytes, (text) =>
      readPage(text, start),
    );
    if (page.total > mostPapers) {
      const total = page.total.toLocaleString('en-US');
      throw new UserError(
        `arxiv: expected a query that finds at most ${mostPapers.toLocaleString('en-US')} papers, as many as arXiv lists, got one with ${total}. Narrow ingest.query, or name a set (ingest.set) in its place.`,
      );
    }
    const next = start + page.changed.length + page.faulty.length;
    const isKnown = since !== null && page.changed.some((changed) => changed < since);
    const newest = page.changed.reduce(
      (latest, changed) => (changed > latest ? changed : latest),
      at.newest ?? '',
    );
    at = { ...at, start: isKnown || next >= page.total ? null : next, newest: newest === '' ? null : newest };
    yield {
      ...{ cursor: JSON.stringify(at), part: '', pass: 1, ...checkedRows(page, config), deleted: [] },
      ...{ endsListing: false, droppedParts: [] },
    };
  }
}

function pageAddress({ query, url }: SourceConfig, start: number): URL {
  const address = new URL(url ?? endpoint);
  address.searchParams.set('search_query', query ?? '');
  address.searchParams.set('start', String(start));
  address.searchParams.set('max_results', String(papersPerPage));
  address.searchParams.set('sortBy', 'lastUpdatedDate');
  address.searchParams.set('sortOrder', 'descending');
  return address;
}

function readPage(text: string, start: number): Page {
  if (!/<\/(?:\w+:)?feed>\s*$/.test(text)) {
    if (text.includes('<feed')) throw new TransferFault('the answer is cut off');
    throw new UserError('arxiv: expected an Atom feed, got something else. Check ingest.url and the proxy.');
  }
  const scanner = createXmlScanner(new Set(['totalResults', 'entry']), 'an answer of arXiv');
  const pushed = scanner.push(text);
  const ended = scanner.end();
  const page: Page = { rows: [], faulty: [], changed: [], total: 0 };
  for (const element of pushed.elements) {
    if (element.name === 'totalResults') page.total = Number(textOf(element));
    else addEntry(element, page);
  }
  for (const [i, { detail }] of [...pushed.faults, ...ended.faults].entries()) {
    page.faulty.push({ line: 0, id: `broken entry ${start + i + 1}`, reason: 'broken XML', detail });
  }
  if (!Number.isSafeInteger(page.total)) throw new TransferFault('the answer tells no number of papers');
  // The service gives an empty page now and then where there are papers.
  if (page.changed.length + page.faulty.length === 0 && start < page.total) {
    throw new TransferFault(`the answer is empty, where ${page.total - start} papers are to come`);
  }
  return page;
}

function addEntry(entry: FoundElement, page: Page): void {
  const address = valueIn(entry, 'id') ?? '';
  if (address.includes('/api/errors')) {
    throw new UserError(
      `arxiv: the query was refused: ${quoted(valueIn(entry, 'summary') ?? '')}. Check ingest.query.`,
    );
  }
  const id = readArxiv(address);
  const changed = valueIn(entry, 'updated') ?? '';
  if (id === null || !/^\d{4}-\d\d-\d\dT/.test(changed)) {
    page.faulty.push({
      line: 0,
      id: address.slice(0, 200) || null,
      reason: 'not an entry',
      detail: 'expected an id and a date',
    });
    return;
  }
  page.changed.push(changed);
  const authors = childrenOf(entry, 'author');
  const published = valueIn(entry, 'published');
  const comments = valueIn(entry, 'comment');
  const withdrawn = arxivWithdrawal(comments, valueIn(entry, 'summary'));
  page.rows.push({
    line: 0,
    values: {
      id: `arXiv:${id}`,
      doi: valueIn(entry, 'doi')?.split(/[\s,;]+/)[0],
      title: valueIn(entry, 'title'),
      abstract: valueIn(entry, 'summary'),
      year: published,
    },
    facts: {
      arxiv: id,
      authors: authors.flatMap((author) => valueIn(author, 'name') ?? []),
      institutions: authors.flatMap((author) => valueIn(author, 'affiliation') ?? []),
      venue: valueIn(entry, 'journal_ref'),
      published,
    },
    ...(withdrawn === null ? {} : { withdrawn }),
    extra: [
      ['categories', childrenOf(entry, 'category').map(({ attributes }) => attributes.term)],
      ['comments', comments],
      ['updated', changed],
    ],
  });
}
