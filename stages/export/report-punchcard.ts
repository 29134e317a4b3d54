/**
 * A punchcard over years as one drawing: a row per topic or entity, a column per year; a circle's area is
 * the row's share that falls into the year, its colour the share of the year's documents that belong to the
 * row, as in the original SciNERTopic. Bars above the columns tell how many documents each year has.
 */

import { coordinate, countOf, escapeHtml, formatCount, formatShare, shorten, textWidth } from './html.ts';
import { light } from './report-style.ts';

/** One row of the card. */
export interface CardRow {
  label: string;
  /** Where the label leads within the report; null for nowhere. */
  link: string | null;
  /** Documents of this row in each year [y]. */
  documents: ArrayLike<number>;
  /** Documents of this row in all years. */
  total: number;
}

export interface Card {
  /** Prefix of the element ids. */
  id: string;
  title: string;
  /** "topic" or "entity": what a row is called in the explanations. */
  rowName: string;
  rows: CardRow[];
  years: number[];
  /** All documents of each year [y]. */
  yearDocuments: ArrayLike<number>;
}

/** Columns drawn at most; the newest are kept. */
const MAX_YEARS = 60;

/** Characters of a row's label on a phone, and on a wide screen beside many years or few. */
const NARROW_LABEL = 17;
const WIDE_LABEL = 34;
const WIDEST_LABEL = 52;
const FEW_YEARS = 36;
const LABEL_FONT = 12;
/** Labels and years together, as wide as the page's text. */
const WIDTH = 1112;
const MIN_CELL = 14;
const MAX_CELL = 34;
const ROW_HEIGHT = 22;
const BAR_HEIGHT = 44;
/** Foot of the bars. */
const BASE = BAR_HEIGHT + 14;
const TOP = BASE + 24;
/** Beside the columns, so that no year number is cut. */
const SIDE = 10;
/** Below this radius a circle would not be seen at all. */
const MIN_RADIUS = 1.3;

/**
 * The labels stand still beside the drawing, which is scrolled on a small screen, from the newest year back.
 *
 * @returns Legend, drawing and caption as pieces of HTML.
 */
export function* punchcard(card: Card): Generator<string> {
  const from = Math.max(0, card.years.length - MAX_YEARS);
  const columns = card.years.slice(from);
  const height = TOP + card.rows.length * ROW_HEIGHT + 24;
  const mostInYear = Math.max(...columns.map((_, column) => card.yearDocuments[from + column]));
  const labels = [
    labelColumn(card, mostInYear, 'wide', columns.length <= FEW_YEARS ? WIDEST_LABEL : WIDE_LABEL, height),
    labelColumn(card, mostInYear, 'narrow', NARROW_LABEL, height),
  ];
  const cell = Math.min(
    Math.max(Math.floor((WIDTH - labels[0].width - 2 * SIDE) / columns.length), MIN_CELL),
    MAX_CELL,
  );
  const width = columns.length * cell + 2 * SIDE;

  const rowShare = (row: CardRow, column: number): number =>
    row.total === 0 ? 0 : row.documents[from + column] / row.total;
  const yearShare = (row: CardRow, column: number): number =>
    row.documents[from + column] === 0 ? 0 : row.documents[from + column] / card.yearDocuments[from + column];
  let largest = 0;
  const shares: number[] = [];
  for (const row of card.rows) {
    for (let column = 0; column < columns.length; column++) {
      largest = Math.max(largest, rowShare(row, column));
      const found = yearShare(row, column);
      if (found > 0) shares.push(found);
    }
  }
  const borders = colourBorders(shares);
  const maxRadius = Math.min(cell, ROW_HEIGHT) / 2 - 0.5;
  const radiusOf = (share: number): number => Math.max(MIN_RADIUS, maxRadius * Math.sqrt(share / largest));

  yield '<figure>';
  yield legend(card, largest, radiusOf, borders);
  yield `<div class="card">${labels.map((column) => column.svg).join('')}<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(card.title)}"><svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="group" aria-labelledby="${card.id}-title ${card.id}-description">
<title id="${card.id}-title">${escapeHtml(card.title)}</title>
<desc id="${card.id}-description">${countOf(card.rows.length, 'row')}, ${columns[0]} to ${columns[columns.length - 1]}. Larger circles: more of the ${card.rowName}'s documents fall into that year. Stronger colour: more of that year's documents belong to the ${card.rowName}.</desc>
`;
  yield yearBars(card, from, columns, mostInYear, cell);
  yield ticks(columns, cell, TOP - 10);
  for (const [r, row] of card.rows.entries()) {
    const y = rowMiddle(r);
    let piece = `<g><path class="rule" d="M${SIDE} ${y}H${width - SIDE}"/>`;
    for (let column = 0; column < columns.length; column++) {
      const documents = row.documents[from + column];
      if (documents === 0) continue;
      const ofRow = rowShare(row, column);
      const ofYear = yearShare(row, column);
      const step = borders.findIndex((border) => ofYear < border);
      piece += `<circle cx="${coordinate(SIDE + (column + 0.5) * cell)}" cy="${y}" r="${coordinate(radiusOf(ofRow))}" class="s${step < 0 ? borders.length : step}"><title>${escapeHtml(shorten(row.label, 60))}, ${columns[column]}: ${countOf(documents, 'document')}, ${formatShare(ofRow)} of the ${card.rowName}, ${formatShare(ofYear)} of the year</title></circle>`;
    }
    yield `${piece}</g>\n`;
  }
  yield ticks(columns, cell, height - 8);
  yield '</svg></div></div>\n';
  if (from > 0) {
    yield `<figcaption>The last ${MAX_YEARS} of ${card.years.length} years are drawn, from ${columns[0]}; the table has all, from ${card.years[0]}.</figcaption>\n`;
  }
  yield '</figure>\n';
}

