/**
 * The inner loop of skip-gram with negative sampling as a WebAssembly module of about 500 bytes, assembled
 * here: V8 does not vectorise plain loops, and 128-bit lanes make this one about four times faster.
 * Lanes are added in a fixed order and nothing is fused, so the bits are the same on every machine.
 */

/** Rows must fill whole rounds of four 128-bit registers. */
export const DIMENSION_STEP = 16;
export const MAX_DIMENSIONS = 1024;

/** Most rows in one call, on either side. */
export const MAX_ROWS = 64;

export interface SkipGramKernel {
  /** Float32Array [v × d], one row per word: what the word is looked up in afterwards. */
  input: Float32Array;
  /** Float32Array [v × d], the words as they are predicted. */
  output: Float32Array;
  /** Int32Array [MAX_ROWS], input rows of the next call; filled in by the caller. */
  contexts: Int32Array;
  /** Int32Array [MAX_ROWS], output rows of the next call: the word itself first, then negatives. */
  targets: Int32Array;
  /** One gradient step of every context against every target. Both counts at least 1. */
  step(contextCount: number, targetCount: number, learningRate: number): void;
}

/** The part of the global that is used here; neither Node's types nor ECMAScript's declare it. */
declare const WebAssembly: {
  Memory: new (size: { initial: number; maximum: number }) => { buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array) => object;
  Instance: new (
    module: object,
    imports: { host: { memory: object } },
  ) => {
    exports: {
      step(
        contextCount: number,
        targetCount: number,
        rowBytes: number,
        outputAt: number,
        learningRate: number,
      ): void;
    };
  };
};

// Memory: table, gradient of one row, the two lists of rows, then both matrices.
const TABLE_SIZE = 1024;
const TABLE_LIMIT = 6;
const GRADIENT_AT = 4 * TABLE_SIZE;
const CONTEXTS_AT = GRADIENT_AT + 4 * MAX_DIMENSIONS;
const TARGETS_AT = CONTEXTS_AT + 4 * MAX_ROWS;
const INPUT_AT = 65536;
const PAGE_BYTES = 65536;

/**
 * @param words v, number of rows in each matrix.
 * @param dimensions d, a multiple of 16 up to 1,024.
 * @throws RangeError when the two matrices do not fit into 4 GB.
 */
export function createSkipGramKernel(words: number, dimensions: number): SkipGramKernel {
  if (dimensions < DIMENSION_STEP || dimensions > MAX_DIMENSIONS || dimensions % DIMENSION_STEP !== 0) {
    throw new RangeError(
      `Expected dimensions to be a multiple of ${DIMENSION_STEP} up to ${MAX_DIMENSIONS}, got ${dimensions}.`,
    );
  }
  const rowBytes = 4 * dimensions;
  const pages = Math.ceil((INPUT_AT + 2 * words * rowBytes) / PAGE_BYTES);
  if (pages > 65535) {
    throw new RangeError(
      `Expected both matrices to fit into 4 GB, got ${words} words × ${dimensions} twice.`,
    );
  }
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const module = new WebAssembly.Module(assemble(pages));
  const instance = new WebAssembly.Instance(module, { host: { memory } });
  const run = instance.exports.step;

  const table = new Float32Array(memory.buffer, 0, TABLE_SIZE);
  for (let i = 0; i < TABLE_SIZE; i++) {
    const x = ((i + 0.5) / TABLE_SIZE) * 2 * TABLE_LIMIT - TABLE_LIMIT;
    table[i] = 1 / (1 + Math.exp(-x));
  }
  const outputAt = INPUT_AT + words * rowBytes;
  return {
    input: new Float32Array(memory.buffer, INPUT_AT, words * dimensions),
    output: new Float32Array(memory.buffer, outputAt, words * dimensions),
    contexts: new Int32Array(memory.buffer, CONTEXTS_AT, MAX_ROWS),
    targets: new Int32Array(memory.buffer, TARGETS_AT, MAX_ROWS),
    step: (contextCount, targetCount, learningRate) =>
      run(contextCount, targetCount, rowBytes, outputAt, learningRate),
  };
}

