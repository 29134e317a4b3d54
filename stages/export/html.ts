/** How text and numbers are written into the report: every text escaped, numbers as a person reads them. */

const entityOf: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Safe both between tags and inside a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entityOf[character]);
}

/** At most `length` characters, an ellipsis included, cut at a word where one ends near enough. */
export function shorten(text: string, length: number): string {
  const characters = Array.from(text);
  if (characters.length <= length) return text;
  const cut = characters.slice(0, length - 1).join('');
  const space = cut.lastIndexOf(' ');
  return `${(space > cut.length * 0.5 ? cut.slice(0, space) : cut).replace(/[\s,;:–-]+$/u, '')}…`;
}

/** 51396 as 51,396. */
export function formatCount(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** "1 document", "2 documents". */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** 0.0123 as 1.2%; what is there but rounds to nothing shows as <0.1%. */
export function formatShare(share: number): string {
  if (share > 0 && share < 0.0005) return '<0.1%';
  const percent = share * 100;
  return `${percent.toFixed(percent >= 99.95 || percent === 0 ? 0 : 1)}%`;
}

/** A coordinate of a drawing: tenths of a unit are finer than any screen shows. */
export function coordinate(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/**
 * Width of a line of text in the report's sans-serif, in the unit of `fontSize`. Widths are those of DejaVu
 * Sans, the widest face the font list can fall back to, so that what fits here fits everywhere.
 */
export function textWidth(text: string, fontSize: number, weight: 'regular' | 'bold' = 'regular'): number {
  let width = 0;
  for (const character of text) {
    if (character > '\u2e80') width += 1;
    else if ("ijlI|!.,:;'’".includes(character)) width += 0.32;
    else if ('ftr()[]/- "'.includes(character)) width += 0.4;
    else if ('mwMW@%&…—'.includes(character)) width += 0.96;
    else if (character >= 'A' && character <= 'Z') width += 0.72;
    else width += 0.62;
  }
  return width * fontSize * (weight === 'bold' ? 1.13 : 1);
}
