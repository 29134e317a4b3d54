/** Places for the topic labels on the map: largest topic first, none over another, none over the edge. */

import { shorten, textWidth } from './html.ts';

/** A label to place; x and y in the map's units. */
export interface Anchor {
  label: string;
  x: number;
  y: number;
}

/** A label with its place: (x, y) is the middle of the first line's baseline. */
export interface PlacedLabel {
  /** Index into the anchors. */
  anchor: number;
  lines: string[];
  x: number;
  y: number;
  /** Where a line to the label's own place starts, when the label stands beside it; null when it stands on it. */
  lead: { x: number; y: number } | null;
}

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const LINE_HEIGHT = 1.15;
/** Between two labels, as a share of the font size. */
const GAP = 0.45;

/** Places tried around a label's own, in box widths and heights. */
const shifts: readonly (readonly [number, number])[] = [
  [0, 0],
  [0, -0.7],
  [0, 0.7],
  [-0.55, 0],
  [0.55, 0],
  [0, -1.3],
  [0, 1.3],
  [-0.55, -0.8],
  [0.55, -0.8],
  [-0.55, 0.8],
  [0.55, 0.8],
  [0, -1.9],
  [0, 1.9],
];

/** What moving a label by its font size costs, in dots that it might cover instead. */
const COST_OF_DISTANCE = 1.5;

/** Side of the squares in which dots are counted, in the map's units. */
const SQUARE = 8;

export interface LabelRoom {
  width: number;
  height: number;
  fontSize: number;
  /** Characters per line. */
  lineCharacters: number;
  maxLines: number;
}

/**
 * Each label takes the place that covers fewest dots without going far.
 *
 * @param anchors In order of importance: an earlier label is never left out for a later one.
 * @param dots What labels should rather not cover.
 * @returns The labels that found a place, in the same order.
 */
export function placeLabels(
  anchors: readonly Anchor[],
  dots: readonly { x: number; y: number }[],
  room: LabelRoom,
): PlacedLabel[] {
  const { width, height, fontSize } = room;
  const countDots = dotCounter(dots, width, height);
  const taken: Box[] = [];
  const placed: PlacedLabel[] = [];
  const margin = fontSize * GAP;
  anchors.forEach((anchor, index) => {
    const lines = wrap(anchor.label, room.lineCharacters, room.maxLines);
    const boxWidth = Math.max(...lines.map((line) => textWidth(line, fontSize, 'bold')));
    const boxHeight = lines.length * LINE_HEIGHT * fontSize;
    if (boxWidth + 2 * margin > width || boxHeight + 2 * margin > height) return;
    let best: { cost: number; box: Box; x: number; y: number } | null = null;
    for (const [alongX, alongY] of shifts) {
      // A label at the rim is pushed inside rather than dropped.
      const x = within(anchor.x + alongX * boxWidth, boxWidth / 2 + margin, width - boxWidth / 2 - margin);
      const y = within(
        anchor.y + alongY * boxHeight,
        boxHeight / 2 + margin,
        height - boxHeight / 2 - margin,
      );
      const box = {
        left: x - boxWidth / 2 - margin,
        top: y - boxHeight / 2 - margin / 2,
        right: x + boxWidth / 2 + margin,
        bottom: y + boxHeight / 2 + margin / 2,
      };
      if (taken.some((other) => overlap(box, other))) continue;
      const distance = Math.hypot(x - anchor.x, y - anchor.y) / fontSize;
      const cost = countDots(box) + COST_OF_DISTANCE * distance;
      if (best === null || cost < best.cost) best = { cost, box, x, y };
    }
    if (best === null) return;
    taken.push(best.box);
    // Capitals stand about 0.75 of the font size above the baseline.
    const y = best.y - boxHeight / 2 + fontSize * (LINE_HEIGHT / 2 + 0.36);
    placed.push({ anchor: index, lines, x: best.x, y, lead: leadOf(anchor, best.box) });
  });
  return placed;
}

/** The point of the box nearest to the anchor, unless the box holds the anchor. */
function leadOf(anchor: Anchor, box: Box): { x: number; y: number } | null {
  const x = within(anchor.x, box.left, box.right);
  const y = within(anchor.y, box.top, box.bottom);
  return x === anchor.x && y === anchor.y ? null : { x, y };
}

/** Counts the dots in a box, to the nearest squares. */
function dotCounter(
  dots: readonly { x: number; y: number }[],
  width: number,
  height: number,
): (box: Box) => number {
  const columns = Math.ceil(width / SQUARE) + 1;
  const rows = Math.ceil(height / SQUARE) + 1;
  const square = (value: number, count: number): number => within(Math.floor(value / SQUARE), 0, count - 1);
  const counts = new Int32Array(columns * rows);
  for (const { x, y } of dots) counts[square(y, rows) * columns + square(x, columns)]++;
  return ({ left, right, top, bottom }) => {
    let found = 0;
    for (let row = square(top, rows); row <= square(bottom, rows); row++) {
      for (let column = square(left, columns); column <= square(right, columns); column++) {
        found += counts[row * columns + column];
      }
    }
    return found;
  };
}

/** Distance between the baselines of a label's lines. */
export function lineStep(fontSize: number): number {
  return fontSize * LINE_HEIGHT;
}

function within(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** Breaks at spaces; what does not fit ends in an ellipsis. */
function wrap(label: string, lineCharacters: number, maxLines: number): string[] {
  const lines: string[] = [];
  let rest = label.trim();
  while (rest.length > lineCharacters && lines.length < maxLines - 1) {
    const space = rest.lastIndexOf(' ', lineCharacters);
    // A single word longer than a line is shortened below.
    if (space <= 0) break;
    lines.push(rest.slice(0, space));
    rest = rest.slice(space + 1);
  }
  lines.push(shorten(rest, lineCharacters));
  return lines;
}
