/**
 * The topic map as one drawing: a dot per document, thinned out in large corpora, and the topics' labels at
 * three sizes, of which the style sheet shows the one that fits the screen.
 *
 * Vega would take 0.14 CPU s to load, and its colours could not follow the reader's light or dark theme.
 */

import type { ExportInput } from '../../pipeline/contract.ts';
import type { Counts } from './counts.ts';
import { coordinate, countOf, escapeHtml, formatCount } from './html.ts';
import { type Anchor, lineStep, placeLabels } from './report-labels.ts';
import { light } from './report-style.ts';

/** Dots drawn at most: a browser still scrolls smoothly, and the file stays small. */
export const MAX_DOTS = 6000;
/** Dots that a thinned topic keeps if it has them, so that small topics do not vanish. */
const LEAST_DOTS = 12;

const WIDTH = 1000;
const MIN_HEIGHT = 560;
const MAX_HEIGHT = 820;
const MARGIN = 36;

/** Share of documents on each side that may lie outside the frame, when they would squeeze the rest. */
const TAIL = 0.002;
/** How far beyond the tails the frame reaches, in spans between them. */
const REACH = 0.06;

/** Font sizes in the map's units: 1000 of them are 1112, about 600 and about 340 pixels. */
const labelSizes = [
  { name: 'wide', fontSize: 13, lineCharacters: 24 },
  { name: 'medium', fontSize: 19, lineCharacters: 22 },
  { name: 'narrow', fontSize: 33, lineCharacters: 18 },
];

/** Up to this many topics there is room for a third line. */
const FEW_TOPICS = 40;

interface Frame {
  height: number;
  place(x: number, y: number): { x: number; y: number };
  holds(x: number, y: number): boolean;
}

/** @returns The figure as pieces of HTML. */
export function* topicMap(input: ExportInput, counts: Counts, bySize: readonly number[]): Generator<string> {
  const n = input.documents.id.length;
  const { topics, positions } = input;
  const frame = frameOf(positions, n);
  const dots = thinned(counts, topics.topicId.length);
  const marks = marksOf(input, bySize);
  // The style sheet knows how large each kind is drawn.
  const density = dots.length <= 500 ? 'few' : dots.length <= 2000 ? 'some' : 'many';

  // One path per topic; a dot is a line of no length with round ends.
  const pathOf = new Map<number, string>();
  const places: { x: number; y: number }[] = [];
  let outside = 0;
  for (const row of dots) {
    const [x, y] = [positions.x[row], positions.y[row]];
    if (!frame.holds(x, y)) {
      outside++;
      continue;
    }
    const place = frame.place(x, y);
    const topic = counts.topicOf[row];
    pathOf.set(topic, `${pathOf.get(topic) ?? ''}M${coordinate(place.x)} ${coordinate(place.y)}h.01`);
    places.push(place);
  }

  const anchors = bySize.map((topic): Anchor => {
    const place = frame.place(topics.x[topic], topics.y[topic]);
    return { label: topics.label[topic], x: place.x, y: place.y };
  });
  const maxLines = bySize.length <= FEW_TOPICS ? 3 : 2;
  const labels = labelSizes.map(({ fontSize, lineCharacters }) =>
    placeLabels(anchors, places, { width: WIDTH, height: frame.height, fontSize, lineCharacters, maxLines }),
  );

  yield `<figure><svg class="map ${density}" viewBox="0 0 ${WIDTH} ${frame.height}" role="group" aria-labelledby="map-title map-description">
<title id="map-title">Topic map</title>
<desc id="map-description">${countOf(places.length, 'document')} as dots; documents with similar text lie near each other. Each topic has one colour and, where there is room, its label at its most central document. Outliers are grey.</desc>
`;
  const outlierPath = pathOf.get(-1);
  if (outlierPath !== undefined) {
    yield `<g class="outliers"><title>Outliers: ${countOf(counts.outliers, 'document')} in no topic</title><path d="${outlierPath}"/></g>\n`;
  }
  // Large topics first, so that small ones are not buried.
  for (const topic of bySize) {
    const path = pathOf.get(topic);
    if (path === undefined) continue;
    yield `<g class="topic m${marks[topic]}"><title>${escapeHtml(topics.label[topic])}: ${countOf(topics.size[topic], 'document')}</title><path d="${path}"/></g>\n`;
  }
  for (const [i, { name, fontSize }] of labelSizes.entries()) {
    yield `<g class="${name}" font-size="${fontSize}">\n`;
    // Lines first, so that they run behind the text.
    const leaders = labels[i].map(({ anchor, lead }) =>
      lead === null
        ? ''
        : `M${coordinate(lead.x)} ${coordinate(lead.y)}L${coordinate(anchors[anchor].x)} ${coordinate(anchors[anchor].y)}`,
    );
    yield `<path class="leaders" d="${leaders.join('')}"/>\n`;
    for (const { anchor, lines, x, y } of labels[i]) {
      const topic = bySize[anchor];
      const spans = lines.map(
        (line, l) =>
          `<tspan x="${coordinate(x)}" y="${coordinate(y + l * lineStep(fontSize))}">${escapeHtml(line)}</tspan>`,
      );
      yield `<a href="#topic-${topics.topicId[topic]}"><title>${escapeHtml(topics.label[topic])}: ${countOf(topics.size[topic], 'document')}</title><text>${spans.join(' ')}</text></a>\n`;
    }
    yield '</g>\n';
  }
  yield `</svg>\n<figcaption>${caption({ n, drawn: places.length, outside, c: bySize.length, labelled: labels[0].length })}</figcaption></figure>\n`;
}

