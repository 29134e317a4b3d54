/**
 * One step of the spectral start's filter, four numbers at a time: the loop of pipeline/math/spectral-filter.ts,
 * to the same bits. Addresses are bytes.
 */

/**
 * result = factor · (M · block − shift · block) − share · result, for rows from `first` up to, not including, `end`.
 *
 * @param offsets, targets, entries The matrix as compressed rows: int32, int32, float32.
 * @param block, result Float32 [n × p].
 * @param p A multiple of 4.
 */
export function step(
  offsets: usize,
  targets: usize,
  entries: usize,
  block: usize,
  result: usize,
  p: i32,
  shift: f32,
  factor: f32,
  share: f32,
  first: i32,
  end: i32,
): void {
  const rowBytes: usize = (<usize>p) << 2;
  for (let i = first; i < end; i++) {
    const start = load<i32>(offsets + ((<usize>i) << 2));
    const stop = load<i32>(offsets + ((<usize>(i + 1)) << 2));
    const row: usize = <usize>i * rowBytes;
    // Vectors of the row by threes and one by one: twelve columns are what five coordinates ask for.
    let x: usize = 0;
    for (; x + 48 <= rowBytes; x += 48) {
      let a = f32x4.mul(f32x4.splat(-shift), v128.load(block + row + x));
      let b = f32x4.mul(f32x4.splat(-shift), v128.load(block + row + x, 16));
      let c = f32x4.mul(f32x4.splat(-shift), v128.load(block + row + x, 32));
      for (let m = start; m < stop; m++) {
        const entry = v128.load32_splat(entries + ((<usize>m) << 2));
        const other = block + <usize>load<i32>(targets + ((<usize>m) << 2)) * rowBytes + x;
        a = f32x4.add(a, f32x4.mul(entry, v128.load(other)));
        b = f32x4.add(b, f32x4.mul(entry, v128.load(other, 16)));
        c = f32x4.add(c, f32x4.mul(entry, v128.load(other, 32)));
      }
      const to = result + row + x;
      a = f32x4.sub(f32x4.mul(f32x4.splat(factor), a), f32x4.mul(f32x4.splat(share), v128.load(to)));
      b = f32x4.sub(f32x4.mul(f32x4.splat(factor), b), f32x4.mul(f32x4.splat(share), v128.load(to, 16)));
      c = f32x4.sub(f32x4.mul(f32x4.splat(factor), c), f32x4.mul(f32x4.splat(share), v128.load(to, 32)));
      v128.store(to, a);
      v128.store(to, b, 16);
      v128.store(to, c, 32);
    }
    for (; x < rowBytes; x += 16) {
      let a = f32x4.mul(f32x4.splat(-shift), v128.load(block + row + x));
      for (let m = start; m < stop; m++) {
        const entry = v128.load32_splat(entries + ((<usize>m) << 2));
        const other = block + <usize>load<i32>(targets + ((<usize>m) << 2)) * rowBytes + x;
        a = f32x4.add(a, f32x4.mul(entry, v128.load(other)));
      }
      const to = result + row + x;
      const old = f32x4.mul(f32x4.splat(share), v128.load(to));
      v128.store(to, f32x4.sub(f32x4.mul(f32x4.splat(factor), a), old));
    }
  }
}
