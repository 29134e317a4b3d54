import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FormColumns, Tagged } from '../../pipeline/contract.ts';
import { readOrder } from '../../pipeline/store/documents.ts';
import { readEntities, readSurfaceCounts, writeForms, writeTagged } from '../../pipeline/store/entities.ts';
import { openDatabase, type Store } from '../../pipeline/store/open.ts';

/** A mention: text, type, start. Its form is the text in lower case; its score is in the start, so that it can be told. */
type Mention = readonly [text: string, type: string, start: number];

function newStore(documents: number): Store {
  const store = openDatabase(join(mkdtempSync(join(tmpdir(), 'scinertopic-entities-')), 'pipeline.db'));
  const add = store.prepare(
    "INSERT INTO document (document_key, id, order_key, title, abstract, year, doi, source, extra, content_hash) VALUES (?, ?, ?, '', '', NULL, NULL, '', '{}', 'hash')",
  );
  // The corpus order is the reverse of the keys.
  for (let key = 1; key <= documents; key++) add.run(key, `id ${key}`, documents - key);
  return store;
}

function tag(store: Store, key: number, mentions: readonly Mention[]): void {
  const tagged: Tagged = {
    mentions: {
      document: new Int32Array(mentions.length),
      field: new Uint8Array(mentions.length),
      start: Int32Array.from(mentions, ([, , start]) => start),
      end: Int32Array.from(mentions, ([text, , start]) => start + text.length),
      text: mentions.map(([text]) => text),
      type: mentions.map(([, type]) => type),
      score: Float32Array.from(mentions, ([, , start]) => start / 64),
      form: mentions.map(([text]) => text.toLowerCase()),
    },
    acronyms: { document: new Int32Array(0), short: [], long: [] },
  };
  writeTagged(store, [key], ['hash'], 'work', tagged);
}

/** Forms of all surfaces: as they are, but for the names given. */
function nameForms(
  store: Store,
  names: Readonly<Record<string, string>> = {},
  generic: readonly string[] = [],
): void {
  const form = [...new Set(readSurfaceCounts(store).surfaces.form)].sort();
  const forms: FormColumns = {
    form,
    canonical: form.map((key) => names[key] ?? key),
    generic: Uint8Array.from(form, (key) => (generic.includes(key) ? 1 : 0)),
  };
  store.transaction(() => writeForms(store, forms)).immediate();
}

/** Every mention as document row, entity, type, whether generic, score × 64. */
function mentionsOf(store: Store): string[] {
  const { list, document, entity, score } = readEntities(store, readOrder(store));
  return Array.from(
    document,
    (row, m) =>
      `${row} ${list.canonical[entity[m]]} ${list.type[entity[m]]} ${list.generic[entity[m]]} ${score[m] * 64}`,
  );
}

