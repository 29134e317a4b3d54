/** Mentions, acronyms, surfaces and canonical entities: in as a batch's columns, out as the corpus' columns. */

import type { EntityColumns, FormColumns, SurfaceCounts, Tagged } from '../contract.ts';
import type { CorpusOrder } from './documents.ts';
import type { Store } from './open.ts';

/** One packed mention: surface_id and score. */
const packedBytes = 8;

/**
 * Rows that come out of SQLite together, each column as a JSON text: in a third of the time that so many small
 * rows take.
 */
const rowsPerChunk = 20_000;

/**
 * Replaces what is stored of a batch's documents. `keys[i]` is the document that row i of the batch is. Call it inside
 * a transaction; it opens none, since within another SQLite would first write every page it touches aside.
 */
export function writeTagged(
  store: Store,
  keys: readonly number[],
  contentHashes: readonly string[],
  workKey: string,
  tagged: Tagged,
): void {
  const clearMentions = store.prepare('DELETE FROM mention WHERE document_key = ?');
  const clearAcronyms = store.prepare('DELETE FROM acronym WHERE document_key = ?');
  const clearMark = store.prepare('DELETE FROM tagged WHERE document_key = ?');
  const mark = store.prepare('INSERT INTO tagged VALUES (?, ?, ?)');
  const findSurface = store
    .prepare('SELECT surface_id FROM surface WHERE form = ? AND text = ? AND type = ?')
    .pluck();
  const addSurface = store.prepare('INSERT INTO surface (form, text, type) VALUES (?, ?, ?)');
  // Not OR REPLACE: for a statement that may replace, SQLite first writes every page it touches aside.
  const addMention = store.prepare('INSERT OR IGNORE INTO mention VALUES (?, ?, ?, ?, ?, ?)');
  const addAcronym = store.prepare('INSERT OR IGNORE INTO acronym VALUES (?, ?, ?)');
  const packMentions = mentionPacker(store);
  const { mentions, acronyms } = tagged;
  for (let i = 0; i < keys.length; i++) {
    clearMentions.run(keys[i]);
    clearAcronyms.run(keys[i]);
    clearMark.run(keys[i]);
    mark.run(keys[i], contentHashes[i], workKey);
  }
  for (let m = 0; m < mentions.text.length; m++) {
    const { form, text, type } = mentions;
    const surface =
      findSurface.get(form[m], text[m], type[m]) ?? addSurface.run(form[m], text[m], type[m]).lastInsertRowid;
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
  for (const key of keys) packMentions(key);
}

/** The mentions of a surface. Nothing that a batch needs to be stored. */
const mentionIndex = 'mention_by_surface ON mention (surface_id, document_key)';

/**
 * Before many batches: entries of this index go to pages all over it, and making it anew afterwards costs less.
 * Until {@link finishMentions}, and if the run ends before it, counting by surface is slow, and no more.
 */
export function expectManyMentions(store: Store): void {
  store.exec('DROP INDEX IF EXISTS mention_by_surface');
}

/** After the last batch. */
export function finishMentions(store: Store): void {
  store.exec(`CREATE INDEX IF NOT EXISTS ${mentionIndex}`);
}

/** Packs a document's mentions, so that the stages above read one row per document, not one per mention. */
function mentionPacker(store: Store): (key: number) => void {
  const find = store
    .prepare(
      'SELECT surface_id, score FROM mention WHERE document_key = ? ORDER BY field, start, "end", surface_id',
    )
    .raw();
  const clear = store.prepare('DELETE FROM document_mentions WHERE document_key = ?');
  const add = store.prepare('INSERT INTO document_mentions VALUES (?, ?)');
  return (key) => {
    const rows = find.all(key) as [number, number][];
    const packed = Buffer.alloc(rows.length * packedBytes);
    for (let i = 0; i < rows.length; i++) {
      packed.writeInt32LE(rows[i][0], i * packedBytes);
      packed.writeFloatLE(rows[i][1], i * packedBytes + 4);
    }
    clear.run(key);
    add.run(key, packed);
  };
}

/** How often each surface and acronym pair occurs; sorted, so that row order and history leave no mark. */
export function readSurfaceCounts(store: Store): SurfaceCounts {
  const last = largest(store, 'surface_id', 'surface');
  const mentionsOf = new Int32Array(last + 1);
  const documentsOf = new Int32Array(last + 1);
  const counted = store
    .prepare('SELECT surface_id, count(*), count(DISTINCT document_key) FROM mention GROUP BY surface_id')
    .raw()
    .iterate();
  for (const [surface, mentions, documents] of counted as Iterable<[number, number, number]>) {
    mentionsOf[surface] = mentions;
    documentsOf[surface] = documents;
  }

  const surfaces = { form: [] as string[], text: [] as string[], type: [] as string[] };
  const counts = { mentions: [] as number[], documents: [] as number[] };
  for (const chunk of surfaceChunks(store)) {
    for (let i = 0; i < chunk.surface.length; i++) {
      const surface = chunk.surface[i];
      if (mentionsOf[surface] === 0) continue;
      surfaces.form.push(chunk.form[i]);
      surfaces.text.push(chunk.text[i]);
      surfaces.type.push(chunk.type[i]);
      counts.mentions.push(mentionsOf[surface]);
      counts.documents.push(documentsOf[surface]);
    }
  }
  const acronyms = store
    .prepare('SELECT short, long, count(*) FROM acronym GROUP BY short, long ORDER BY short, long')
    .raw()
    .all() as [string, string, number][];
  return {
    surfaces: {
      ...surfaces,
      mentions: Int32Array.from(counts.mentions),
      documents: Int32Array.from(counts.documents),
    },
    acronyms: {
      short: acronyms.map((row) => row[0]),
      long: acronyms.map((row) => row[1]),
      documents: Int32Array.from(acronyms, (row) => row[2]),
    },
  };
}

/** Some surfaces, column by column. */
interface SurfaceChunk {
  surface: number[];
  form: string[];
  text: string[];
  type: string[];
}

/** All surfaces by form, text and type. Equal strings side by side become one: there are many of them. */
function* surfaceChunks(store: Store): Generator<SurfaceChunk> {
  const next = store
    .prepare(
      `SELECT json_group_array(surface_id), json_group_array(form), json_group_array(text), json_group_array(type)
       FROM (SELECT surface_id, form, text, type FROM surface WHERE (form, text, type) > (?, ?, ?)
             ORDER BY form, text, type LIMIT ${rowsPerChunk})`,
    )
    .raw();
  const shared = sharedStrings();
  let last = ['', '', ''];
  for (;;) {
    const [surface, form, text, type] = parsedColumns(next.get(...last)) as [
      number[],
      string[],
      string[],
      string[],
    ];
    for (let i = 0; i < surface.length; i++) {
      if (i > 0 && form[i] === form[i - 1]) form[i] = form[i - 1];
      if (text[i] === form[i]) text[i] = form[i];
      type[i] = shared(type[i]);
    }
    yield { surface, form, text, type };
    if (surface.length < rowsPerChunk) return;
    last = [form[rowsPerChunk - 1], text[rowsPerChunk - 1], type[rowsPerChunk - 1]];
  }
}

function parsedColumns(row: unknown): unknown[] {
  return (row as string[]).map((column) => JSON.parse(column) as unknown);
}

/** Of equal strings, always the one that was seen first. */
function sharedStrings(): (text: string) => string {
  const seen = new Map<string, string>();
  return (text) => {
    const known = seen.get(text);
    if (known !== undefined) return known;
    seen.set(text, text);
    return text;
  };
}

/**
 * Ties every surface to its canonical entity, one per (canonical text, type); surfaces that no document
 * mentions any more are dropped. Only what changed since the last time is written. Call it inside the transaction
 * that marks the stage done.
 */
export function writeForms(store: Store, forms: FormColumns): void {
  store.exec(
    'DELETE FROM surface WHERE NOT EXISTS (SELECT 1 FROM mention m WHERE m.surface_id = surface.surface_id)',
  );
  const rowOf = formFinder(forms.form);
  const known = readEntityRows(store);
  const find = store.prepare('SELECT entity_id FROM entity WHERE canonical = ? AND type = ?').pluck();
  const add = store.prepare('INSERT INTO entity (canonical, type, generic) VALUES (?, ?, ?)');
  // Whether each entity that is wanted has only generic surfaces; new ones come after those known.
  const generic = Array.from(known.generic, () => NO_ENTITY);
  const stored = Array.from(known.generic);
  const entityOf = entitiesOfSurfaces(store);
  const wanted = entityOf.slice();
  for (const chunk of surfaceChunks(store)) {
    for (let i = 0; i < chunk.surface.length; i++) {
      const surface = chunk.surface[i];
      const row = rowOf(chunk.form[i]);
      if (row === undefined)
        throw new Error(`Expected a name for each form, found none for ${chunk.form[i]}.`);
      const canonical = forms.canonical[row];
      const type = chunk.type[i];
      let entity = entityOf[surface];
      if (entity === 0 || known.canonical[entity] !== canonical || known.type[entity] !== type) {
        const found = find.get(canonical, type) as number | undefined;
        entity = found ?? (add.run(canonical, type, forms.generic[row]).lastInsertRowid as number);
        wanted[surface] = entity;
        if (found === undefined) stored[entity] = forms.generic[row];
      }
      if (generic[entity] !== 0) generic[entity] = forms.generic[row];
    }
  }

  const tie = store.prepare('UPDATE surface SET entity_id = ? WHERE surface_id = ?');
  for (let surface = 0; surface < wanted.length; surface++) {
    if (wanted[surface] !== entityOf[surface]) tie.run(wanted[surface], surface);
  }
  const dropEntity = store.prepare('DELETE FROM entity WHERE entity_id = ?');
  const setGeneric = store.prepare('UPDATE entity SET generic = ? WHERE entity_id = ?');
  for (let entity = 0; entity < stored.length; entity++) {
    if (stored[entity] === generic[entity]) continue;
    if (generic[entity] === NO_ENTITY) dropEntity.run(entity);
    else setGeneric.run(generic[entity], entity);
  }
  packMissing(store);
}

/**
 * Finds rows of forms that are asked for in SQLite's order, which is theirs but for characters beyond 16 bits.
 * There are millions of forms, and a map of so many takes more memory than they do.
 */
function formFinder(forms: readonly string[]): (form: string) => number | undefined {
  let row = 0;
  return (form) => {
    if (forms[row] === form) return row;
    if (forms[row + 1] === form) return ++row;
    let low = 0;
    let high = forms.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (forms[middle] < form) low = middle + 1;
      else high = middle;
    }
    if (forms[low] !== form) return undefined;
    row = low;
    return row;
  };
}

