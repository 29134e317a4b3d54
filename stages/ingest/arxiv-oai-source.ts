/**
 * arXiv by OAI-PMH, its way to read whole fields of it: all papers of a set, then each time those that were
 * added, changed or deleted since the day of the last answer.
 */

import * as z from 'zod';
import type { KeptSource, SourceChanges, SourceName } from '../../pipeline/contract.ts';
import { UserError } from '../../pipeline/errors.ts';
import { quoted, TransferFault } from '../../pipeline/http/transfer-fault.ts';
import type { WebService } from '../../pipeline/http/web-service.ts';
import { arxivIntervalMilliseconds, arxivWithdrawal } from './arxiv-papers.ts';
import type { SourceConfig } from './config.ts';
import { checkedRows, identityOf } from './kept-records.ts';
import { openService } from './services.ts';
import type { FaultyRow, SourceRow } from './source-row.ts';
import { childOf, childrenOf, createXmlScanner, type FoundElement, textOf, valueIn } from './xml-elements.ts';

const endpoint = 'https://oaipmh.arxiv.org/oai';

/** A page has some thousand records. */
const maxPageBytes = 64 << 20;

const cursorSchema = z.object({
  /** Goes on with a listing; null when it is done. */
  token: z.string().nullable(),
  /** This listing has what changed from this day on; null for all. */
  from: z.string().nullable(),
  /** Day of the service on which this listing began; the next one has what changed from then on. */
  began: z.string().nullable(),
  /** Pages seen of this listing. */
  pages: z.int().min(0),
});

type Cursor = z.infer<typeof cursorSchema>;

interface Page {
  rows: SourceRow[];
  faulty: FaultyRow[];
  deleted: string[];
  /** Null where the listing is done. */
  token: string | null;
  /** Day of the answer, YYYY-MM-DD. */
  day: string;
  error: { code: string; said: string } | null;
}

export function arxivOaiSource(config: SourceConfig, name: SourceName): KeptSource {
  const { set, from, until, url } = config;
  return {
    ...name,
    identity: identityOf(config, { set, from, until, url }),
    changes: async function* (cursor, job) {
      const service = openService(config, name.name, arxivIntervalMilliseconds, job);
      try {
        yield* listing(service, config, beginning(cursor, config), job.notice);
      } finally {
        await service.close();
      }
    },
  };
}

/** Goes on with a listing that was cut off, or begins one. */
function beginning(cursor: string | null, { from }: SourceConfig): Cursor {
  if (cursor === null) return { token: null, from: from ?? null, began: null, pages: 0 };
  const stored = cursorSchema.parse(JSON.parse(cursor));
  return stored.token === null ? { token: null, from: stored.began, began: null, pages: 0 } : stored;
}

async function* listing(
  service: WebService,
  config: SourceConfig,
  start: Cursor,
  notice: (message: string) => void,
): AsyncGenerator<SourceChanges> {
  let at = start;
  for (;;) {
    const page = await service.page(pageAddress(config, at), maxPageBytes, (text) => readPage(text, at));
    if (page.error?.code === 'badResumptionToken' && at.token !== null) {
      notice('arxiv: the place in the list is no longer known; the list is begun again.');
      at = { ...at, token: null, pages: 0 };
      continue;
    }
    if (page.error !== null && page.error.code !== 'noRecordsMatch') {
      throw new UserError(
        `arxiv: expected records, got the error ${page.error.code}: ${quoted(page.error.said)}. Check ingest.set, ingest.from and ingest.until.`,
      );
    }
    // A list that is begun again keeps its first day, so that nothing of the time between is missed.
    at = { ...at, token: page.token, began: at.began ?? page.day, pages: at.pages + 1 };
    yield {
      ...{
        cursor: JSON.stringify(at),
        part: '',
        pass: 1,
        ...checkedRows(page, config),
        deleted: page.deleted,
      },
      ...{ endsListing: false, droppedParts: [] },
    };
    if (page.token === null) return;
  }
}

