/**
 * report.html: the run on one page that opens from disk with no network, no script and no foreign part.
 * Its pieces are drawn by report-map, report-punchcard and report-topics; every text in it is escaped.
 */

import type { ExportFile, ExportInput, TopicEventKind } from '../../pipeline/contract.ts';
import type { Counts } from './counts.ts';
import { countOf, escapeHtml, formatCount, formatShare } from './html.ts';
import type { PaperRanks } from './paper-ranks.ts';
import type { EntityYears } from './punchcard-entity-year.ts';
import { topicMap } from './report-map.ts';
import { punchcard } from './report-punchcard.ts';
import { contentSecurityPolicy, styleSheet } from './report-style.ts';
import { topicsHtml } from './report-topics.ts';
import type { Highlights } from './topic-highlights.ts';

/** Rows of the punchcards, so that a card can be taken in; the tables have all. */
const CARD_TOPICS = 60;
const CARD_ENTITIES = 30;

/** What the report shows beside the input itself. */
export interface ReportParts {
  counts: Counts;
  highlights: Highlights[];
  /** Null where no source tells of citations and dates. */
  ranks: PaperRanks | null;
  entityYears: EntityYears;
  /** Dated documents that an entity needed to be in entityYears. */
  minEntityDocuments: number;
}

export function report(input: ExportInput, parts: ReportParts): ExportFile {
  return { name: 'report.html', content: { [Symbol.iterator]: () => pieces(input, parts) } };
}

function* pieces(
  input: ExportInput,
  { counts, highlights, ranks, entityYears, minEntityDocuments }: ReportParts,
) {
  const n = input.documents.id.length;
  const bySize = topicsBySize(input);
  yield `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(contentSecurityPolicy)}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
<title>${countOf(bySize.length, 'topic')} in ${countOf(n, 'document')}</title>
<style>${styleSheet}</style></head><body>
`;
  yield* heading(input, counts, bySize.length);
  yield '<main>\n';
  yield* leftOut(input);
  yield '<section id="map"><h2>Topic map</h2>\n';
  if (bySize.length === 0) yield noTopics;
  if (n > 0) yield* topicMap(input, counts, bySize);
  yield '</section>\n<section id="topic-years"><h2>Topics over the years</h2>\n';
  yield* topicCard(input, counts, bySize);
  yield '</section>\n<section id="entity-years"><h2>Entities over the years</h2>\n';
  yield* entityCard(input, counts, entityYears, minEntityDocuments);
  yield '</section>\n<section id="topics"><h2>Topics</h2>\n';
  if (bySize.length === 0) yield noTopics;
  else yield* topicsHtml(input, highlights, ranks, bySize);
  yield '</section>\n</main>\n';
  yield* closing(input);
  yield '</body></html>\n';
}

const noTopics =
  '<p>No topics were found: every document is an outlier. A smaller cluster.min_cluster_size finds smaller groups.</p>\n';

/** Topic rows, most documents first, then by id. */
function topicsBySize({ topics }: ExportInput): number[] {
  return topics.topicId
    .map((_, row) => row)
    .sort((a, b) => topics.size[b] - topics.size[a] || topics.topicId[a] - topics.topicId[b]);
}

function* heading(input: ExportInput, counts: Counts, c: number): Generator<string> {
  const n = input.documents.id.length;
  const { list, undated } = counts.years;
  const skipped = input.facts.skipped.reduce((sum, { rows }) => sum + rows, 0);
  const distinct = counts.entityDocuments.reduce((sum, documents) => sum + (documents > 0 ? 1 : 0), 0);
  const tiles: [string, string][] = [
    ['documents', formatCount(n)],
    [skipped === 1 ? 'row left out' : 'rows left out', formatCount(skipped)],
    [c === 1 ? 'topic' : 'topics', formatCount(c)],
    [
      `in no topic (${countOf(counts.outliers, 'outlier')})`,
      n === 0 ? '–' : formatShare(counts.outliers / n),
    ],
    [distinct === 1 ? 'distinct entity' : 'distinct entities', formatCount(distinct)],
    [
      undated === 0 ? 'years' : `years (${countOf(undated, 'document')} without one)`,
      list.length === 0
        ? 'none'
        : list.length === 1
          ? String(list[0])
          : `${list[0]}–${list[list.length - 1]}`,
    ],
  ];
  yield `<header><h1>${countOf(c, 'topic')} in ${countOf(n, 'document')}</h1><p class="soft">scinertopic, run ${escapeHtml(input.facts.runId)}</p>
<nav aria-label="Sections"><ul><li><a href="#map">Topic map</a></li><li><a href="#topic-years">Topics over the years</a></li><li><a href="#entity-years">Entities over the years</a></li><li><a href="#topics">Topics</a></li><li><a href="#run">This run</a></li></ul></nav>
<dl class="tiles">${tiles.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl></header>
`;
}