/** In place of an entity's `generic` where there is no such entity. */
const NO_ENTITY = 2;

/** What is stored of each entity, by id. */
function readEntityRows(store: Store): { canonical: string[]; type: string[]; generic: Uint8Array } {
  const ids = largest(store, 'entity_id', 'entity') + 1;
  // Of full length from the start: ids come in the order of the texts, and arrays with gaps become slow and large.
  const rows = {
    canonical: new Array<string>(ids).fill(''),
    type: new Array<string>(ids).fill(''),
    generic: new Uint8Array(ids).fill(NO_ENTITY),
  };
  for (const { entity, canonical, type, generic } of entityChunks(store)) {
    for (let i = 0; i < entity.length; i++) {
      rows.canonical[entity[i]] = canonical[i];
      rows.type[entity[i]] = type[i];
      rows.generic[entity[i]] = generic[i];
    }
  }
  return rows;
}

function largest(store: Store, column: string, table: string): number {
  return store.prepare(`SELECT coalesce(max(${column}), 0) FROM ${table}`).pluck().get() as number;
}

/** Some entities, column by column. */
interface EntityChunk {
  entity: number[];
  canonical: string[];
  type: string[];
  generic: number[];
}

/** All entities by canonical text and type. */
function* entityChunks(store: Store): Generator<EntityChunk> {
  const next = store
    .prepare(
      `SELECT json_group_array(entity_id), json_group_array(canonical), json_group_array(type),
         json_group_array(generic)
       FROM (SELECT entity_id, canonical, type, generic FROM entity WHERE (canonical, type) > (?, ?)
             ORDER BY canonical, type LIMIT ${rowsPerChunk})`,
    )
    .raw();
  const shared = sharedStrings();
  let last = ['', ''];
  for (;;) {
    const [entity, canonical, type, generic] = parsedColumns(next.get(...last)) as [
      number[],
      string[],
      string[],
      number[],
    ];
    for (let i = 0; i < entity.length; i++) type[i] = shared(type[i]);
    yield { entity, canonical, type, generic };
    if (entity.length < rowsPerChunk) return;
    last = [canonical[rowsPerChunk - 1], type[rowsPerChunk - 1]];
  }
}

