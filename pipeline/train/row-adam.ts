/**
 * Adam for an embedding table: only rows that a step's gradient touches move, and their moments with them.
 *
 * Source: Kingma & Ba 2015; rows left alone as in PyTorch's SparseAdam.
 */

const firstDecay = 0.9;
const secondDecay = 0.999;
const epsilon = 1e-8;

export class RowAdam {
  readonly #width: number;
  readonly #first: Float32Array;
  readonly #second: Float32Array;
  #step = 0;

  /** For a table of [rows × width]. */
  constructor(rows: number, width: number) {
    this.#width = width;
    this.#first = new Float32Array(rows * width);
    this.#second = new Float32Array(rows * width);
  }

  /**
   * Moves the listed rows of `table` against `gradient` and sets those gradient rows to zero.
   *
   * @param rows Distinct row numbers.
   */
  update(
    table: Float32Array | Float64Array,
    gradient: Float32Array | Float64Array,
    rows: ArrayLike<number>,
    rate: number,
  ): void {
    this.#step++;
    const width = this.#width;
    const first = this.#first;
    const second = this.#second;
    // Both bias corrections, folded into the rate and epsilon.
    const correction = Math.sqrt(1 - secondDecay ** this.#step);
    const scaledRate = (rate * correction) / (1 - firstDecay ** this.#step);
    const scaledEpsilon = epsilon * correction;
    for (let r = 0; r < rows.length; r++) {
      const start = rows[r] * width;
      for (let at = start; at < start + width; at++) {
        const slope = gradient[at];
        const mean = firstDecay * first[at] + (1 - firstDecay) * slope;
        const spread = secondDecay * second[at] + (1 - secondDecay) * slope * slope;
        first[at] = mean;
        second[at] = spread;
        table[at] -= (scaledRate * mean) / (Math.sqrt(spread) + scaledEpsilon);
        gradient[at] = 0;
      }
    }
  }

  /** The moments by name, as `restore` takes them back. */
  state(): [string, Float32Array][] {
    return [
      ['first moment', this.#first],
      ['second moment', this.#second],
    ];
  }

  /** @param step Updates done so far. */
  restore(arrays: ReadonlyMap<string, Float32Array>, step: number): void {
    for (const [name, array] of this.state()) {
      const kept = arrays.get(name);
      if (kept === undefined) throw new Error(`row-adam: the state lacks the ${name}.`);
      array.set(kept);
    }
    this.#step = step;
  }
}