function pageAddress({ set, until, url }: SourceConfig, { token, from }: Cursor): URL {
  const address = new URL(url ?? endpoint);
  address.searchParams.set('verb', 'ListRecords');
  if (token !== null) {
    address.searchParams.set('resumptionToken', token);
    return address;
  }
  address.searchParams.set('metadataPrefix', 'arXiv');
  if (set !== undefined) address.searchParams.set('set', set);
  if (from !== null) address.searchParams.set('from', from);
  if (until !== undefined) address.searchParams.set('until', until);
  return address;
}

function readPage(text: string, { from, pages }: Cursor): Page {
  if (!/<\/(?:\w+:)?OAI-PMH>\s*$/.test(text)) {
    if (text.includes('<OAI-PMH')) throw new TransferFault('the answer is cut off');
    throw new UserError(
      'arxiv: expected an answer of OAI-PMH, got something else. Check ingest.url and the proxy.',
    );
  }
  const scanner = createXmlScanner(
    new Set(['responseDate', 'error', 'record', 'resumptionToken']),
    'an answer of arXiv',
  );
  const pushed = scanner.push(text);
  const ended = scanner.end();
  const page: Page = { rows: [], faulty: [], deleted: [], token: null, day: '', error: null };
  for (const element of pushed.elements) {
    if (element.name === 'responseDate') page.day = (textOf(element) ?? '').trim().slice(0, 10);
    else if (element.name === 'resumptionToken') page.token = textOf(element)?.trim() || null;
    else if (element.name === 'error')
      page.error = { code: element.attributes.code ?? '', said: textOf(element) ?? '' };
    else addRecord(element, page);
  }
  if (!/^\d{4}-\d\d-\d\d$/.test(page.day)) throw new TransferFault('the answer tells no date');
  for (const [i, { detail }] of [...pushed.faults, ...ended.faults].entries()) {
    page.faulty.push({
      line: 0,
      id: `changes from ${from ?? 'the first day'} on, page ${pages + 1}, broken record ${i + 1}`,
      reason: 'broken XML',
      detail,
    });
  }
  return page;
}

function addRecord(record: FoundElement, page: Page): void {
  const header = childOf(record, 'header');
  const id = /^oai:arXiv\.org:(\S+)$/i.exec(valueIn(header, 'identifier') ?? '')?.[1];
  const paper = childOf(childOf(record, 'metadata'), 'arXiv');
  if (id === undefined || (paper === null && header?.attributes.status !== 'deleted')) {
    const shown = id ?? `record at ${valueIn(header, 'datestamp') ?? 'no date'}`;
    page.faulty.push({
      line: 0,
      id: shown,
      reason: 'not a record',
      detail: 'expected an id and a paper of arXiv',
    });
    return;
  }
  if (paper === null) {
    page.deleted.push(`arXiv:${id}`);
    return;
  }
  const authors = childrenOf(childOf(paper, 'authors'), 'author');
  const created = valueIn(paper, 'created');
  const withdrawn = arxivWithdrawal(valueIn(paper, 'comments'), valueIn(paper, 'abstract'));
  page.rows.push({
    line: 0,
    values: {
      id: `arXiv:${id}`,
      doi: valueIn(paper, 'doi')?.split(/[\s,;]+/)[0],
      title: valueIn(paper, 'title'),
      abstract: valueIn(paper, 'abstract'),
      year: created,
    },
    facts: {
      arxiv: id,
      authors: authors.map((author) =>
        ['forenames', 'keyname', 'suffix'].flatMap((part) => valueIn(author, part) ?? []).join(' '),
      ),
      institutions: authors.flatMap((author) => valueIn(author, 'affiliation') ?? []),
      venue: valueIn(paper, 'journal-ref'),
      published: created,
    },
    ...(withdrawn === null ? {} : { withdrawn }),
    extra: [
      ['categories', valueIn(paper, 'categories')?.split(' ')],
      ...['comments', 'license', 'updated'].map((name): [string, unknown] => [name, valueIn(paper, name)]),
    ],
  });
}
