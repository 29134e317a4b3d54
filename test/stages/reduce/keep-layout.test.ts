import { describe, expect, it } from 'vitest';
import type { Job, KeptLayout, MatrixRows, Reduced } from '../../../pipeline/contract.ts';
import { createRandom } from '../../../pipeline/math/random.ts';
import { type ReduceConfig, section } from '../../../stages/reduce/config.ts';
import { whyRebuild } from '../../../stages/reduce/keep-layout.ts';
import { stage } from '../../../stages/reduce/stage.ts';
import { matrixRows } from '../../matrix-rows.ts';

/** Documents about six centres that lie far apart, centre by turns. */
function matrixOf(n: number): MatrixRows {
  const random = createRandom(5);
  const values = new Float32Array(n * 12);
  for (let i = 0; i < n; i++) {
    for (let q = 0; q < 12; q++) values[i * 12 + q] = random.nextNormal() * 0.3 + (q === i % 6 ? 3 : 0);
  }
  return matrixRows({ n, d: 12, values });
}

const idsOf = (n: number): string[] => Array.from({ length: n }, (_, i) => `paper-${i}`);

function jobOf(layout: ReduceConfig['layout'] = 'umap'): { job: Job<ReduceConfig>; notices: string[] } {
  const notices: string[] = [];
  const job: Job<ReduceConfig> = {
    config: section.schema.parse({ epochs: 60, layout }),
    seed: 1,
    threads: 1,
    baseFolder: '.',
    model: () => {
      throw new Error('no model here');
    },
    signal: new AbortController().signal,
    progress: () => {},
    notice: (message) => notices.push(message),
  };
  return { job, notices };
}

/** What the store would hand to a night with n documents, of which the first had places. */
function keptOf(first: Reduced, n: number): KeptLayout {
  const { d } = first.reduced;
  const known = first.x.length;
  const padded = (from: Float32Array, length: number): Float32Array => {
    const to = new Float32Array(length);
    to.set(from);
    return to;
  };
  const late = new Uint8Array(n);
  late.set(first.late);
  return {
    placed: Uint8Array.from({ length: n }, (_, i) => (i < known ? 1 : 0)),
    late,
    strangeNights: 0,
    fitted: first.fitted,
    positions: {
      x: padded(first.x, n),
      y: padded(first.y, n),
      reduced: { n, d, values: padded(first.reduced.values, n * d) },
    },
  };
}

describe('a kept layout', () => {
  it('stays to the bit, and takes new documents in beside their like', async () => {
    const first = await stage.run(matrixOf(300), idsOf(300), null, '', jobOf().job);
    const { job, notices } = jobOf();
    const second = await stage.run(matrixOf(330), idsOf(330), keptOf(first, 330), '', job);
    expect(second.reduced.values.slice(0, 1500)).toEqual(first.reduced.values);
    expect([second.x.slice(0, 300), second.y.slice(0, 300)]).toEqual([first.x, first.y]);
    expect([...second.late]).toEqual([...new Array(300).fill(0), ...new Array(30).fill(1)]);
    expect([second.fitted, second.rebuilt, notices]).toEqual([300, '', []]);

    const distance = (i: number, j: number): number =>
      Math.hypot(
        ...Array.from(
          { length: 5 },
          (_, q) => second.reduced.values[i * 5 + q] - second.reduced.values[j * 5 + q],
        ),
      );
    for (let i = 300; i < 330; i++) {
      const nearest = Array.from({ length: 300 }, (_, j) => j).sort(
        (a, b) => distance(i, a) - distance(i, b),
      );
      expect(nearest.slice(0, 5).map((j) => j % 6)).toEqual(new Array(5).fill(i % 6));
    }
  });

  it('gives the same bytes again', async () => {
    const first = await stage.run(matrixOf(300), idsOf(300), null, '', jobOf().job);
    const again = () => stage.run(matrixOf(330), idsOf(330), keptOf(first, 330), '', jobOf().job);
    expect(await again()).toEqual(await again());
  });

  it('is made anew with a reason that is told', async () => {
    const { job, notices } = jobOf();
    const made = await stage.run(matrixOf(120), idsOf(120), null, 'run.refresh is refit', job);
    expect([made.rebuilt, made.fitted]).toEqual(['run.refresh is refit', 120]);
    expect(notices).toEqual(['reduce: all documents were placed anew: run.refresh is refit.']);
  });
});

describe('spectral places', () => {
  it('follow the graph a little each night, on a map that stays', async () => {
    const first = await stage.run(matrixOf(300), idsOf(300), null, '', jobOf('spectral').job);
    expect(first.reduced.d).toBe(10);
    const night = () => stage.run(matrixOf(330), idsOf(330), keptOf(first, 330), '', jobOf('spectral').job);
    const second = await night();
    expect(await night()).toEqual(second);
    expect([second.x.slice(0, 300), second.y.slice(0, 300)]).toEqual([first.x, first.y]);
    expect(second.reduced.values.every(Number.isFinite)).toBe(true);
    const cosine = (i: number, j: number, other: Reduced): number => {
      let sum = 0;
      for (let q = 0; q < 10; q++)
        sum += second.reduced.values[i * 10 + q] * other.reduced.values[j * 10 + q];
      return sum;
    };
    for (let i = 0; i < 300; i++) expect(cosine(i, i, first)).toBeGreaterThan(0.9);
    for (let i = 300; i < 330; i++) {
      const nearest = Array.from({ length: 300 }, (_, j) => j).sort(
        (a, b) => cosine(i, b, second) - cosine(i, a, second),
      );
      expect(nearest[0] % 6).toBe(i % 6);
    }
  });

  it('need a hundred documents', async () => {
    const { job, notices } = jobOf('spectral');
    expect((await stage.run(matrixOf(99), idsOf(99), null, '', job)).reduced.d).toBe(5);
    expect(notices).toEqual(['reduce: 99 documents are too few for slow vectors (100); UMAP was used.']);
  });
});

describe('a layout is made anew', () => {
  const why = (standing: number, late: number, coming: number, fitted = 1000, strangeNights = 0): string => {
    const n = standing + coming;
    const flags = (ones: number): Uint8Array => Uint8Array.from({ length: n }, (_, i) => (i < ones ? 1 : 0));
    const nothing = new Float32Array(0);
    const positions = { x: nothing, y: nothing, reduced: { n, d: 5, values: nothing } };
    return whyRebuild({ placed: flags(standing), late: flags(late), fitted, positions, strangeNights }, n);
  };

  it('the night after a fifth more have come, not on the night of a large delivery', () => {
    expect(why(1200, 200, 0)).toBe('');
    expect(why(1201, 201, 0)).toBe('20% more documents have come since the layout was made from 1000');
    expect(why(1000, 0, 300)).toBe('');
  });

  it('at once when more than half as many come as it was made from', () => {
    expect(why(1000, 0, 501)).toBe('50% of the 1000 documents that the layout was made from are new');
  });

  it('when less than half of what it was made from is left', () => {
    expect(why(499, 0, 0)).toBe('only 499 of the 1000 documents that the layout was made from are left');
  });

  it('when late documents have been outliers far more often than others for three nights', () => {
    expect(why(1000, 150, 10, 1000, 2)).toBe('');
    expect(why(1000, 150, 10, 1000, 3)).toBe(
      'documents that came since the layout was made have been outliers far more often than the others for 3 nights',
    );
  });

  it('when it was made from too few', () => {
    expect(why(99, 0, 1, 99)).toBe('the layout was made from only 99 documents');
  });
});
