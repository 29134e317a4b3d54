/** PubMed's XML, as its files and its E-utilities give it: articles as rows, and which records are deleted. */

import type { FaultyRow, SourceRow, SourceRows } from './source-row.ts';
import {
  childOf,
  childrenOf,
  createXmlScanner,
  type FoundElement,
  textOf,
  valueIn,
  type XmlElement,
} from './xml-elements.ts';
import { readableText } from './xml-text.ts';

export interface PubmedPiece extends SourceRows {
  /** Ids of records that PubMed no longer has. */
  deleted: string[];
}

export interface PubmedScanner {
  push(text: string): PubmedPiece;
  end(): PubmedPiece;
}

/** @param path For messages. */
export function createPubmedScanner(path: string): PubmedScanner {
  const scanner = createXmlScanner(new Set(['PubmedArticle', 'PubmedBookArticle', 'DeleteCitation']), path);
  const convert = ({ elements, faults }: ReturnType<typeof scanner.push>): PubmedPiece => {
    const piece: PubmedPiece = { rows: [], faulty: [], deleted: [] };
    for (const { line, detail } of faults)
      piece.faulty.push({ line, id: null, reason: 'broken XML', detail });
    for (const element of elements) {
      if (element.name === 'DeleteCitation') {
        const gone = childrenOf(element, 'PMID').map((pmid) => textOf(pmid)?.trim() ?? '');
        piece.deleted.push(...gone.filter((pmid) => pmid !== '').map(pubmedId));
        continue;
      }
      const row = toRow(element);
      if ('reason' in row) piece.faulty.push(row);
      else piece.rows.push(row);
    }
    return piece;
  };
  return { push: (text) => convert(scanner.push(text)), end: () => convert(scanner.end()) };
}

export function pubmedId(pmid: string): string {
  return `pmid:${pmid}`;
}

function toRow(element: FoundElement): SourceRow | FaultyRow {
  const { line } = element;
  const citation = childOf(element, 'MedlineCitation');
  const pmid = valueIn(citation, 'PMID') ?? valueIn(childOf(element, 'BookDocument'), 'PMID');
  const id = pmid === undefined ? null : pubmedId(pmid);
  if (element.name === 'PubmedBookArticle') {
    return {
      line,
      id,
      reason: 'a book',
      detail: 'PubMed lists it as a book or a chapter, which have no journal',
    };
  }
  const article = childOf(citation, 'Article');
  if (pmid === undefined || !/^\d{1,9}$/.test(pmid) || article === null) {
    return { line, id, reason: 'not an article', detail: 'expected a PMID and an article' };
  }
  const journal = childOf(article, 'Journal');
  const date = dateOf(childOf(childOf(journal, 'JournalIssue'), 'PubDate'));
  const electronic = dateOf(childOf(article, 'ArticleDate'));
  const authors = childrenOf(childOf(article, 'AuthorList'), 'Author');
  const kinds = childrenOf(childOf(article, 'PublicationTypeList'), 'PublicationType').map(textOf);
  return {
    line,
    values: {
      id: pubmedId(pmid),
      doi: doiOf(element, article),
      title: titleOf(article),
      abstract: abstractOf(childOf(article, 'Abstract')),
      year: date ?? electronic,
    },
    facts: {
      pmid,
      authors: authors.flatMap((author) => authorName(author) ?? []),
      institutions: authors.flatMap((author) =>
        childrenOf(author, 'AffiliationInfo').flatMap((info) => valueIn(info, 'Affiliation') ?? []),
      ),
      venue: valueIn(journal, 'Title') ?? valueIn(journal, 'ISOAbbreviation'),
      published: electronic ?? date,
      retracted: [...kinds, isRetractedElsewhere(citation) ? 'Retracted Publication' : ''],
    },
    extra: [
      ['types', kinds],
      ['language', valueIn(article, 'Language')],
      [
        'mesh',
        childrenOf(childOf(citation, 'MeshHeadingList'), 'MeshHeading').flatMap(
          (heading) => valueIn(heading, 'DescriptorName') ?? [],
        ),
      ],
      ['keywords', childrenOf(childOf(citation, 'KeywordList'), 'Keyword').map(textOf)],
    ],
  };
}

/** PubMed puts titles that it has translated into brackets; the original may be all there is. */
function titleOf(article: XmlElement): string {
  const title = readableText(childOf(article, 'ArticleTitle')).trim();
  const inner = /^\[(.*)\]\.?$/s.exec(title)?.[1];
  if (title === '' || /^not available\.?$/i.test(inner ?? ''))
    return readableText(childOf(article, 'VernacularTitle'));
  return inner ?? title;
}

/** A structured abstract's parts, each behind its label. */
function abstractOf(abstract: XmlElement | null): string {
  return childrenOf(abstract, 'AbstractText')
    .map((part) => {
      const label = part.attributes.Label?.trim() ?? '';
      const text = readableText(part).trim();
      return label === '' || label.toUpperCase() === 'UNLABELLED' || text === '' ? text : `${label}: ${text}`;
    })
    .filter((text) => text !== '')
    .join(' ');
}

function authorName(author: XmlElement): string | undefined {
  const family = valueIn(author, 'LastName');
  if (family === undefined) return valueIn(author, 'CollectiveName');
  const given = valueIn(author, 'ForeName') ?? valueIn(author, 'Initials');
  return given === undefined ? family : `${given} ${family}`;
}

/** The article's own: those of its references stand deeper. */
function doiOf(element: XmlElement, article: XmlElement): string | undefined {
  const ids = childrenOf(childOf(childOf(element, 'PubmedData'), 'ArticleIdList'), 'ArticleId');
  const listed = ids.find(({ attributes }) => attributes.IdType === 'doi');
  const located = childrenOf(article, 'ELocationID').find(({ attributes }) => attributes.EIdType === 'doi');
  return textOf(listed)?.trim() || textOf(located)?.trim() || undefined;
}

function isRetractedElsewhere(citation: XmlElement | null): boolean {
  const notes = childrenOf(childOf(citation, 'CommentsCorrectionsList'), 'CommentsCorrections');
  return notes.some(({ attributes }) => attributes.RefType === 'RetractionIn');
}

/** As 2020-04-09, as far as it is told; a span ("1998 Dec-1999 Jan") stands for its beginning. */
function dateOf(date: XmlElement | null): string | undefined {
  const span = valueIn(date, 'MedlineDate');
  const [, spanYear, spanMonth] = /^(\d{4})(?:\s+([A-Za-z]{3}))?/.exec(span ?? '') ?? [];
  const year = valueIn(date, 'Year') ?? spanYear;
  if (year === undefined) return undefined;
  const month = monthNumber(valueIn(date, 'Month') ?? spanMonth);
  if (month === null) return year;
  const day = valueIn(date, 'Day');
  return day === undefined ? `${year}-${month}` : `${year}-${month}-${day}`;
}

function monthNumber(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^\d{1,2}$/.test(text)) return Number(text);
  const names = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
  const at = names.indexOf(text.slice(0, 3).toLowerCase());
  return at < 0 ? null : at + 1;
}
