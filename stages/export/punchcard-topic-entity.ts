/**
 * punchcard_topic_entity.csv: the entities of each topic; by topic id, then documents (most first), then
 * entity in code-point order. Outliers and generic entities have no rows.
 */

import type { ExportFile, ExportInput } from '../../pipeline/contract.ts';
import type { TopicEntity } from './counts.ts';
import { csvTable, numberCell, textCell } from './csv-table.ts';

const header = ['topic_id', 'label', 'entity', 'type', 'documents', 'mentions', 'weight'];

/**
 * `documents` and `mentions` count within the topic; `weight` is c-TF-IDF, high for what the topic mentions
 * and others do not.
 */
export function punchcardTopicEntity(input: ExportInput, entities: readonly TopicEntity[][]): ExportFile {
  return csvTable('punchcard_topic_entity.csv', header, () => rows(input, entities));
}

function* rows(input: ExportInput, entities: readonly TopicEntity[][]): Generator<string[]> {
  const { topics } = input;
  const names = input.entities.list.canonical.map(textCell);
  const types = input.entities.list.type.map(textCell);
  for (let topic = 0; topic < topics.topicId.length; topic++) {
    const id = String(topics.topicId[topic]);
    const label = textCell(topics.label[topic]);
    for (const { entity, documents, mentions, weight } of entities[topic]) {
      yield [
        id,
        label,
        names[entity],
        types[entity],
        String(documents),
        String(mentions),
        numberCell(weight, 6),
      ];
    }
  }
}
