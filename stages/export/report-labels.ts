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
}

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const LINE_HEIGHT = 1.15;
const MAX_LINES = 2;
/** Between two labels, as a share of the font size. */
const GAP = 0.45;

/** Shifts tried, in box widths and heights: on the spot, above, below, then aside. */
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
];

/**
 * @param anchors In order of importance: an earlier label is never left out for a later one.
 * @param lineCharacters Characters per line; a label has at most two lines.
 * @returns The labels that found a place, in the same order.
 */
export function placeLabels(
  anchors: readonly Anchor[],
  {
    width,
    height,
    fontSize,
    lineCharacters,
  }: { width: number; height: number; fontSize: number; lineCharacters: number },
): PlacedLabel[] {
  const taken: Box[] = [];
  const placed: PlacedLabel[] = [];
  const margin = fontSize * GAP;
  anchors.forEach((anchor, index) => {
    const lines = wrap(anchor.label, lineCharacters);
    const boxWidth = Math.max(...lines.map((line) => textWidth(line, fontSize, 'bold')));
    const boxHeight = lines.length * LINE_HEIGHT * fontSize;
    if (boxWidth + 2 * margin > width || boxHeight + 2 * margin > height) return;
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
      taken.push(box);
      // Capitals stand about 0.75 of the font size above the baseline.
      placed.push({ anchor: index, lines, x, y: y - boxHeight / 2 + fontSize * (LINE_HEIGHT / 2 + 0.36) });
      return;
    }
  });
  return placed;
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

/** Breaks at spaces into at most two lines; what does not fit ends in an ellipsis. */
function wrap(label: string, lineCharacters: number): string[] {
  const lines: string[] = [];
  let rest = label.trim();
  while (rest.length > lineCharacters && lines.length < MAX_LINES - 1) {
    const space = rest.lastIndexOf(' ', lineCharacters);
    // A single word longer than a line is shortened below.
    if (space <= 0) break;
    lines.push(rest.slice(0, space));
    rest = rest.slice(space + 1);
  }
  lines.push(shorten(rest, lineCharacters));
  return lines;
}