function caption(told: { n: number; drawn: number; outside: number; c: number; labelled: number }): string {
  const sentences = ['Near means similar text; the axes and the distances between far groups mean nothing.'];
  const thinnedOut = told.n - told.drawn - told.outside;
  if (thinnedOut > 0) {
    sentences.push(
      `${formatCount(told.drawn)} of ${formatCount(told.n)} documents are drawn, the same share of every topic save that small topics keep at least ${LEAST_DOTS} dots.`,
    );
  }
  if (told.outside > 0) {
    sentences.push(
      `${countOf(told.outside, 'far-off document lies', 'far-off documents lie')} outside the frame.`,
    );
  }
  if (told.labelled < told.c) {
    sentences.push(
      `${formatCount(told.labelled)} of ${countOf(told.c, 'topic')} have room for a label on a wide screen; the dots tell theirs when pointed at.`,
    );
  }
  return sentences.join(' ');
}

/** The part of the plane that is drawn, at one scale in both directions. */
function frameOf(positions: { x: Float32Array; y: Float32Array }, n: number): Frame {
  const [left, right] = reach(positions.x.subarray(0, n));
  const [bottom, top] = reach(positions.y.subarray(0, n));
  const spanX = Math.max(right - left, 1e-9);
  const spanY = Math.max(top - bottom, 1e-9);
  const inner = WIDTH - 2 * MARGIN;
  const height = Math.round(Math.min(Math.max((inner * spanY) / spanX + 2 * MARGIN, MIN_HEIGHT), MAX_HEIGHT));
  const scale = Math.min(inner / spanX, (height - 2 * MARGIN) / spanY);
  return {
    height,
    // y grows upwards in the positions and downwards on the screen.
    place: (x, y) => ({
      x: WIDTH / 2 + (x - (left + right) / 2) * scale,
      y: height / 2 - (y - (bottom + top) / 2) * scale,
    }),
    holds: (x, y) => x >= left && x <= right && y >= bottom && y <= top,
  };
}

/** From where to where one axis is drawn: all values, unless a few lie far away from the rest. */
function reach(values: Float32Array): [least: number, most: number] {
  if (values.length === 0) return [0, 1];
  const sorted = values.slice().sort();
  const cut = Math.floor(values.length * TAIL);
  const low = sorted[cut];
  const high = sorted[values.length - 1 - cut];
  const room = (high - low) * REACH;
  return [Math.max(sorted[0], low - room), Math.min(sorted[values.length - 1], high + room)];
}

/** Document rows to draw, by id: evenly spaced within every topic and the outliers. */
function thinned(counts: Counts, c: number): number[] {
  // Group 0 holds the outliers.
  const sizes = new Int32Array(c + 1);
  for (const topic of counts.topicOf) sizes[topic + 1]++;
  const quotas = dotQuotas(sizes, counts.topicOf.length);
  const met = new Int32Array(c + 1);
  const rows: number[] = [];
  for (const row of counts.order) {
    const group = counts.topicOf[row] + 1;
    const before = Math.floor((met[group] * quotas[group]) / sizes[group]);
    met[group]++;
    if (Math.floor((met[group] * quotas[group]) / sizes[group]) > before) rows.push(row);
  }
  return rows;
}

function dotQuotas(sizes: Int32Array, n: number): Int32Array {
  if (n <= MAX_DOTS) return sizes;
  const least = Math.min(LEAST_DOTS, Math.floor(MAX_DOTS / sizes.length));
  const quotas = sizes.map((size) => Math.min(size, least));
  const given = quotas.reduce((sum, quota) => sum + quota, 0);
  const rate = (MAX_DOTS - given) / (n - given);
  return quotas.map((quota, group) => quota + Math.floor((sizes[group] - quota) * rate));
}

/** A colour for every topic row, so that the nearest topic of the same colour is as far away as can be. */
function marksOf(input: ExportInput, bySize: readonly number[]): Int32Array {
  const { x, y } = input.topics;
  const marks = new Int32Array(bySize.length);
  const colours = light.marks.length;
  bySize.forEach((topic, rank) => {
    const nearest = new Float64Array(colours).fill(Number.POSITIVE_INFINITY);
    for (let other = 0; other < rank; other++) {
      const neighbour = bySize[other];
      const distance = (x[topic] - x[neighbour]) ** 2 + (y[topic] - y[neighbour]) ** 2;
      const mark = marks[neighbour];
      if (distance < nearest[mark]) nearest[mark] = distance;
    }
    let best = 0;
    for (let mark = 1; mark < colours; mark++) if (nearest[mark] > nearest[best]) best = mark;
    marks[topic] = best;
  });
  return marks;
}