// ---------------------------------------------------------------------------------------------
// Assembly. Opcodes are those of the WebAssembly core specification 2.0, section 5.4.

const I32 = 0x7f;
const F32 = 0x7d;
const V128 = 0x7b;
const VOID = 0x40;

const END = 0x0b;
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const tee = (local: number): number[] => [0x22, local];
const i32 = (value: number): number[] => [0x41, ...signedLeb(value)];
const f32 = (value: number): number[] => [0x43, ...new Uint8Array(new Float32Array([value]).buffer)];
const loop = (...body: number[][]): number[] => [0x03, VOID, ...body.flat(), END];
/** Back to the start of the innermost loop while the value on the stack is not zero. */
const again = [0x0d, 0x00];
const i32Load = (offset = 0): number[] => [0x28, 0x02, ...leb(offset)];
const f32Load = (offset = 0): number[] => [0x2a, 0x02, ...leb(offset)];
const [i32Eq, i32LessUnsigned, i32Add, i32Multiply, i32ShiftLeft] = [[0x46], [0x49], [0x6a], [0x6c], [0x74]];
const [f32Add, f32Subtract, f32Multiply, f32Min, f32Max] = [[0x92], [0x93], [0x94], [0x96], [0x97]];
const f32FromI32 = [0xb2];
/** Saturating, so that a NaN becomes 0 instead of a trap. */
const i32FromF32 = [0xfc, 0x01];
const load = (offset: number): number[] => [0xfd, 0x00, 0x04, ...leb(offset)];
const store = (offset: number): number[] => [0xfd, 0x0b, 0x04, ...leb(offset)];
const zeros = [0xfd, 0x0c, ...new Array<number>(16).fill(0)];
const splat = [0xfd, 0x13];
const lane = (index: number): number[] => [0xfd, 0x1f, index];
const add = [0xfd, 0xe4, 0x01];
const multiply = [0xfd, 0xe6, 0x01];

/** Bytes of four registers, the stride of every loop over a row. */
const ROUND_BYTES = 64;
const QUARTERS = [0, 16, 32, 48];

