import { describe, expect, it } from 'vitest';
import { createRandom } from '../../pipeline/math/random.ts';
import { normalizeRows, throughNormalization } from '../../pipeline/train/contrastive.ts';
import { openInfoNce } from '../../pipeline/train/info-nce.ts';

const [b, d, temperature] = [5, 4, 0.2];
const random = createRandom(3);
const sums = [0, 1].map(() => Float64Array.from({ length: b * d }, () => random.nextNormal()));

function unit(rows: Float64Array): Float64Array {
  const copy = rows.slice();
  normalizeRows(copy, b, d, new Float64Array(b));
  return copy;
}

/** The loss as the papers write it: mean cross entropy of rows and of columns, the diagonal being right. */
function lossByHand(first: Float64Array, second: Float64Array): number {
  const logit = (i: number, j: number) => {
    let dot = 0;
    for (let x = 0; x < d; x++) dot += first[i * d + x] * second[j * d + x];
    return dot / temperature;
  };
  let loss = 0;
  for (let i = 0; i < b; i++) {
    const row = Array.from({ length: b }, (_, j) => Math.exp(logit(i, j)));
    const column = Array.from({ length: b }, (_, j) => Math.exp(logit(j, i)));
    const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
    loss += (Math.log(sum(row)) + Math.log(sum(column))) / 2 - logit(i, i);
  }
  return loss / b;
}

describe('InfoNCE', () => {
  it('is the mean cross entropy of both directions', async () => {
    const loss = await openInfoNce(temperature, { precision: 'float64' });
    const [first, second] = sums.map(unit);
    expect((await loss.step(first, second, d)).loss).toBeCloseTo(lossByHand(first, second), 12);
    await loss.close();
  });

  it('has the gradient that central differences give, through the scaling to length 1', async () => {
    const loss = await openInfoNce(temperature, { precision: 'float64' });
    const units = sums.map(unit);
    const step = await loss.step(units[0], units[1], d);
    await loss.close();
    let worst = 0;
    for (const side of [0, 1]) {
      const lengths = new Float64Array(b);
      const gradient = sums[side].slice();
      normalizeRows(gradient, b, d, lengths);
      const slopes = side === 0 ? step.firstGradient : step.secondGradient;
      if (!(slopes instanceof Float64Array)) throw new Error('expected float64');
      throughNormalization(gradient, slopes, b, d, lengths);
      for (let at = 0; at < b * d; at++) {
        const moved = (by: number): number => {
          const pair = sums.map((rows) => rows.slice());
          pair[side][at] += by;
          return lossByHand(unit(pair[0]), unit(pair[1]));
        };
        const numeric = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        worst = Math.max(worst, Math.abs(numeric - gradient[at]));
      }
    }
    expect(worst).toBeLessThan(1e-9);
  });

  it('is near 0 when every row finds its own, and ln b when all rows are alike', async () => {
    const loss = await openInfoNce(0.05);
    const own = Float32Array.from({ length: 16 }, (_, at) => (at % 5 === 0 ? 1 : 0));
    expect((await loss.step(own, own, 4)).loss).toBeLessThan(1e-6);
    const alike = Float32Array.from({ length: 16 }, () => 0.5);
    expect((await loss.step(alike, alike, 4)).loss).toBeCloseTo(Math.log(4), 5);
    await loss.close();
  });
});
