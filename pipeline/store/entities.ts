/** Mentions, acronyms, surfaces and canonical entities: in as a batch's columns, out as the corpus' columns. */

import type { EntityColumns, EntityList, FormColumns, SurfaceCounts, Tagged } from '../contract.ts';
import type { CorpusOrder } from './documents.ts';
import type { Store } from './open.ts';

/** Replaces what is stored of a batch's documents. `keys[i]` is the document that row i of the batch is. */
export function writeTagged(
  store: Store,
  keys: readonly number[],
  contentHashes: readonly string[],
  workKey: string,
  tagged: Tagged,
): void {
  const clearMentions = store.prepare('DELETE FROM mention WHERE document_key = ?');
  const clearAcronyms = store.prepare('DELETE FROM acronym WHERE document_key = ?');
  const mark = store.prepare('INSERT OR REPLACE INTO tagged VALUES (?, ?, ?)');
  const findSurface = store
    .prepare('SELECT surface_id FROM surface WHERE form = ? AND text = ? AND type = ?')
    .pluck();
  const addSurface = store.prepare('INSERT INTO surface (form, text, type) VALUES (?, ?, ?)');
  const addMention = store.prepare('INSERT OR REPLACE INTO mention VALUES (?, ?, ?, ?, ?, ?)');
  const addAcronym = store.prepare('INSERT OR IGNORE INTO acronym VALUES (?, ?, ?)');
  const { mentions, acronyms } = tagged;
  store
    .transaction(() => {
      for (let i = 0; i < keys.length; i++) {
        clearMentions.run(keys[i]);
        clearAcronyms.run(keys[i]);
        mark.run(keys[i], contentHashes[i], workKey);
      }
      for (let m = 0; m < mentions.text.length; m++) {
        const { form, text, type } = mentions;
        const surface =
          findSurface.get(form[m], text[m], type[m]) ??
          addSurface.run(form[m], text[m], type[m]).lastInsertRowid;
        addMention.run(
          keys[mentions.document[m]],
          mentions.field[m],
          mentions.start[m],
          mentions.end[m],
          surface,
          mentions.score[m],
        );
      }
      for (let a = 0; a < acronyms.short.length; a++) {
        addAcronym.run(keys[acronyms.document[a]], acronyms.short[a], acronyms.long[a]);
      }
    })
    .immediate();
}

/** How often each surface and acronym pair occurs; sorted, so that row order and history leave no mark. */
export function readSurfaceCounts(store: Store): SurfaceCounts {
  const surfaces = store
    .prepare(
      `SELECT s.form, s.text, s.type, c.mentions, c.documents
       FROM (SELECT surface_id, count(*) AS mentions, count(DISTINCT document_key) AS documents
             FROM mention GROUP BY surface_id) c
       JOIN surface s USING (surface_id) ORDER BY s.form, s.text, s.type`,
    )
    .raw()
    .all() as [string, string, string, number, number][];
  const acronyms = store
    .prepare('SELECT short, long, count(*) FROM acronym GROUP BY short, long ORDER BY short, long')
    .raw()
    .all() as [string, string, number][];
  return {
    surfaces: {
      form: surfaces.map((row) => row[0]),
      text: surfaces.map((row) => row[1]),
      type: surfaces.map((row) => row[2]),
      mentions: Int32Array.from(surfaces, (row) => row[3]),
      documents: Int32Array.from(surfaces, (row) => row[4]),
    },
    acronyms: {
      short: acronyms.map((row) => row[0]),
      long: acronyms.map((row) => row[1]),
      documents: Int32Array.from(acronyms, (row) => row[2]),
    },
  };
}

/**
 * Ties every surface to its canonical entity, one per (canonical text, type); surfaces that no document
 * mentions any more are dropped. Call it inside the transaction that marks the stage done.
 */
export function writeForms(store: Store, forms: FormColumns): void {
  store.exec(`
    UPDATE surface SET entity_id = NULL;
    DELETE FROM entity;
    DELETE FROM surface WHERE surface_id NOT IN (SELECT surface_id FROM mention);
    CREATE TEMP TABLE form (form TEXT PRIMARY KEY, canonical TEXT NOT NULL, generic INTEGER NOT NULL) WITHOUT ROWID;
  `);
  const add = store.prepare('INSERT INTO temp.form VALUES (?, ?, ?)');
  for (let f = 0; f < forms.form.length; f++) add.run(forms.form[f], forms.canonical[f], forms.generic[f]);
  store.exec(`
    INSERT INTO entity (canonical, type, generic)
      SELECT canonical, type, min(generic) FROM surface JOIN temp.form USING (form)
      GROUP BY canonical, type ORDER BY canonical, type;
    UPDATE surface SET entity_id = (
      SELECT e.entity_id FROM temp.form f JOIN entity e ON e.canonical = f.canonical AND e.type = surface.type
      WHERE f.form = surface.form);
    DROP TABLE temp.form;
  `);
}

/** Every mention as (document row, entity), with the list of entities. */
export function readEntities(store: Store, order: CorpusOrder): EntityColumns {
  const rows = store
    .prepare('SELECT entity_id, canonical, type, generic FROM entity ORDER BY canonical, type')
    .raw()
    .all() as [number, string, string, number][];
  const list: EntityList = {
    canonical: rows.map((row) => row[1]),
    type: rows.map((row) => row[2]),
    generic: Uint8Array.from(rows, (row) => row[3]),
  };
  const indexOf = new Map(rows.map((row, index) => [row[0], index]));
  const entityOfSurface: number[] = [];
  for (const [surface, entity] of store
    .prepare('SELECT surface_id, entity_id FROM surface')
    .raw()
    .iterate() as Iterable<[number, number | null]>) {
    entityOfSurface[surface] = entity === null ? -1 : (indexOf.get(entity) ?? -1);
  }

  // The table is sorted by document_key; a counting sort brings the mentions into corpus order.
  const m = store.prepare('SELECT count(*) FROM mention').pluck().get() as number;
  const document = new Int32Array(m);
  const entity = new Int32Array(m);
  const score = new Float32Array(m);
  const place = new Int32Array(order.n + 1);
  let read = 0;
  const mentions = store
    .prepare(
      'SELECT document_key, surface_id, score FROM mention ORDER BY document_key, field, start, "end", surface_id',
    )
    .raw()
    .iterate() as Iterable<[number, number, number]>;
  for (const [key, surface, probability] of mentions) {
    const row = order.rowOf[key];
    document[read] = row;
    entity[read] = entityOfSurface[surface] ?? -1;
    score[read] = probability;
    place[row + 1] = place[row + 1] + 1;
    read++;
  }
  for (let i = 0; i < order.n; i++) place[i + 1] = place[i + 1] + place[i];
  const sorted = { list, document: new Int32Array(m), entity: new Int32Array(m), score: new Float32Array(m) };
  for (let r = 0; r < m; r++) {
    const row = document[r];
    const to = place[row];
    place[row] = to + 1;
    sorted.document[to] = row;
    sorted.entity[to] = entity[r];
    sorted.score[to] = score[r];
  }
  return sorted;
}