describe('entities', () => {
  it('come back in corpus order, then in reading order, the list by canonical text and type', () => {
    const store = newStore(3);
    tag(store, 1, [
      ['BERT', 'Method', 2],
      ['parsing', 'Task', 9],
    ]);
    tag(store, 3, [
      ['Parsing', 'Task', 1],
      ['bert', 'Method', 4],
      ['bert', 'Material', 4],
    ]);
    nameForms(store, { bert: 'BERT' }, ['parsing']);
    expect(mentionsOf(store)).toEqual([
      '0 parsing Task 1 1',
      '0 BERT Method 0 4',
      '0 BERT Material 0 4',
      '2 BERT Method 0 2',
      '2 parsing Task 1 9',
    ]);
    const { list } = readEntities(store, readOrder(store));
    expect(list.canonical).toEqual(['BERT', 'BERT', 'parsing']);
    expect(list.type).toEqual(['Material', 'Method', 'Task']);
    expect(store.prepare('SELECT DISTINCT canonical FROM entities ORDER BY 1').pluck().all()).toEqual([
      'BERT',
      'parsing',
    ]);
  });

  it('are the same whether forms are named night by night or all at once', () => {
    const nights: [number, Mention[]][] = [
      [
        1,
        [
          ['A', 'x', 0],
          ['b', 'y', 3],
        ],
      ],
      [
        2,
        [
          ['a', 'x', 1],
          ['c', 'x', 5],
        ],
      ],
      [
        1,
        [
          ['c', 'x', 2],
          ['d', 'y', 7],
        ],
      ],
      [3, [['B', 'y', 1]]],
    ];
    const names = { a: 'Alpha', c: 'Alpha' };
    const nightly = newStore(3);
    for (const [i, [key, mentions]] of nights.entries()) {
      tag(nightly, key, mentions);
      nameForms(nightly, i % 2 === 0 ? {} : names, i === 1 ? ['b'] : []);
    }
    nameForms(nightly, names);
    const atOnce = newStore(3);
    for (const [key, mentions] of nights) tag(atOnce, key, mentions);
    nameForms(atOnce, names);
    expect(mentionsOf(nightly)).toEqual(mentionsOf(atOnce));
    expect(readEntities(nightly, readOrder(nightly)).list).toEqual(
      readEntities(atOnce, readOrder(atOnce)).list,
    );
    // What no document mentions any more is gone: b of document 1 was b alone, and document 3 writes B.
    expect(nightly.prepare('SELECT text FROM surface ORDER BY text').pluck().all()).toEqual([
      'B',
      'a',
      'c',
      'd',
    ]);
  });

  it('naming forms again as they are writes nothing', () => {
    const store = newStore(2);
    tag(store, 1, [['A', 'x', 0]]);
    tag(store, 2, [['b', 'y', 0]]);
    nameForms(store);
    const before = store.prepare('SELECT total_changes()').pluck().get();
    nameForms(store);
    expect(store.prepare('SELECT total_changes()').pluck().get()).toBe(before);
  });

  it('vanish with their document', () => {
    const store = newStore(2);
    tag(store, 1, [['A', 'x', 0]]);
    tag(store, 2, [['b', 'y', 0]]);
    store.prepare('DELETE FROM document WHERE document_key = 1').run();
    nameForms(store);
    expect(mentionsOf(store)).toEqual(['0 b y 0 0']);
    expect(store.prepare('SELECT count(*) FROM entity').pluck().get()).toBe(1);
  });

  it('of forms that JavaScript and SQLite sort in two ways are told apart', () => {
    const store = newStore(1);
    // U+1D49C is two code units below U+FF21, and a greater code point.
    const texts = ['𝒜 b', 'Ａ b', 'z', '𝒜 a', 'Ａ a'];
    tag(
      store,
      1,
      texts.map((text, i): Mention => [text, 'x', i * 8]),
    );
    nameForms(store, { z: 'Z' });
    nameForms(store, { z: 'Z' });
    const expected = texts.map((text) => (text === 'z' ? 'Z' : text.toLowerCase()));
    expect(mentionsOf(store)).toEqual(expected.map((name, i) => `0 ${name} x 0 ${i * 8}`));
  });

  it('of documents tagged before mentions were packed are packed when forms are named', () => {
    const store = newStore(1);
    tag(store, 1, [['A', 'x', 3]]);
    store.exec('DELETE FROM document_mentions');
    nameForms(store);
    expect(mentionsOf(store)).toEqual(['0 a x 0 3']);
  });

  it('counts surfaces by form, text and type, mentions and documents apart', () => {
    const store = newStore(2);
    tag(store, 1, [
      ['B', 'y', 0],
      ['b', 'y', 4],
      ['B', 'y', 8],
    ]);
    tag(store, 2, [
      ['B', 'y', 0],
      ['a', 'x', 4],
    ]);
    const { surfaces } = readSurfaceCounts(store);
    expect(surfaces).toEqual({
      form: ['a', 'b', 'b'],
      text: ['a', 'B', 'b'],
      type: ['x', 'y', 'y'],
      mentions: Int32Array.of(1, 3, 1),
      documents: Int32Array.of(1, 2, 1),
    });
  });
});
