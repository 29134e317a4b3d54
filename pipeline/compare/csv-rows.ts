/** Reads back the tables that the export stage writes: RFC 4180, UTF-8, header first. */

import { createReadStream } from 'node:fs';
import { UserError } from '../errors.ts';

/** Longer cells are no cells of ours. */
const maxCellCharacters = 1 << 24;

/** What a spreadsheet would run as a formula was given an apostrophe in front. */
const guarded = /^'[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/**
 * Rows of a table, one after the other, as the cells of the columns that are asked for.
 *
 * @throws UserError when the file has no such column or is no table.
 */
export async function* csvRows(path: string, columns: readonly string[]): AsyncGenerator<string[]> {
  let places: number[] | null = null;
  for await (const cells of allRows(path)) {
    if (places === null) {
      places = columns.map((column) => cells.indexOf(column));
      const missing = columns[places.indexOf(-1)];
      if (missing !== undefined)
        throw new UserError(`${path} has no column ${missing}; it is no table of a run.`);
      continue;
    }
    yield places.map((place) => unguarded(cells[place] ?? ''));
  }
}

function unguarded(cell: string): string {
  return guarded.test(cell) ? cell.slice(1) : cell;
}

async function* allRows(path: string): AsyncGenerator<string[]> {
  let row: string[] = [];
  let cell = '';
  // A quote inside quotes is either the first of a pair or the end: the next character tells.
  let state: 'plain' | 'quoted' | 'quote' = 'plain';
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 18 })) {
    const text = chunk as string;
    for (let at = 0; at < text.length; ) {
      if (state === 'quoted') {
        const quote = text.indexOf('"', at);
        const end = quote < 0 ? text.length : quote;
        cell += text.slice(at, end);
        if (quote >= 0) state = 'quote';
        at = end + 1;
      } else if (state === 'quote' && text[at] === '"') {
        cell += '"';
        state = 'quoted';
        at++;
      } else {
        state = 'plain';
        const character = text[at++];
        if (character === '"') state = 'quoted';
        else if (character === ',' || character === '\n') {
          row.push(cell);
          cell = '';
          if (character === '\n') {
            yield row;
            row = [];
          }
        } else if (character !== '\r') cell += character;
      }
    }
    if (cell.length > maxCellCharacters)
      throw new UserError(`${path} is no table: it has a cell without end.`);
  }
  if (cell !== '' || row.length > 0) yield [...row, cell];
}
