/**
 * punchcard_entity_year.csv: every entity that enough dated documents mention, in every year from the
 * corpus's first to its last, zeros included; by entity in code-point order, then type, then year.
 */

import type { ExportFile, ExportInput } from '../../pipeline/contract.ts';
import type { Counts } from './counts.ts';
import { csvTable, numberCell, textCell } from './csv-table.ts';
import { share } from './punchcard-topic-year.ts';

const header = ['entity', 'type', 'year', 'documents', 'mentions', 'entity_share', 'year_share'];

/** Entities over years; k kept entities, y years. */
export interface EntityYears {
  /** Index into the entity list, ascending [k]. */
  entity: Int32Array;
  /** Dated documents that mention it [k]. */
  dated: Int32Array;
  /** [k × y] */
  documents: Int32Array;
  mentions: Int32Array;
}

/** @param minDocuments Dated documents that an entity needs. */
export function entityYears(counts: Counts, minDocuments: number): EntityYears {
  const { distinct, years } = counts;
  const y = years.list.length;
  const datedOf = new Int32Array(counts.entityDocuments.length);
  for (let row = 0; row < years.of.length; row++) {
    if (years.of[row] < 0) continue;
    for (let slot = distinct.start[row]; slot < distinct.start[row + 1]; slot++)
      datedOf[distinct.entity[slot]]++;
  }

  const kept: number[] = [];
  const placeOf = new Int32Array(datedOf.length).fill(-1);
  for (let entity = 0; entity < datedOf.length; entity++) {
    if (datedOf[entity] >= minDocuments) placeOf[entity] = kept.push(entity) - 1;
  }

  const documents = new Int32Array(kept.length * y);
  const mentions = new Int32Array(kept.length * y);
  for (let row = 0; row < years.of.length; row++) {
    if (years.of[row] < 0) continue;
    for (let slot = distinct.start[row]; slot < distinct.start[row + 1]; slot++) {
      const place = placeOf[distinct.entity[slot]];
      if (place < 0) continue;
      documents[place * y + years.of[row]]++;
      mentions[place * y + years.of[row]] += distinct.mentions[slot];
    }
  }
  return {
    entity: Int32Array.from(kept),
    dated: Int32Array.from(kept, (entity) => datedOf[entity]),
    documents,
    mentions,
  };
}

/**
 * `entity_share` is of the entity's dated documents, so that an entity's rows sum to 1; `year_share` is of
 * all documents of that year.
 */
export function punchcardEntityYear(input: ExportInput, counts: Counts, table: EntityYears): ExportFile {
  return csvTable('punchcard_entity_year.csv', header, () => rows(input, counts, table));
}

function* rows(input: ExportInput, counts: Counts, table: EntityYears): Generator<string[]> {
  const { canonical, type } = input.entities.list;
  const yearCells = counts.years.list.map(String);
  const y = yearCells.length;
  for (let place = 0; place < table.entity.length; place++) {
    const name = textCell(canonical[table.entity[place]]);
    const typeCell = textCell(type[table.entity[place]]);
    for (let column = 0; column < y; column++) {
      const documents = table.documents[place * y + column];
      yield [
        name,
        typeCell,
        yearCells[column],
        String(documents),
        String(table.mentions[place * y + column]),
        numberCell(share(documents, table.dated[place]), 6),
        numberCell(share(documents, counts.years.documents[column]), 6),
      ];
    }
  }
}
