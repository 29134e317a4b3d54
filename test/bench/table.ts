/** Plain aligned tables: a title, a header, a rule, numbers to the right. */

/** A cell that is null was not measured and shows as a dash. */
export type Cell = string | number | null;

/** Prints a table below its title and an empty line; nothing at all when no row was measured. */
export function printTable(
  print: (line: string) => void,
  title: string,
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
): void {
  if (rows.length === 0) return;
  print('');
  print(title);
  for (const line of alignedTable(header, rows)) print(line);
}

/**
 * @param header Column names, units included.
 * @param rows One cell per column; numbers are shown as they come from {@link figure}.
 */
function alignedTable(header: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const shown = rows.map((row) => row.map(show));
  const isNumeric = header.map((_, c) => rows.every((row) => typeof row[c] !== 'string'));
  const widths = header.map((name, c) => Math.max(name.length, ...shown.map((row) => row[c].length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, c) => (isNumeric[c] ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
      .join('  ')
      .trimEnd();
  return [line(header), widths.map((width) => '-'.repeat(width)).join('  '), ...shown.map(line)];
}

function show(cell: Cell): string {
  if (cell === null || (typeof cell === 'number' && Number.isNaN(cell))) return '-';
  return typeof cell === 'number' ? figure(cell) : cell;
}

/** Whole numbers in full, others with three significant digits or four decimals, whichever is shorter. */
export function figure(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  const magnitude = Math.abs(value);
  if (magnitude >= 100) return Math.round(value).toLocaleString('en-US');
  if (magnitude >= 10) return value.toFixed(1);
  if (magnitude >= 1) return value.toFixed(2);
  return value.toFixed(4);
}
