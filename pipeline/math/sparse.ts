/**
 * Sparse rows times a dense matrix, and the transpose: the two loops under every embedding sum, embedding
 * gradient and sparse factorisation here. Both run in a small WebAssembly module that is assembled below,
 * four float32 at a time, six to eight times as fast as the same loops in JavaScript. The order of additions
 * is fixed and the instructions are exact, so results are equal on every machine.
 */

/** Columns and values of n rows; row i holds entries `offsets[i]` to `offsets[i + 1]`. All in one arena. */
export interface SparseRows {
  n: number;
  /** Int32Array [n + 1]. */
  offsets: Int32Array;
  /** Int32Array [entries]. */
  columns: Int32Array;
  /** Float32Array [entries]. */
  values: Float32Array;
}

/** Dense rows are padded to a multiple of this many float32: one turn of the inner loop. */
export const widthStep = 16;

export const paddedWidth = (width: number): number => Math.ceil(width / widthStep) * widthStep;

const pageBytes = 65536;
const maxBytes = 65536 * pageBytes;

/** Memory that the kernels work in. Arrays taken from it last as long as it does; nothing is given back. */
export class Arena {
  readonly #buffer: ArrayBuffer;
  readonly #kernels: Kernels;
  #used = 64;

  /** @param bytes What all arrays together will need; see `Arena.bytesFor`. */
  constructor(bytes: number) {
    const pages = Math.ceil((bytes + 64) / pageBytes);
    if (pages * pageBytes > maxBytes) {
      throw new RangeError(`sparse: expected to need at most ${maxBytes} bytes, got ${bytes}.`);
    }
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.#buffer = memory.buffer;
    const instance = new WebAssembly.Instance(kernelModule(), { host: { memory } });
    this.#kernels = instance.exports as unknown as Kernels;
  }

  /** Bytes for arrays of the given element counts, each starting at a cache line. */
  static bytesFor(...counts: number[]): number {
    return counts.reduce((sum, count) => sum + Math.ceil(count / 16) * 64, 64);
  }

  /** Zeros. */
  floats(count: number): Float32Array {
    return new Float32Array(this.#buffer, this.#take(count), count);
  }

  /** Zeros. */
  integers(count: number): Int32Array {
    return new Int32Array(this.#buffer, this.#take(count), count);
  }

  /**
   * out[i] += Σ value · dense[column] over the entries of row i.
   *
   * @param dense Float32Array [columns × width].
   * @param width A multiple of `widthStep`.
   * @param out Float32Array [n × width].
   */
  multiplyInto(rows: SparseRows, dense: Float32Array, width: number, out: Float32Array): void {
    this.#call(this.#kernels.gather, rows, dense, width, out);
  }

  /**
   * out[column] += value · dense[i] over the entries of row i: the transpose of `rows` times dense.
   *
   * @param dense Float32Array [n × width].
   * @param width A multiple of `widthStep`.
   * @param out Float32Array [columns × width].
   */
  multiplyTransposedInto(rows: SparseRows, dense: Float32Array, width: number, out: Float32Array): void {
    this.#call(this.#kernels.scatter, rows, out, width, dense);
  }

  #call(kernel: Kernel, rows: SparseRows, byColumn: Float32Array, width: number, byRow: Float32Array): void {
    const { n, offsets, columns, values } = rows;
    if (width % widthStep !== 0) {
      throw new RangeError(`sparse: expected a width that ${widthStep} divides, got ${width}.`);
    }
    if (byRow.length < n * width) {
      throw new RangeError(`sparse: ${n} rows of ${width} need ${n * width} numbers, got ${byRow.length}.`);
    }
    // The kernels check no bounds; a column outside would read another array.
    const bound = byColumn.length / width;
    for (let k = offsets[0]; k < offsets[n]; k++) {
      if (columns[k] >>> 0 >= bound) {
        throw new RangeError(`sparse: expected columns below ${bound}, got ${columns[k]} at entry ${k}.`);
      }
    }
    for (const array of [offsets, columns, values, byColumn, byRow]) {
      if (array.buffer !== this.#buffer) throw new Error('sparse: an array lies outside the arena.');
    }
    if (n === 0) return;
    kernel(
      offsets.byteOffset,
      columns.byteOffset,
      values.byteOffset,
      byColumn.byteOffset,
      width * 4,
      byRow.byteOffset,
      n,
    );
  }

  #take(count: number): number {
    const start = this.#used;
    this.#used = start + Math.ceil(count / 16) * 64;
    if (this.#used > this.#buffer.byteLength) {
      throw new RangeError(
        `sparse: the arena holds ${this.#buffer.byteLength} bytes, ${this.#used} asked for.`,
      );
    }
    return start;
  }
}

type Kernel = (
  offsets: number,
  columns: number,
  values: number,
  byColumn: number,
  rowBytes: number,
  byRow: number,
  n: number,
) => void;

interface Kernels {
  gather: Kernel;
  scatter: Kernel;
}

// The parts of the WebAssembly interface used here; TypeScript declares them for browsers only.
interface WasmModule {
  readonly wasmModule: never;
}
declare const WebAssembly: {
  Memory: new (limits: { initial: number; maximum: number }) => { buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array) => WasmModule;
  Instance: new (module: WasmModule, imports: object) => { exports: object };
};

// Assembly -------------------------------------------------------------------------------------

let compiled: WasmModule | undefined;

function kernelModule(): WasmModule {
  compiled ??= new WebAssembly.Module(assemble());
  return compiled;
}

// Opcodes of the WebAssembly core specification 2.0, section 5.4.
const i32 = 0x7f;
const v128 = 0x7b;
const block = [0x02, 0x40];
const loop = [0x03, 0x40];
const end = [0x0b];
const branch = (depth: number): number[] => [0x0c, depth];
const branchIf = (depth: number): number[] => [0x0d, depth];
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const constant = (value: number): number[] => [0x41, ...signed(value)];
const load = (offset: number): number[] => [0x28, 2, ...unsigned(offset)];
const add = [0x6a];
const multiply = [0x6c];
const shiftLeft = [0x74];
const lessUnsigned = [0x49];
const greaterOrEqualUnsigned = [0x4f];
const simd = (code: number): number[] => [0xfd, ...unsigned(code)];
const vectorLoad = (offset: number): number[] => [...simd(0), 4, ...unsigned(offset)];
const vectorLoadSplat = [...simd(9), 2, 0];
const vectorStore = (offset: number): number[] => [...simd(11), 4, ...unsigned(offset)];
const vectorAdd = simd(0xe4);
const vectorMultiply = simd(0xe6);

function assemble(): Uint8Array {
  const sections = [
    // One function type: seven i32, no result.
    section(1, [1, 0x60, 7, ...new Array<number>(7).fill(i32), 0]),
    section(2, [1, ...text('host'), ...text('memory'), 2, 1, ...unsigned(1), ...unsigned(65536)]),
    section(3, [2, 0, 0]),
    section(7, [2, ...text('gather'), 0, 0, ...text('scatter'), 0, 1]),
    section(10, [2, ...functionBody('gather'), ...functionBody('scatter')]),
  ];
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()]);
}

