/** The report's table of topics: what each is about, largest first. */

import type { ExportInput } from '../../pipeline/contract.ts';
import { escapeHtml, formatCount, formatShare, shorten } from './html.ts';
import type { PaperRanks } from './paper-ranks.ts';
import type { Highlights } from './topic-highlights.ts';

/** Rows at most, so that the page stays light; topics.csv has all. */
const MAX_TOPICS = 300;
const TERMS = 8;
const NAMES = 5;
const TITLES = 3;
const TITLE_CHARACTERS = 140;

/** The roles repeat what the elements say, since the style sheet lays rows out as blocks on a phone. */
export function* topicsHtml(
  input: ExportInput,
  highlights: readonly Highlights[],
  ranks: PaperRanks | null,
  bySize: readonly number[],
): Generator<string> {
  const { topics, documents, papers } = input;
  yield `<table class="topics" role="table"><caption>${
    bySize.length > MAX_TOPICS
      ? `The ${MAX_TOPICS} largest of ${formatCount(bySize.length)} topics; topics.csv has all.`
      : 'Largest first. Share is of all documents, outliers included.'
  }</caption>
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader" class="name">Topic</th><th scope="col" role="columnheader" class="number">Documents</th><th scope="col" role="columnheader" class="number">Share</th><th scope="col" role="columnheader" class="terms">Top terms</th><th scope="col" role="columnheader" class="what">Entities</th><th scope="col" role="columnheader" class="titles">Representative documents</th></tr></thead>
<tbody role="rowgroup">
`;
  for (const topic of bySize.slice(0, MAX_TOPICS)) {
    const id = topics.topicId[topic];
    const { terms, methods, tasks, materials, metrics } = highlights[topic];
    const list = (rows: readonly number[], more: (row: number) => string = () => ''): string => {
      const items = rows.slice(0, TITLES).map((row) => {
        const year = documents.year[row];
        const title = documents.title[row] === '' ? documents.id[row] : documents.title[row];
        const dated = year === null ? '' : ` (${year})`;
        return `<li dir="auto">${escapeHtml(shorten(title, TITLE_CHARACTERS))}${dated}${more(row)}</li>`;
      });
      return `<ol>${items.join('')}</ol>`;
    };
    const cited = (row: number): string => `, cited ${formatCount(papers?.citations[row] ?? 0)} times`;
    const part = (heading: string, rows: readonly number[], more?: (row: number) => string): string =>
      rows.length === 0 ? '' : `<p>${heading}</p>${list(rows, more)}`;
    const ranked =
      ranks === null
        ? ''
        : part('Most cited', ranks.mostCited[topic], cited) + part('Newest', ranks.newest[topic]);
    yield `<tr role="row" id="topic-${id}"><th scope="row" role="rowheader">${escapeHtml(topics.label[topic])}<small>topic ${id}</small></th><td role="cell" class="number" data-column="Documents">${formatCount(topics.size[topic])}</td><td role="cell" class="number" data-column="Share">${formatShare(topics.size[topic] / documents.id.length)}</td><td role="cell" data-column="Top terms">${escapeHtml(terms.slice(0, TERMS).join(', '))}</td><td role="cell"><dl>${names('Methods', methods)}${names('Tasks', tasks)}${names('Materials', materials)}${names('Metrics', metrics)}</dl></td><td role="cell" data-column="Representative documents">${list(topics.representatives[topic])}${ranked}</td></tr>
`;
  }
  yield '</tbody></table>\n';
}

function names(kind: string, list: readonly string[]): string {
  if (list.length === 0) return '';
  return `<dt>${kind}</dt><dd>${escapeHtml(list.slice(0, NAMES).join(', '))}</dd>`;
}
