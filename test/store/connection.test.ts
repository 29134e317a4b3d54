import { describe, expect, it } from 'vitest';
import { connect } from '../../pipeline/store/connection.ts';

function numbers() {
  const store = connect(':memory:', {});
  store.exec('CREATE TABLE number (n INTEGER); INSERT INTO number VALUES (1), (2), (3)');
  return store;
}

describe('connect', () => {
  const query = 'SELECT n FROM number ORDER BY n';

  it('prepares a text once and hands it back in its plain mode', () => {
    const store = numbers();
    const first = store.prepare(query).pluck();
    expect(first.all()).toEqual([1, 2, 3]);
    const again = store.prepare(query);
    expect(again).toBe(first);
    expect(again.all()).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(store.prepare(query).raw().get()).toEqual([1]);
    expect(store.prepare(query).get()).toEqual({ n: 1 });
  });

  it('gives another statement while the rows of the first are being read', () => {
    const store = numbers();
    const pairs: unknown[] = [];
    for (const a of store.prepare(query).pluck().iterate()) {
      for (const b of store.prepare(query).pluck().iterate()) pairs.push([a, b]);
    }
    expect(pairs).toHaveLength(9);
    expect(pairs.at(-1)).toEqual([3, 3]);
  });

  it('reads and sets pragmas', () => {
    const store = numbers();
    store.pragma('user_version = 7');
    expect(store.pragma('user_version', { simple: true })).toBe(7);
    expect(store.pragma('user_version')).toEqual([{ user_version: 7 }]);
    store.transaction(() => store.prepare('DELETE FROM number WHERE n = ?').run(2))();
    expect(store.prepare(query).pluck().all()).toEqual([1, 3]);
  });
});
