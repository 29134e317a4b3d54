/**
 * entities: finds mentions in title and abstract and keys each by its normal form, document by document;
 * gather then names the forms over the whole corpus.
 */

import type {
  AcronymColumns,
  DocumentColumns,
  DocumentStage,
  FormColumns,
  Job,
  MentionColumns,
  ModelPin,
  SurfaceCounts,
  Tagged,
} from '../../pipeline/contract.ts';
import { UserError } from '../../pipeline/errors.ts';
import { readCard } from '../../pipeline/model/card.ts';
import { openTagger, type Tagger, type TextEntity } from '../../pipeline/model/tagger.ts';
import { canonicalForms } from './canonical-forms.ts';
import { type EntitiesConfig, section } from './config.ts';
import { documentForms } from './surface-forms.ts';

export interface EntitiesStage extends DocumentStage<EntitiesConfig, Tagged> {
  /** What each form is called, over the whole corpus. */
  gather(counts: SurfaceCounts): FormColumns;
}

export const stage: EntitiesStage = {
  name: 'entities',
  version: 1,
  section,
  seeded: false,
  prepare,
  open: async (config, model, machine) => {
    const tagger = await openTagger(model.folder, { ...machine, aggregation: config.aggregation });
    return (documents) => tagDocuments(documents, tagger, config.min_score);
  },
  gather: canonicalForms,
};

/** @throws UserError when there is no such model, or it finds no entities. */
async function prepare(job: Job<EntitiesConfig>): Promise<ModelPin> {
  const pin = job.model(job.config.model);
  const { task } = readCard(pin.folder);
  if (task !== 'token-classification') {
    throw new UserError(
      `entities: expected a model for token-classification in entities.model, got "${pin.reference}" for ${task}.`,
    );
  }
  return pin;
}

/** Mentions and acronyms of a batch; what a document gets depends on it alone. */
export async function tagDocuments(
  documents: DocumentColumns,
  tagger: Pick<Tagger, 'tagTexts'>,
  minScore: number,
): Promise<Tagged> {
  const { title, abstract } = documents;
  const n = title.length;
  const found = await tagger.tagTexts([...title, ...abstract]);

  const rows: { document: number; field: 0 | 1; entity: TextEntity; form: string }[] = [];
  const acronyms: { document: number; short: string; long: string }[] = [];
  for (let i = 0; i < n; i++) {
    const forms = documentForms(title[i], abstract[i]);
    for (const { short, long } of forms.acronyms) acronyms.push({ document: i, short, long });
    for (const field of [0, 1] as const) {
      const entities = found[field * n + i]
        .filter((entity) => entity.score >= minScore)
        .map(withoutLooseBrackets);
      entities.sort((a, b) => a.start - b.start || a.end - b.end);
      for (const entity of entities)
        rows.push({ document: i, field, entity, form: forms.formOf(entity.text) });
    }
  }
  return { mentions: mentionColumns(rows), acronyms: acronymColumns(acronyms) };
}

/** "BERT)" as "BERT": a bracket at either end whose other half lies outside is not part of the name. */
function withoutLooseBrackets(entity: TextEntity): TextEntity {
  let { start, end, text } = entity;
  while (/^[([]/.test(text) && !/[)\]]/.test(text) && text.length > 1) {
    const shorter = text.slice(1).trimStart();
    start += text.length - shorter.length;
    text = shorter;
  }
  while (/[)\]]$/.test(text) && !/[([]/.test(text) && text.length > 1) {
    const shorter = text.slice(0, -1).trimEnd();
    end -= text.length - shorter.length;
    text = shorter;
  }
  return { ...entity, start, end, text };
}

function mentionColumns(
  rows: readonly { document: number; field: 0 | 1; entity: TextEntity; form: string }[],
): MentionColumns {
  return {
    document: Int32Array.from(rows, (row) => row.document),
    field: Uint8Array.from(rows, (row) => row.field),
    start: Int32Array.from(rows, (row) => row.entity.start),
    end: Int32Array.from(rows, (row) => row.entity.end),
    text: rows.map((row) => row.entity.text),
    type: rows.map((row) => row.entity.type),
    score: Float32Array.from(rows, (row) => row.entity.score),
    form: rows.map((row) => row.form),
  };
}

/** One row per document and pair. */
function acronymColumns(found: readonly { document: number; short: string; long: string }[]): AcronymColumns {
  const seen = new Set<string>();
  const rows = found.filter(({ document, short, long }) => {
    const key = `${document}\t${short}\t${long}`;
    return !seen.has(key) && seen.add(key);
  });
  return {
    document: Int32Array.from(rows, (row) => row.document),
    short: rows.map((row) => row.short),
    long: rows.map((row) => row.long),
  };
}