/** Where the line of a row runs. */
function rowMiddle(row: number): number {
  return TOP + row * ROW_HEIGHT + ROW_HEIGHT / 2;
}

function labelColumn(
  card: Card,
  mostInYear: number,
  name: string,
  characters: number,
  height: number,
): { width: number; svg: string } {
  const labels = card.rows.map((row) => shorten(row.label, characters));
  const widest = Math.max(
    textWidth('documents', LABEL_FONT),
    ...labels.map((label) => textWidth(label, LABEL_FONT)),
  );
  const width = Math.ceil(widest) + 8;
  const rows = card.rows.map((row, r) => {
    const text = `<text x="${width - 4}" y="${rowMiddle(r) + 4}">${escapeHtml(labels[r])}<title>${escapeHtml(row.label)}: ${countOf(row.total, 'document')}</title></text>`;
    return row.link === null ? text : `<a href="${escapeHtml(row.link)}">${text}</a>`;
  });
  return {
    width,
    svg: `<svg class="labels ${name}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="group" aria-label="Rows">
<text class="note" x="${width - 4}" y="22">${formatCount(mostInYear)}</text><text class="note" x="${width - 4}" y="${BASE}">documents</text>
${rows.join('\n')}
</svg>`,
  };
}

/**
 * Shares at which the colour changes, ascending: five neighbours in the series 1, 2, 5, 10 …, around the
 * median, so that the colours are used whether there are five topics or two hundred.
 */
function colourBorders(shares: number[]): number[] {
  const series = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
  const wanted = light.steps.length - 1;
  const median = shares.length === 0 ? 0.01 : shares.sort((a, b) => a - b)[Math.floor(shares.length / 2)];
  const above = series.findIndex((border) => border > median);
  const middle = above < 0 ? series.length - 1 : above;
  const start = Math.min(Math.max(middle - Math.ceil(wanted / 2), 0), series.length - wanted);
  return series.slice(start, start + wanted);
}

function legend(card: Card, largest: number, radiusOf: (share: number) => number, borders: number[]): string {
  const circle = (radius: number, kind: string): string => {
    const size = Math.ceil(radius * 2 + 2);
    return `<svg width="${size}" height="${size}" aria-hidden="true"><circle cx="${size / 2}" cy="${size / 2}" r="${coordinate(radius)}" class="${kind}"/></svg>`;
  };
  const percent = (share: number): string => `${Number((share * 100).toPrecision(2))}%`;
  const sizes = (largest === 0 ? [] : [largest / 10, largest / 3, largest]).map(
    (share) => `<span>${circle(radiusOf(share), 'size')}${percent(share)}</span>`,
  );
  const colours = [...borders, null].map((border, step) => {
    const text =
      border === null
        ? `${percent(borders[step - 1])} and more`
        : step === 0
          ? `under ${percent(border)}`
          : `${percent(borders[step - 1])}–${percent(border)}`;
    return `<span>${circle(7, `s${step}`)}${text}</span>`;
  });
  return `<ul class="key"><li>Area: share of the ${card.rowName}’s documents ${sizes.join(' ')}</li><li>Colour: share of the year’s documents ${colours.join(' ')}</li></ul>\n`;
}

/** Documents of each year, so that a large share of a thin year is seen for what it is. */
function yearBars(card: Card, from: number, columns: number[], mostInYear: number, cell: number): string {
  const bars = columns.map((year, column) => {
    const documents = card.yearDocuments[from + column];
    const height = (BAR_HEIGHT * documents) / mostInYear;
    return `<rect class="bar" x="${coordinate(SIDE + column * cell + 1.5)}" y="${coordinate(BASE - height)}" width="${cell - 3}" height="${coordinate(height)}"><title>${year}: ${countOf(documents, 'document')}</title></rect>`;
  });
  return `<path class="rule" d="M${SIDE} ${BASE}h${columns.length * cell}"/>${bars.join('')}\n`;
}

/** Year numbers, as many as fit side by side. */
function ticks(columns: number[], cell: number, y: number): string {
  const needed = textWidth('2000', 11) + 6;
  const step = [1, 2, 5, 10, 20, 50].find((years) => years * cell >= needed) ?? 100;
  return `${columns
    .map((year, column) =>
      year % step === 0
        ? `<text class="tick" x="${coordinate(SIDE + (column + 0.5) * cell)}" y="${y}" text-anchor="middle">${year}</text>`
        : '',
    )
    .join('')}\n`;
}