/** The two kernels differ only in which of the two dense rows is read and which is added to. */
function functionBody(kind: 'gather' | 'scatter'): number[] {
  const [offsets, columns, values, byColumn, rowBytes, byRow, n] = [0, 1, 2, 3, 4, 5, 6];
  const [entry, lastEntry, source, target, stop, value] = [7, 8, 9, 10, 11, 12];
  const [ofColumn, ofRow] = kind === 'gather' ? [source, target] : [target, source];
  const entryAddress = (base: number): number[] => [
    ...get(base),
    ...get(entry),
    ...constant(2),
    ...shiftLeft,
    ...add,
  ];
  const increase = (local: number, by: number[]): number[] => [...get(local), ...by, ...add, ...set(local)];
  const innerTurn = [0, 16, 32, 48].flatMap((offset) => [
    ...get(target),
    ...get(target),
    ...vectorLoad(offset),
    ...get(source),
    ...vectorLoad(offset),
    ...get(value),
    ...vectorMultiply,
    ...vectorAdd,
    ...vectorStore(offset),
  ]);
  const code = [
    ...loop, // over rows
    ...[...get(offsets), ...load(0), ...set(entry)],
    ...[...get(offsets), ...load(4), ...set(lastEntry)],
    ...block,
    ...loop, // over the row's entries
    ...[...get(entry), ...get(lastEntry), ...greaterOrEqualUnsigned, ...branchIf(1)],
    ...[...entryAddress(values), ...vectorLoadSplat, ...set(value)],
    ...[...entryAddress(columns), ...load(0), ...get(rowBytes), ...multiply],
    ...[...get(byColumn), ...add, ...set(ofColumn)],
    ...[...get(byRow), ...set(ofRow)],
    ...[...get(target), ...get(rowBytes), ...add, ...set(stop)],
    ...loop, // over the dense row, sixteen numbers a turn
    ...innerTurn,
    ...increase(source, constant(widthStep * 4)),
    ...increase(target, constant(widthStep * 4)),
    ...[...get(target), ...get(stop), ...lessUnsigned, ...branchIf(0)],
    ...end,
    ...increase(entry, constant(1)),
    ...branch(0),
    ...end,
    ...end,
    ...increase(byRow, get(rowBytes)),
    ...increase(offsets, constant(4)),
    ...increase(n, constant(-1)),
    ...[...get(n), ...branchIf(0)],
    ...end,
    ...end,
  ];
  const locals = [2, 5, i32, 1, v128];
  return sized([...locals, ...code]);
}

const section = (id: number, content: number[]): number[] => [id, ...sized(content)];
const sized = (content: number[]): number[] => [...unsigned(content.length), ...content];
const text = (value: string): number[] => sized([...Buffer.from(value)]);

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return [...bytes, rest];
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 127;
    rest >>= 7;
    const done = (rest === 0 && (low & 64) === 0) || (rest === -1 && (low & 64) !== 0);
    bytes.push(done ? low : low | 128);
    if (done) return bytes;
  }
}
