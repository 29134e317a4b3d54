/** Mentions, acronyms, surfaces and canonical entities: in as a batch's columns, out as the corpus' columns. */

import type { EntityColumns, EntityList, FormColumns, SurfaceCounts, Tagged } from '../contract.ts';
import type { CorpusOrder } from './documents.ts';
import type { Store } from './open.ts';

/** One packed mention: entity_id and score. */
const packedBytes = 8;

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
  writeDocumentEntities(store);
}

/** Packs each document's entities, so that the stages above read one row per document, not one per mention. */
function writeDocumentEntities(store: Store): void {
  const entityOfSurface: number[] = [];
  const surfaces = store.prepare('SELECT surface_id, entity_id FROM surface').raw().iterate();
  for (const [surface, entity] of surfaces as Iterable<[number, number]>) entityOfSurface[surface] = entity;

  const m = store.prepare('SELECT count(*) FROM mention').pluck().get() as number;
  const packed = Buffer.alloc(m * packedBytes);
  const keys: number[] = [];
  const ends: number[] = [];
  let at = 0;
  const mentions = store
    .prepare(
      'SELECT document_key, surface_id, score FROM mention ORDER BY document_key, field, start, "end", surface_id',
    )
    .raw()
    .iterate() as Iterable<[number, number, number]>;
  for (const [key, surface, score] of mentions) {
    if (keys.at(-1) !== key) {
      keys.push(key);
      ends.push(at);
    }
    packed.writeInt32LE(entityOfSurface[surface], at);
    packed.writeFloatLE(score, at + 4);
    at += packedBytes;
    ends[ends.length - 1] = at;
  }

  store.exec('DELETE FROM document_entities');
  const add = store.prepare('INSERT INTO document_entities VALUES (?, ?)');
  for (let i = 0; i < keys.length; i++) {
    add.run(keys[i], packed.subarray(i === 0 ? 0 : ends[i - 1], ends[i]));
  }
}

/** Every mention as (document row, entity), with the list of entities. */
export function readEntities(store: Store, order: CorpusOrder): EntityColumns {
  // Ids count from 1 in the order of canonical text and type, so an entity's place in the list is its id − 1.
  // As three JSON texts they come out of SQLite in a third of the time that so many small rows take.
  const [canonical, type, generic] = store
    .prepare(
      `SELECT json_group_array(canonical), json_group_array(type), json_group_array(generic)
       FROM (SELECT canonical, type, generic FROM entity ORDER BY entity_id)`,
    )
    .raw()
    .get() as [string, string, string];
  const list: EntityList = {
    canonical: JSON.parse(canonical) as string[],
    type: JSON.parse(type) as string[],
    generic: Uint8Array.from(JSON.parse(generic) as number[]),
  };

  const packed: (Buffer | undefined)[] = new Array(order.n).fill(undefined);
  let m = 0;
  const documents = store.prepare('SELECT document_key, entities FROM document_entities').raw().iterate();
  for (const [key, entities] of documents as Iterable<[number, Buffer]>) {
    packed[order.rowOf[key]] = entities;
    m += entities.length / packedBytes;
  }
  const columns = {
    list,
    document: new Int32Array(m),
    entity: new Int32Array(m),
    score: new Float32Array(m),
  };
  let to = 0;
  for (let row = 0; row < order.n; row++) {
    const entities = packed[row];
    if (entities === undefined) continue;
    for (let at = 0; at < entities.length; at += packedBytes, to++) {
      columns.document[to] = row;
      columns.entity[to] = entities.readInt32LE(at) - 1;
      columns.score[to] = entities.readFloatLE(at + 4);
    }
  }
  return columns;
}
