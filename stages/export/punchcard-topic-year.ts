/**
 * punchcard_topic_year.csv: every topic in every year from the corpus's first to its last, zeros included;
 * by topic id, then year. Outliers have no rows, and documents without a year count nowhere in it.
 */

import type { ExportFile, ExportInput } from '../../pipeline/contract.ts';
import type { Counts } from './counts.ts';
import { csvTable, numberCell, textCell } from './csv-table.ts';

const header = ['topic_id', 'label', 'year', 'documents', 'topic_share', 'year_share'];

/**
 * `topic_share` is of the topic's dated documents, so that a topic's rows sum to 1; `year_share` is of all
 * documents of that year, outliers included. Either is 0 where there is nothing to be a share of.
 */
export function punchcardTopicYear(input: ExportInput, counts: Counts): ExportFile {
  return csvTable('punchcard_topic_year.csv', header, () => rows(input, counts));
}

function* rows(input: ExportInput, counts: Counts): Generator<string[]> {
  const { topics } = input;
  const { list, documents, topicDocuments } = counts.years;
  const y = list.length;
  for (let topic = 0; topic < topics.topicId.length; topic++) {
    const id = String(topics.topicId[topic]);
    const label = textCell(topics.label[topic]);
    const ofTopic = topicDocuments.subarray(topic * y, (topic + 1) * y);
    const dated = ofTopic.reduce((sum, value) => sum + value, 0);
    for (let column = 0; column < y; column++) {
      yield [
        id,
        label,
        String(list[column]),
        String(ofTopic[column]),
        numberCell(share(ofTopic[column], dated), 6),
        numberCell(share(ofTopic[column], documents[column]), 6),
      ];
    }
  }
}

/** Part of a whole in 0–1; 0 of nothing is 0. */
export function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
