/**
 * The curve 1 / (1 + a·x^2b) by which UMAP reads nearness off the layout, fitted to the wish "1 up to
 * min_dist, then falling off exponentially over spread".
 *
 * Source: umap-learn 0.5.3, find_ab_params (300 points on [0, 3 · spread], least squares).
 */

export interface Curve {
  a: number;
  b: number;
}

const POINTS = 300;
/** Levenberg–Marquardt settles within about twenty steps; more change nothing. */
const STEPS = 200;

/**
 * @param minDist From 0 up to spread.
 * @param spread Above 0.
 * @throws RangeError otherwise.
 */
export function fitCurve(minDist: number, spread = 1): Curve {
  if (!(spread > 0 && spread < Infinity)) {
    throw new RangeError(`Expected spread to be a number above 0, got ${spread}.`);
  }
  if (!(minDist >= 0 && minDist <= spread)) {
    throw new RangeError(`Expected minDist to be from 0 to spread = ${spread}, got ${minDist}.`);
  }
  const xs = new Float64Array(POINTS);
  const wanted = new Float64Array(POINTS);
  for (let p = 0; p < POINTS; p++) {
    // In units of spread, so that the fit starts equally near whatever the units are.
    xs[p] = (3 * p) / (POINTS - 1);
    wanted[p] = xs[p] * spread < minDist ? 1 : Math.exp(minDist / spread - xs[p]);
  }
  const loss = (a: number, b: number): number => {
    let sum = 0;
    for (let p = 0; p < POINTS; p++) {
      const difference = 1 / (1 + a * xs[p] ** (2 * b)) - wanted[p];
      sum += difference * difference;
    }
    return sum;
  };

  let a = 1;
  let b = 1;
  let current = loss(a, b);
  let damping = 1e-3;
  for (let step = 0; step < STEPS && damping < 1e12; step++) {
    // Normal equations of the two parameters.
    let aa = 0;
    let ab = 0;
    let bb = 0;
    let ga = 0;
    let gb = 0;
    // At x = 0 the curve is 1 whatever a and b are.
    for (let p = 1; p < POINTS; p++) {
      const power = xs[p] ** (2 * b);
      const value = 1 / (1 + a * power);
      const byA = -power * value * value;
      const byB = -2 * a * power * Math.log(xs[p]) * value * value;
      const difference = value - wanted[p];
      aa += byA * byA;
      ab += byA * byB;
      bb += byB * byB;
      ga += byA * difference;
      gb += byB * difference;
    }
    const daa = aa * (1 + damping);
    const dbb = bb * (1 + damping);
    const determinant = daa * dbb - ab * ab;
    const nextA = a - (dbb * ga - ab * gb) / determinant;
    const nextB = b - (daa * gb - ab * ga) / determinant;
    const next = nextA > 0 && nextB > 0 ? loss(nextA, nextB) : Infinity;
    if (next < current) {
      a = nextA;
      b = nextB;
      current = next;
      damping /= 10;
    } else {
      damping *= 10;
    }
  }
  return { a: a / spread ** (2 * b), b };
}
