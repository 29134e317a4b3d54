/**
 * Connections whose native objects are never collected while the process lives.
 *
 * From 24.19 on, Node aborts when the garbage collector frees an object of an addon that is built upon its
 * ObjectWrap, as better-sqlite3's up to version 12 are ("Assertion failed: (env) != nullptr", better-sqlite3
 * issue 1515); version 13 is not, but crashes on Node 20. So databases, statements and iterators are kept, and a
 * statement is prepared once per connection and text, which bounds how many there are.
 */

import Database from 'better-sqlite3';

export type Store = Database.Database;
type Statement = Database.Statement<unknown[]>;

/** What must not be collected. */
const kept: unknown[] = [];

/** Opens a file as better-sqlite3 does. A statement that is asked for again comes back in its plain mode. */
export function connect(path: string, options: Database.Options): Store {
  const store = new Database(path, options);
  kept.push(store);
  keepBackups(store);
  const prepareAnew = store.prepare.bind(store) as (sql: string) => Statement;
  const statements = new Map<string, Statement>();
  const prepare = (sql: string): Statement => {
    const found = statements.get(sql);
    // One whose rows are being read belongs to its reader.
    if (found !== undefined && !found.busy) return plain(found);
    const statement = keepIterators(prepareAnew(sql));
    kept.push(statement);
    statements.set(sql, statement);
    return statement;
  };
  const pragma = (source: string, { simple = false } = {}): unknown => {
    const statement = prepare(`PRAGMA ${source}`);
    if (!statement.reader) return statement.run().changes;
    return simple ? statement.pluck().get() : statement.all();
  };
  return Object.assign(store, { prepare, pragma }) as Store;
}

/** A backup under way is such an object too; it is made by the native database, which the store holds by a symbol. */
function keepBackups(store: Store): void {
  const held = store as unknown as Record<symbol, { backup?: (...parameters: unknown[]) => unknown }>;
  for (const symbol of Object.getOwnPropertySymbols(store)) {
    const native = held[symbol];
    const begin = native?.backup;
    if (begin === undefined) continue;
    native.backup = (...parameters) => {
      const backup = begin.apply(native, parameters);
      kept.push(backup);
      return backup;
    };
  }
}

function plain(statement: Statement): Statement {
  return statement.reader ? statement.raw(false).pluck(false) : statement;
}

function keepIterators(statement: Statement): Statement {
  const iterate = statement.iterate.bind(statement);
  statement.iterate = (...parameters) => {
    const rows = iterate(...parameters);
    kept.push(rows);
    return rows;
  };
  return statement;
}
