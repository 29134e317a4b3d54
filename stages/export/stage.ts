/** The export stage: the tables and the report, as pieces of text. The runner writes them and the manifest. */

import type { ExportFile, ExportStage } from '../../pipeline/contract.ts';
import { Interrupted } from '../../pipeline/errors.ts';
import { type ExportConfig, minEntityDocuments, section } from './config.ts';
import { countAll, topicEntities } from './counts.ts';
import { documentsTable } from './documents-table.ts';
import { paperRanks } from './paper-ranks.ts';
import { entityYears, punchcardEntityYear } from './punchcard-entity-year.ts';
import { punchcardTopicEntity } from './punchcard-topic-entity.ts';
import { namePunchcards } from './punchcard-topic-name.ts';
import { punchcardTopicYear } from './punchcard-topic-year.ts';
import { report } from './report.ts';
import { topicEventsTable } from './topic-events-table.ts';
import { topicHighlights } from './topic-highlights.ts';
import { topicsTable } from './topics-table.ts';

export const stage: ExportStage<ExportConfig> = {
  name: 'export',
  version: 1,
  section,
  seeded: false,
  async run(input, job): Promise<Iterable<ExportFile>> {
    if (job.signal.aborted) throw new Interrupted('export: asked to stop before it began.');
    const counts = countAll(input);
    const inTopics = topicEntities(
      counts,
      input.topics.topicId.length,
      job.config.min_topic_entity_documents,
    );
    const highlights = topicHighlights(input, inTopics);
    const least = minEntityDocuments(job.config, input.documents.id.length);
    const ranks = input.papers === null ? null : paperRanks(input, input.papers, counts);
    const overYears = entityYears(counts, least);
    return [
      topicsTable(input, highlights),
      documentsTable(input, counts, ranks),
      punchcardTopicYear(input, counts),
      punchcardEntityYear(input, counts, overYears),
      punchcardTopicEntity(input, inTopics),
      ...(input.papers === null ? [] : namePunchcards(input, input.papers, counts, job.config)),
      topicEventsTable(input),
      report(input, { counts, highlights, ranks, entityYears: overYears, minEntityDocuments: least }),
    ];
  },
};