/** step(contextCount, targetCount, rowBytes, outputAt, learningRate), over memory laid out as above. */
function assemble(pages: number): Uint8Array<ArrayBuffer> {
  const [contextEnd, targetEnd, rowBytes, outputAt, learningRate] = [0, 1, 2, 3, 4];
  const [context, target, input, output, at, sum, gradient] = [5, 6, 7, 8, 9, 10, 11];
  const accumulators = [12, 13, 14, 15];
  const row = 16;
  const locals = [
    [5, I32],
    [1, F32],
    [6, V128],
  ];
  const advance = [
    ...get(at),
    ...i32(ROUND_BYTES),
    ...i32Add,
    ...tee(at),
    ...get(rowBytes),
    ...i32LessUnsigned,
    ...again,
  ];
  const inputAt = [...get(input), ...get(at), ...i32Add];
  const outputRowAt = [...get(output), ...get(at), ...i32Add];
  const rowAddress = (list: number, base: number[]): number[] => [
    ...get(list),
    ...i32Load(),
    ...get(rowBytes),
    ...i32Multiply,
    ...base,
    ...i32Add,
  ];

  const clearGradient = [
    ...i32(0),
    ...set(at),
    ...loop(...QUARTERS.map((q) => [...get(at), ...zeros, ...store(GRADIENT_AT + q)]), advance),
  ];
  const dotProduct = [
    ...accumulators.flatMap((accumulator) => [...zeros, ...set(accumulator)]),
    ...i32(0),
    ...set(at),
    ...loop(
      ...QUARTERS.map((q, i) => [
        ...get(accumulators[i]),
        ...inputAt,
        ...load(q),
        ...outputRowAt,
        ...load(q),
        ...multiply,
        ...add,
        ...set(accumulators[i]),
      ]),
      advance,
    ),
    ...[...get(accumulators[0]), ...get(accumulators[1]), ...add],
    ...[...get(accumulators[2]), ...get(accumulators[3]), ...add],
    ...add,
    ...set(row),
    ...[...get(row), ...lane(0), ...get(row), ...lane(1), ...f32Add],
    ...[...get(row), ...lane(2), ...get(row), ...lane(3), ...f32Add],
    ...f32Add,
    ...set(sum),
  ];
  // (label − sigmoid(sum)) · learningRate; the label is 1 for the first target alone.
  const error = [
    ...get(target),
    ...i32(TARGETS_AT),
    ...i32Eq,
    ...f32FromI32,
    ...get(sum),
    ...f32(-TABLE_LIMIT),
    ...f32Max,
    ...f32(TABLE_LIMIT - 1e-3),
    ...f32Min,
    ...f32(TABLE_LIMIT),
    ...f32Add,
    ...f32(TABLE_SIZE / (2 * TABLE_LIMIT)),
    ...f32Multiply,
    ...i32FromF32,
    ...i32(2),
    ...i32ShiftLeft,
    ...f32Load(),
    ...f32Subtract,
    ...get(learningRate),
    ...f32Multiply,
    ...splat,
    ...set(gradient),
  ];
  const update = [
    ...i32(0),
    ...set(at),
    ...loop(
      ...QUARTERS.map((q) => [
        ...[...get(at), ...get(at), ...load(GRADIENT_AT + q)],
        ...[...outputRowAt, ...load(q), ...tee(row), ...get(gradient), ...multiply, ...add],
        ...store(GRADIENT_AT + q),
        ...[...outputRowAt, ...get(row), ...inputAt, ...load(q), ...get(gradient), ...multiply, ...add],
        ...store(q),
      ]),
      advance,
    ),
  ];
  const moveInput = [
    ...i32(0),
    ...set(at),
    ...loop(
      ...QUARTERS.map((q) => [
        ...[...inputAt, ...inputAt, ...load(q)],
        ...[...get(at), ...load(GRADIENT_AT + q), ...add],
        ...store(q),
      ]),
      advance,
    ),
  ];
  const nextIn = (list: number, end: number): number[] => [
    ...[...get(list), ...i32(4), ...i32Add, ...tee(list)],
    ...[...get(end), ...i32LessUnsigned, ...again],
  ];
  const listEnd = (count: number, base: number): number[] => [
    ...[...get(count), ...i32(2), ...i32ShiftLeft, ...i32(base), ...i32Add],
    ...set(count),
  ];
  const body = [
    ...listEnd(contextEnd, CONTEXTS_AT),
    ...listEnd(targetEnd, TARGETS_AT),
    ...i32(CONTEXTS_AT),
    ...set(context),
    ...loop(
      [...rowAddress(context, i32(INPUT_AT)), ...set(input)],
      clearGradient,
      [...i32(TARGETS_AT), ...set(target)],
      loop(
        [...rowAddress(target, get(outputAt)), ...set(output)],
        dotProduct,
        error,
        update,
        nextIn(target, targetEnd),
      ),
      moveInput,
      nextIn(context, contextEnd),
    ),
    END,
  ];

  const code = [locals.length, ...locals.flat(), ...body];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, 5, I32, I32, I32, I32, F32, 0]),
    ...section(2, [1, ...name('host'), ...name('memory'), 0x02, 0x01, ...leb(pages), ...leb(pages)]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name('step'), 0x00, 0]),
    ...section(10, [1, ...leb(code.length), ...code]),
  ]);
}

function section(id: number, bytes: number[]): number[] {
  return [id, ...leb(bytes.length), ...bytes];
}

function name(text: string): number[] {
  return [text.length, ...Buffer.from(text, 'ascii')];
}

/** Unsigned little-endian base 128. */
function leb(value: number): number[] {
  const bytes = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return [...bytes, rest];
}

/** Signed little-endian base 128. */
function signedLeb(value: number): number[] {
  const bytes = [];
  let rest = value;
  while (rest < -64 || rest > 63) {
    bytes.push((rest & 127) | 128);
    rest >>= 7;
  }
  return [...bytes, rest & 127];
}