/** @returns Int32Array by surface_id: the surface's entity_id, 0 where it has none. */
function entitiesOfSurfaces(store: Store): Int32Array {
  const entityOf = new Int32Array(largest(store, 'surface_id', 'surface') + 1);
  const tied = store
    .prepare(
      `SELECT json_group_array(surface_id), json_group_array(entity_id)
       FROM (SELECT surface_id, entity_id FROM surface WHERE entity_id BETWEEN ? AND ?)`,
    )
    .raw();
  const last = largest(store, 'entity_id', 'entity');
  for (let from = 1; from <= last; from += rowsPerChunk) {
    const [surface, entity] = parsedColumns(tied.get(from, from + rowsPerChunk - 1)) as [number[], number[]];
    for (let i = 0; i < surface.length; i++) entityOf[surface[i]] = entity[i];
  }
  return entityOf;
}

/** Packs the mentions of documents that were tagged before mentions were packed. */
function packMissing(store: Store): void {
  const missing = store
    .prepare(
      `SELECT document_key FROM tagged
       WHERE NOT EXISTS (SELECT 1 FROM document_mentions m WHERE m.document_key = tagged.document_key)`,
    )
    .pluck()
    .all() as number[];
  const pack = mentionPacker(store);
  for (const key of missing) pack(key);
}

