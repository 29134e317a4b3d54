/** Whether the layout of earlier nights is kept, and new documents' places in it where it is. */

import type { KeptLayout, Reduced } from '../../pipeline/contract.ts';
import type { WeightedGraph } from '../../pipeline/math/fuzzy-graph.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import type { ReduceConfig } from './config.ts';
import { findThemes, setApart } from './new-themes.ts';
import { placeRows } from './place.ts';

/** Kinds of late documents: placed among the others, or with a new theme of their own. */
const PLACED = 1;
const IN_THEME = 2;

/** Documents that a new theme needs, as a multiple of n_neighbors: more than a neighbourhood holds. */
const LEAST_THEME = 4 / 3;

/** Nights in a row on which late documents must have been outliers clearly more often than the others. */
const STRANGE_NIGHTS = 3;

/** A layout made from fewer documents has too little to hold new ones by. */
const LEAST_FITTED = 100;
/**
 * Once this share of the documents a layout was made from have come later, it is made anew the next night: on the
 * night itself they are placed, so that one large delivery does not move everything.
 */
const MOST_LATE = 0.2;
/** Beyond this share a delivery outweighs the layout, and it is made anew at once. */
const MOST_AT_ONCE = 0.5;

/**
 * Why a kept layout cannot serve tonight; '' when it does.
 *
 * @param n Documents tonight.
 * @param follows Whether the layout follows its documents each night: then late ones are in it like any other.
 */
export function whyRebuild(
  { placed, late, fitted, strangeNights }: KeptLayout,
  n: number,
  follows = false,
): string {
  let standing = 0;
  let lateBefore = 0;
  for (let i = 0; i < n; i++) {
    standing += placed[i];
    if (placed[i] === 1 && late[i] !== 0) lateBefore++;
  }
  const coming = n - standing;
  const share = (documents: number): string => `${Math.round((100 * documents) / fitted)}%`;
  if (fitted < LEAST_FITTED) return `the layout was made from only ${fitted} documents`;
  if (!follows && lateBefore > MOST_LATE * fitted) {
    return `${share(lateBefore)} more documents have come since the layout was made from ${fitted}`;
  }
  if (lateBefore + coming > MOST_AT_ONCE * fitted) {
    return `${share(lateBefore + coming)} of the ${fitted} documents that the layout was made from are new`;
  }
  if (standing - lateBefore < MOST_AT_ONCE * fitted) {
    return `only ${standing - lateBefore} of the ${fitted} documents that the layout was made from are left`;
  }
  if (strangeNights >= STRANGE_NIGHTS) {
    return `documents that came since the layout was made have been outliers far more often than the others for ${strangeNights} nights`;
  }
  return '';
}

/** The rows of a group of documents laid out by themselves; [rows × d]. */
export type LayoutOfGroup = (rows: readonly number[], d: number, minDist: number) => Promise<Float32Array>;

/**
 * Places the documents that have no place; the others stay to the bit, but for those of themes that are found.
 *
 * @param graph Of all documents.
 * @param alone Lays groups out.
 * @returns Places, and the themes found: rows of each.
 */
export async function placeInKept(
  graph: WeightedGraph,
  kept: KeptLayout,
  alone: LayoutOfGroup,
  config: ReduceConfig,
  seed: number,
): Promise<{ reduced: Reduced; themes: number[][] }> {
  const { n } = graph;
  const { placed, positions } = kept;
  const late = Uint8Array.from(placed, (known, i) => (known === 1 ? kept.late[i] : PLACED));
  const themes = findThemes(
    graph,
    late.map((kind) => (kind === PLACED ? 1 : 0)),
    Math.ceil(LEAST_THEME * config.n_neighbors),
  );
  const map = keptMap(kept);
  const values = positions.reduced.values.slice();
  for (const [d, places, minDist] of [
    [config.n_components, values, config.min_dist],
    [2, map, config.map_min_dist],
  ] as const) {
    placeApart(placeRows(graph, places, placed, { d, minDist, seed }), places, d, seed);
    for (const rows of themes) setApart(places, d, rows, await alone(rows, d, minDist), seed);
  }
  for (const i of themes.flat()) late[i] = IN_THEME;
  const reduced: Reduced = {
    ...mapOf(map),
    reduced: { n, d: config.n_components, values },
    late,
    fitted: kept.fitted,
    rebuilt: '',
  };
  return { reduced, themes };
}

/** The map alone, with places for the documents that have none; [n × 2]. */
export function placeOnMap(
  graph: WeightedGraph,
  kept: KeptLayout,
  { map_min_dist }: ReduceConfig,
  seed: number,
): Float32Array {
  const map = keptMap(kept);
  const lost = placeRows(graph, map, kept.placed, { d: 2, minDist: map_min_dist, seed });
  placeApart(lost, map, 2, seed);
  return map;
}

/** [n × 2] as columns. */
export function mapOf(map: Float32Array): { x: Float32Array; y: Float32Array } {
  const n = map.length / 2;
  return {
    x: Float32Array.from({ length: n }, (_, i) => map[2 * i]),
    y: Float32Array.from({ length: n }, (_, i) => map[2 * i + 1]),
  };
}

function keptMap({ positions: { x, y } }: KeptLayout): Float32Array {
  return Float32Array.from({ length: 2 * x.length }, (_, at) => (at % 2 === 0 ? x : y)[at >> 1]);
}

/** Documents tied to nothing that stands are set down by chance within the layout's extent: outliers, mostly. */
function placeApart(rows: readonly number[], positions: Float32Array, d: number, seed: number): void {
  if (rows.length === 0) return;
  const low = new Float64Array(d).fill(Infinity);
  const high = new Float64Array(d).fill(-Infinity);
  for (let x = 0; x < positions.length; x++) {
    low[x % d] = Math.min(low[x % d], positions[x]);
    high[x % d] = Math.max(high[x % d], positions[x]);
  }
  for (const i of rows) {
    const random = createRandom(seed, i, 0x61706172);
    for (let q = 0; q < d; q++) positions[i * d + q] = low[q] + (high[q] - low[q]) * random.nextFloat();
  }
}
