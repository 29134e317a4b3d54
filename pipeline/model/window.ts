/** Which rows a convolution over packed sentences reads; shared by networks in training and in use. */

/**
 * Rows that a convolution of three taps reads, at offsets −dilation, 0, +dilation.
 *
 * @param lengths Rows per sentence, in packing order.
 * @returns Int32Array [rows × 3]; the number of rows stands for zeros.
 */
export function windowIndices(lengths: ArrayLike<number>, dilation: number): Int32Array {
  let rows = 0;
  for (let s = 0; s < lengths.length; s++) rows += lengths[s];
  const indices = new Int32Array(rows * 3);
  let start = 0;
  for (let s = 0; s < lengths.length; s++) {
    const end = start + lengths[s];
    for (let i = start; i < end; i++) {
      indices[3 * i] = i - dilation >= start ? i - dilation : rows;
      indices[3 * i + 1] = i;
      indices[3 * i + 2] = i + dilation < end ? i + dilation : rows;
    }
    start = end;
  }
  return indices;
}