/** Every mention as (document row, entity), with the list of entities. */
export function readEntities(store: Store, order: CorpusOrder): EntityColumns {
  const list = { canonical: [] as string[], type: [] as string[], generic: [] as number[] };
  const placeOfEntity = new Int32Array(largest(store, 'entity_id', 'entity') + 1);
  for (const { entity, canonical, type, generic } of entityChunks(store)) {
    for (let i = 0; i < entity.length; i++) {
      placeOfEntity[entity[i]] = list.canonical.length;
      list.canonical.push(canonical[i]);
      list.type.push(type[i]);
      list.generic.push(generic[i]);
    }
  }
  const placeOfSurface = entitiesOfSurfaces(store).map((entity) => placeOfEntity[entity]);

  // Where each document's mentions go.
  const offsets = new Int32Array(order.n + 1);
  const lengths = store
    .prepare('SELECT document_key, length(mentions) FROM document_mentions')
    .raw()
    .iterate();
  for (const [key, length] of lengths as Iterable<[number, number]>) {
    offsets[order.rowOf[key] + 1] = length / packedBytes;
  }
  for (let row = 0; row < order.n; row++) offsets[row + 1] += offsets[row];
  const m = offsets[order.n];
  const columns = {
    list: { ...list, generic: Uint8Array.from(list.generic) },
    document: new Int32Array(m),
    entity: new Int32Array(m),
    score: new Float32Array(m),
  };
  const documents = store.prepare('SELECT document_key, mentions FROM document_mentions').raw().iterate();
  for (const [key, mentions] of documents as Iterable<[number, Buffer]>) {
    const row = order.rowOf[key];
    let to = offsets[row];
    for (let at = 0; at < mentions.length; at += packedBytes, to++) {
      columns.document[to] = row;
      columns.entity[to] = placeOfSurface[mentions.readInt32LE(at)];
      columns.score[to] = mentions.readFloatLE(at + 4);
    }
  }
  return columns;
}