function* leftOut({ facts, events }: ExportInput): Generator<string> {
  if (facts.notices.length > 0) {
    yield `<ul class="notices" aria-label="Notices">${facts.notices.map((notice) => `<li>${escapeHtml(notice)}</li>`).join('')}</ul>\n`;
  }
  if (facts.skipped.length > 0) {
    const rows = facts.skipped.map(
      ({ reason, rows }) =>
        `<tr><th scope="row">${escapeHtml(reason)}</th><td class="number">${formatCount(rows)}</td></tr>`,
    );
    yield `<h3>Rows left out of the source</h3><table class="plain"><thead><tr><th scope="col">Reason</th><th scope="col" class="number">Rows</th></tr></thead><tbody>${rows.join('')}</tbody></table>\n`;
  }
  const tonight = events.filter(({ runId }) => runId === facts.runId);
  const changes = eventCounts(tonight.map(({ event }) => event));
  if (changes !== '') yield `<h3>Since the run before</h3><p>${changes}. topic_events.csv has each.</p>\n`;
}

/** "2 topics born, 1 retired"; empty where every topic is new, as on a first run, or none has changed. */
function eventCounts(kinds: readonly TopicEventKind[]): string {
  if (kinds.every((kind) => kind === 'born') || kinds.every((kind) => kind === 'continued')) return '';
  const order: TopicEventKind[] = ['continued', 'born', 'split', 'merged', 'retired'];
  return order
    .map((kind) => ({ kind, count: kinds.filter((found) => found === kind).length }))
    .filter(({ count }) => count > 0)
    .map(({ kind, count }, i) => `${i === 0 ? countOf(count, 'topic') : formatCount(count)} ${kind}`)
    .join(', ');
}

const noYears = '<p>No document has a year, so there is nothing to draw over time.</p>\n';

function* topicCard(input: ExportInput, counts: Counts, bySize: readonly number[]): Generator<string> {
  const { list, documents, topicDocuments, undated } = counts.years;
  const y = list.length;
  if (y === 0 || bySize.length === 0) {
    yield y === 0 ? noYears : noTopics;
    return;
  }
  const shown = bySize.slice(0, CARD_TOPICS);
  yield `<p>${
    shown.length < bySize.length
      ? `The ${CARD_TOPICS} largest of ${formatCount(bySize.length)} topics.`
      : 'Every topic, largest first.'
  } Numbers for all: <a href="punchcard_topic_year.csv">punchcard_topic_year.csv</a>.${
    undated > 0
      ? ` ${countOf(undated, 'document')} without a year ${undated === 1 ? 'is' : 'are'} not counted here.`
      : ''
  }</p>\n`;
  yield* punchcard({
    id: 'topic-year-card',
    title: 'Topics over the years',
    rowName: 'topic',
    years: list,
    yearDocuments: documents,
    rows: shown.map((topic) => {
      const ofTopic = topicDocuments.subarray(topic * y, (topic + 1) * y);
      return {
        label: input.topics.label[topic],
        link: `#topic-${input.topics.topicId[topic]}`,
        documents: ofTopic,
        total: ofTopic.reduce((sum, value) => sum + value, 0),
      };
    }),
  });
}

function* entityCard(
  input: ExportInput,
  counts: Counts,
  entities: EntityYears,
  minDocuments: number,
): Generator<string> {
  const { list, documents } = counts.years;
  const y = list.length;
  if (y === 0) {
    yield noYears;
    return;
  }
  if (entities.entity.length === 0) {
    yield `<p>No entity is mentioned by ${countOf(minDocuments, 'dated document')} or more; export.min_entity_documents sets how many it takes.</p>\n`;
    return;
  }
  const { canonical, type } = input.entities.list;
  const places = Array.from(entities.entity, (_, place) => place)
    .sort((a, b) => entities.dated[b] - entities.dated[a] || a - b)
    .slice(0, CARD_ENTITIES);
  const names = places.map((place) => canonical[entities.entity[place]]);
  yield `<p>The ${countOf(places.length, 'entity', 'entities')} in most documents. <a href="punchcard_entity_year.csv">punchcard_entity_year.csv</a> has the ${countOf(entities.entity.length, 'entity', 'entities')} of at least ${countOf(minDocuments, 'dated document')}.</p>\n`;
  yield* punchcard({
    id: 'entity-year-card',
    title: 'Entities over the years',
    rowName: 'entity',
    years: list,
    yearDocuments: documents,
    rows: places.map((place, i) => ({
      // The type tells apart what the name alone does not.
      label:
        names.indexOf(names[i]) === names.lastIndexOf(names[i])
          ? names[i]
          : `${names[i]} (${type[entities.entity[place]]})`,
      link: null,
      documents: entities.documents.subarray(place * y, (place + 1) * y),
      total: entities.dated[place],
    })),
  });
}

function* closing({ facts }: ExportInput): Generator<string> {
  yield '<footer id="run"><h2>This run</h2>\n';
  if (facts.models.length > 0) {
    const rows = facts.models.map(
      ({ role, reference, hash }) =>
        `<tr><th scope="row">${escapeHtml(role)}</th><td>${escapeHtml(reference)}</td><td><code>${escapeHtml(hash.slice(0, 16))}</code></td></tr>`,
    );
    yield `<table class="plain"><thead><tr><th scope="col">Model for</th><th scope="col">Reference</th><th scope="col">Hash</th></tr></thead><tbody>${rows.join('')}</tbody></table>\n`;
  }
  yield `<h3>Configuration</h3><details><summary>Every setting of this run</summary><pre>${escapeHtml(JSON.stringify(facts.config, null, 2))}</pre></details>
<p>Beside this page: documents.csv (every document with its topic), topics.csv, the punchcards, topic_events.csv, and manifest.json with their checksums.</p></footer>
`;
}
