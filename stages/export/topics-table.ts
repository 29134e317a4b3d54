/** topics.csv: one row per topic, by id. Outliers have no row. */

import type { ExportFile, ExportInput } from '../../pipeline/contract.ts';
import { csvTable, listCell, numberCell, textCell } from './csv-table.ts';
import type { Highlights } from './topic-highlights.ts';

const header = [
  'topic_id',
  'label',
  'size',
  'share',
  'top_terms',
  'top_methods',
  'top_tasks',
  'top_materials',
  'top_metrics',
  'representative_documents',
  'x',
  'y',
  'coherence',
];

/** `share` is of all documents, outliers included; `representative_documents` holds document ids. */
export function topicsTable(input: ExportInput, highlights: readonly Highlights[]): ExportFile {
  const { topics, documents } = input;
  return csvTable('topics.csv', header, () =>
    topics.topicId.map((id, row) => [
      String(id),
      textCell(topics.label[row]),
      String(topics.size[row]),
      numberCell(topics.size[row] / documents.id.length, 6),
      listCell(highlights[row].terms),
      listCell(highlights[row].methods),
      listCell(highlights[row].tasks),
      listCell(highlights[row].materials),
      listCell(highlights[row].metrics),
      listCell(topics.representatives[row].map((document) => documents.id[document])),
      numberCell(topics.x[row], 4),
      numberCell(topics.y[row], 4),
      numberCell(topics.coherence[row], 4),
    ]),
  );
}
