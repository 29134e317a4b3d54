import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { csvRows } from '../../pipeline/compare/csv-rows.ts';
import { UserError } from '../../pipeline/errors.ts';
import { csvTable, textCell } from '../../stages/export/csv-table.ts';

const folder = mkdtempSync(join(tmpdir(), 'scinertopic-csv-'));

async function read(text: string, columns: string[]): Promise<string[][]> {
  const path = join(folder, 'table.csv');
  writeFileSync(path, text);
  const rows: string[][] = [];
  for await (const row of csvRows(path, columns)) rows.push(row);
  return rows;
}

describe('csvRows', () => {
  it('reads back what the export stage writes', async () => {
    const texts = [
      'plain',
      'a, b',
      'she said "yes"',
      '"',
      'two\r\nlines',
      '=1+1',
      "'tis",
      '',
      'é 漢 😀',
      ',"",',
    ];
    const { content } = csvTable('t.csv', ['n', 'text'], () =>
      texts.map((text, n) => [String(n), textCell(text)]),
    );
    expect(await read([...content].join(''), ['text', 'n'])).toEqual(
      texts.map((text, n) => [text, String(n)]),
    );
  });

  it('reads cells across the borders of the pieces that a file is read in', async () => {
    const long = `${'x"y\n'.repeat(200_000)}end`;
    const rows = await read(`a,b\r\n${textCell(long)},1\r\n${textCell(long)},2\r\n`, ['a', 'b']);
    expect(rows.map(([text, n]) => [text === long, n])).toEqual([
      [true, '1'],
      [true, '2'],
    ]);
  });

  it('takes a last line without an end, and refuses a table without the column', async () => {
    expect(await read('a,b\n1,2', ['b'])).toEqual([['2']]);
    await expect(read('a,b\n1,2', ['c'])).rejects.toThrow(UserError);
  });
});
