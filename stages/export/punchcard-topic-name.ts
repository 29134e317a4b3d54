/**
 * punchcard_topic_institution.csv and punchcard_topic_author.csv: whose documents each topic has; by topic id,
 * then documents (most first), then name in code-unit order. Outliers have no rows.
 */

import type { ExportFile, ExportInput, PaperColumns } from '../../pipeline/contract.ts';
import type { ExportConfig } from './config.ts';
import type { Counts } from './counts.ts';
import { csvTable, numberCell, textCell } from './csv-table.ts';

/**
 * `documents` are the topic's with that name among their authors or institutions, `topic_share` their share of
 * the topic's documents, `all_documents` those of the whole corpus, outliers included.
 */
export function namePunchcards(
  input: ExportInput,
  papers: PaperColumns,
  counts: Counts,
  { min_topic_entity_documents: least }: ExportConfig,
): ExportFile[] {
  return (['institution', 'author'] as const).map((kind) => {
    const namesOf = kind === 'author' ? papers.authors : papers.institutions;
    const header = ['topic_id', 'label', kind, 'documents', 'topic_share', 'all_documents'];
    return csvTable(`punchcard_topic_${kind}.csv`, header, () => rows(input, counts, namesOf, least));
  });
}

function* rows(
  input: ExportInput,
  counts: Counts,
  namesOf: (row: number) => string[],
  least: number,
): Generator<string[]> {
  const { topics } = input;
  const inTopic = topics.topicId.map(() => new Map<string, number>());
  const inAll = new Map<string, number>();
  for (const row of counts.order) {
    const topic = counts.topicOf[row];
    for (const name of new Set(namesOf(row))) {
      inAll.set(name, (inAll.get(name) ?? 0) + 1);
      if (topic >= 0) inTopic[topic].set(name, (inTopic[topic].get(name) ?? 0) + 1);
    }
  }
  for (let topic = 0; topic < inTopic.length; topic++) {
    const frequent = [...inTopic[topic]].filter(([, documents]) => documents >= least);
    frequent.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    const label = textCell(topics.label[topic]);
    for (const [name, documents] of frequent) {
      yield [
        String(topics.topicId[topic]),
        label,
        textCell(name),
        String(documents),
        numberCell(documents / topics.size[topic], 4),
        String(inAll.get(name)),
      ];
    }
  }
}
