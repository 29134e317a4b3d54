/** What a command may say, and where: handed in by the command line, which alone prints. */

export interface Console {
  /** A line of the result, to stdout. */
  out(line: string): void;
  /** A line about the work, to stderr. */
  say(line: string): void;
  /** Text that replaces the last shown one where stderr is a terminal; elsewhere nothing. */
  show(text: string): void;
  /** Whether stderr is a terminal. */
  interactive: boolean;
}

/** 12345 → "12,345". */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** 0.1234 → "12.3%". */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

/** 3.2 s, 4 min 05 s, 1 h 02 min. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** Columns two spaces apart: text to the left, numbers to the right. */
export function table(rows: readonly (readonly (string | number)[])[]): string[] {
  const shown = (cell: string | number): string => (typeof cell === 'number' ? count(cell) : cell);
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, shown(cell).length);
    });
  }
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const text = shown(cell);
        return typeof cell === 'number' ? text.padStart(widths[column]) : text.padEnd(widths[column]);
      })
      .join('  ')
      .trimEnd(),
  );
}
