/** What steady topics are held to: one row for each measure, beside what each stream reached. */

import { type Cell, printTable } from './table.ts';

interface Floor {
  measure: string;
  /** What is required, and what is wished for. */
  floor: number;
  stretch: number;
  /** Whether less is better. */
  atMost?: boolean;
}

const floors: readonly Floor[] = [
  ...changeFloors('+1%', [0.97, 0.99, 0.97, 0.01], [0.99, 0.995, 0.99, 0.005]),
  ...changeFloors('+5%', [0.95, 0.98, 0.95, 0.02], [0.975, 0.995, 0.98, 0.01]),
  ...changeFloors('+20%', [0.9, 0.975, 0.95, 0.02], [0.95, 0.99, 0.98, 0.01]),
  { measure: '8 × +1% ari', floor: 0.9, stretch: 0.95 },
  { measure: '8 × +1% id', floor: 0.92, stretch: 0.97 },
  { measure: '−1% ari', floor: 0.98, stretch: 0.995 },
  { measure: '−5% ari', floor: 0.95, stretch: 0.97 },
  { measure: 'new fields found, of those that a fresh fit finds', floor: 0.75, stretch: 1 },
  { measure: 'births a night with no new theme', floor: 1, stretch: 1 / 7, atMost: true },
  { measure: 'NMI after drift, less that of a fresh fit', floor: -0.015, stretch: 0 },
  { measure: 'the same, papers of new fields', floor: -0.04, stretch: -0.02 },
  { measure: 'NMI at +20%, less that of a fresh UMAP', floor: -0.005, stretch: 0.01 },
  { measure: 'NPMI at +20%, less that of a fresh UMAP', floor: -0.005, stretch: 0.01 },
];

function changeFloors(change: string, floor: readonly number[], stretch: readonly number[]): Floor[] {
  return ['ari', 'both', 'id', 'noise'].map((measure, i) => ({
    measure: `${change} ${measure}`,
    floor: floor[i],
    stretch: stretch[i],
    atMost: measure === 'noise',
  }));
}

/** Measures of one stream, by the names above; what was not measured is absent. */
export interface StreamMeasures {
  stream: string;
  values: Map<string, number>;
}

/** The table of floors, with one column for each stream; a value below its floor is marked. */
export function printFloors(
  print: (line: string) => void,
  title: string,
  streams: readonly StreamMeasures[],
): void {
  const rows = floors.map(({ measure, floor, stretch, atMost = false }): Cell[] => [
    measure,
    shown(floor),
    shown(stretch),
    ...streams.map(({ values }) => {
      const value = values.get(measure);
      if (value === undefined || Number.isNaN(value)) return null;
      const missed = atMost ? value > floor : value < floor;
      return `${shown(value)}${missed ? ' !' : ''}`;
    }),
  ]);
  printTable(
    print,
    `${title} A mark stands beside what misses its floor.`,
    ['measure', 'floor', 'stretch', ...streams.map(({ stream }) => stream)],
    rows,
  );
}

function shown(value: number): string {
  return value.toFixed(3);
}
