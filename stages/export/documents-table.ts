/** documents.csv: one row per document, by id in code-unit order. */

import type { ExportFile, ExportInput, PaperColumns } from '../../pipeline/contract.ts';
import type { Counts } from './counts.ts';
import { csvTable, listCell, listItem, numberCell, textCell } from './csv-table.ts';
import type { PaperRanks } from './paper-ranks.ts';

const header = [
  'id',
  'title',
  'year',
  'topic_id',
  'topic_label',
  'probability',
  'x',
  'y',
  'distance_to_center',
  'entities',
];

/** Only where sources tell of such things. */
const paperHeader = [
  ...['citations', 'published', 'venue', 'authors', 'institutions', 'place_by_citations', 'place_by_date'],
];

/**
 * An outlier has topic_id −1, no topic_label and no distance_to_center. `entities` are the distinct
 * canonical names, generic ones left out, most mentioned first, then in code-point order. The places are those
 * among the documents of the topic, the most cited and the newest first; empty for outliers.
 */
export function documentsTable(input: ExportInput, counts: Counts, ranks: PaperRanks | null): ExportFile {
  const { papers } = input;
  if (papers === null || ranks === null) {
    return csvTable('documents.csv', header, () => rows(input, counts, () => []));
  }
  const more = (row: number): string[] => paperCells(papers, ranks, row);
  return csvTable('documents.csv', [...header, ...paperHeader], () => rows(input, counts, more));
}

function paperCells(papers: PaperColumns, ranks: PaperRanks, row: number): string[] {
  return [
    papers.citations[row] < 0 ? '' : String(papers.citations[row]),
    textCell(papers.published[row]),
    textCell(papers.venue[row]),
    listCell(papers.authors(row)),
    listCell(papers.institutions(row)),
    String(ranks.byCitations[row] || ''),
    String(ranks.byDate[row] || ''),
  ];
}

function* rows(input: ExportInput, counts: Counts, more: (row: number) => string[]): Generator<string[]> {
  const { documents, assignments, positions, topics, distanceToCenter } = input;
  const labels = topics.label.map(textCell);
  const entitiesOf = entityNames(input, counts);
  for (const row of counts.order) {
    const topic = counts.topicOf[row];
    yield [
      textCell(documents.id[row]),
      textCell(documents.title[row]),
      String(documents.year[row] ?? ''),
      String(assignments.topic[row]),
      topic < 0 ? '' : labels[topic],
      numberCell(assignments.probability[row], 4),
      numberCell(positions.x[row], 4),
      numberCell(positions.y[row], 4),
      topic < 0 ? '' : numberCell(distanceToCenter[row], 4),
      entitiesOf(row),
      ...more(row),
    ];
  }
}

/** Gives the `entities` cell of a document row. */
function entityNames(input: ExportInput, counts: Counts): (row: number) => string {
  const { canonical } = input.entities.list;
  const items = canonical.map(listItem);
  const { start, entity, mentions } = counts.distinct;
  // One name may stand in the list under several types, next to each other: they share the first's place.
  const nameOf = new Int32Array(canonical.length);
  for (let e = 1; e < canonical.length; e++) {
    nameOf[e] = canonical[e] === canonical[e - 1] ? nameOf[e - 1] : e;
  }
  const mentionsOf = new Int32Array(canonical.length);
  return (row) => {
    const names: number[] = [];
    for (let slot = start[row]; slot < start[row + 1]; slot++) {
      const name = nameOf[entity[slot]];
      if (mentionsOf[name] === 0) names.push(name);
      mentionsOf[name] += mentions[slot];
    }
    names.sort((a, b) => mentionsOf[b] - mentionsOf[a] || a - b);
    for (const name of names) mentionsOf[name] = 0;
    return textCell(names.map((name) => items[name]).join('; '));
  };
}
