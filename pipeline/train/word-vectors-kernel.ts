/**
 * The inner loop of skip-gram with negative sampling as a WebAssembly module of about 1,000 bytes: V8 does not
 * vectorise plain loops, and 128-bit lanes make this one about four times faster. Lanes are added in a fixed order and nothing is fused, so the bits are the same on every machine.
 */

import {
  type AssembledFunction,
  branchIf,
  compile,
  createMemory,
  f32,
  f32Add,
  f32Constant,
  f32FromI32,
  f32Load,
  f32Max,
  f32Min,
  f32Multiply,
  f32Subtract,
  f32x4Add,
  f32x4Lane,
  f32x4Multiply,
  f32x4Splat,
  get,
  i32,
  i32Add,
  i32Constant,
  i32Equal,
  i32FromF32,
  i32LessUnsigned,
  i32Load,
  i32Multiply,
  i32ShiftLeft,
  instantiate,
  loop,
  maxPages,
  pageBytes,
  set,
  tee,
  v128,
  v128Load,
  v128Store,
  v128Zeros,
} from '../math/web-assembly.ts';

/** Rows must fill whole rounds of four 128-bit registers. */
const DIMENSION_STEP = 16;
const MAX_DIMENSIONS = 1024;

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

type Step = (
  contextCount: number,
  targetCount: number,
  rowBytes: number,
  outputAt: number,
  learningRate: number,
) => void;

// Memory: table, gradient of one row, the two lists of rows, then both matrices.
const TABLE_SIZE = 1024;
const TABLE_LIMIT = 6;
const GRADIENT_AT = 4 * TABLE_SIZE;
const CONTEXTS_AT = GRADIENT_AT + 4 * MAX_DIMENSIONS;
const TARGETS_AT = CONTEXTS_AT + 4 * MAX_ROWS;
const INPUT_AT = pageBytes;

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
  const pages = Math.ceil((INPUT_AT + 2 * words * rowBytes) / pageBytes);
  if (pages >= maxPages) {
    throw new RangeError(
      `Expected both matrices to fit into 4 GB, got ${words} words × ${dimensions} twice.`,
    );
  }
  const memory = createMemory(pages);
  const module = compile({
    pages: [pages, pages],
    parameters: [i32, i32, i32, i32, f32],
    functions: [stepCode()],
  });
  const { step: run } = instantiate<{ step: Step }>(module, memory);

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

/** Bytes of four registers, the stride of every loop over a row. */
const ROUND_BYTES = 64;
const QUARTERS = [0, 16, 32, 48];

/** What `Step` does, over memory laid out as above. */
function stepCode(): AssembledFunction {
  const [contextEnd, targetEnd, rowBytes, outputAt, learningRate] = [0, 1, 2, 3, 4];
  const [context, target, input, output, at, sum, gradient] = [5, 6, 7, 8, 9, 10, 11];
  const accumulators = [12, 13, 14, 15];
  const row = 16;
  const advance = [
    ...get(at),
    ...i32Constant(ROUND_BYTES),
    ...i32Add,
    ...tee(at),
    ...get(rowBytes),
    ...i32LessUnsigned,
    ...branchIf(0),
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
    ...i32Constant(0),
    ...set(at),
    ...loop(...QUARTERS.map((q) => [...get(at), ...v128Zeros, ...v128Store(GRADIENT_AT + q)]), advance),
  ];
  const dotProduct = [
    ...accumulators.flatMap((accumulator) => [...v128Zeros, ...set(accumulator)]),
    ...i32Constant(0),
    ...set(at),
    ...loop(
      ...QUARTERS.map((q, i) => [
        ...get(accumulators[i]),
        ...inputAt,
        ...v128Load(q),
        ...outputRowAt,
        ...v128Load(q),
        ...f32x4Multiply,
        ...f32x4Add,
        ...set(accumulators[i]),
      ]),
      advance,
    ),
    ...[...get(accumulators[0]), ...get(accumulators[1]), ...f32x4Add],
    ...[...get(accumulators[2]), ...get(accumulators[3]), ...f32x4Add],
    ...f32x4Add,
    ...set(row),
    ...[...get(row), ...f32x4Lane(0), ...get(row), ...f32x4Lane(1), ...f32Add],
    ...[...get(row), ...f32x4Lane(2), ...get(row), ...f32x4Lane(3), ...f32Add],
    ...f32Add,
    ...set(sum),
  ];
  // (label − sigmoid(sum)) · learningRate; the label is 1 for the first target alone.
  const error = [
    ...get(target),
    ...i32Constant(TARGETS_AT),
    ...i32Equal,
    ...f32FromI32,
    ...get(sum),
    ...f32Constant(-TABLE_LIMIT),
    ...f32Max,
    ...f32Constant(TABLE_LIMIT - 1e-3),
    ...f32Min,
    ...f32Constant(TABLE_LIMIT),
    ...f32Add,
    ...f32Constant(TABLE_SIZE / (2 * TABLE_LIMIT)),
    ...f32Multiply,
    ...i32FromF32,
    ...i32Constant(2),
    ...i32ShiftLeft,
    ...f32Load(),
    ...f32Subtract,
    ...get(learningRate),
    ...f32Multiply,
    ...f32x4Splat,
    ...set(gradient),
  ];
  const update = [
    ...i32Constant(0),
    ...set(at),
    ...loop(
      ...QUARTERS.map((q) => [
        ...[...get(at), ...get(at), ...v128Load(GRADIENT_AT + q)],
        ...[...outputRowAt, ...v128Load(q), ...tee(row), ...get(gradient), ...f32x4Multiply, ...f32x4Add],
        ...v128Store(GRADIENT_AT + q),
        ...[
          ...outputRowAt,
          ...get(row),
          ...inputAt,
          ...v128Load(q),
          ...get(gradient),
          ...f32x4Multiply,
          ...f32x4Add,
        ],
        ...v128Store(q),
      ]),
      advance,
    ),
  ];
  const moveInput = [
    ...i32Constant(0),
    ...set(at),
    ...loop(
      ...QUARTERS.map((q) => [
        ...[...inputAt, ...inputAt, ...v128Load(q)],
        ...[...get(at), ...v128Load(GRADIENT_AT + q), ...f32x4Add],
        ...v128Store(q),
      ]),
      advance,
    ),
  ];
  const nextIn = (list: number, end: number): number[] => [
    ...[...get(list), ...i32Constant(4), ...i32Add, ...tee(list)],
    ...[...get(end), ...i32LessUnsigned, ...branchIf(0)],
  ];
  const listEnd = (count: number, base: number): number[] => [
    ...[...get(count), ...i32Constant(2), ...i32ShiftLeft, ...i32Constant(base), ...i32Add],
    ...set(count),
  ];
  const code = [
    ...listEnd(contextEnd, CONTEXTS_AT),
    ...listEnd(targetEnd, TARGETS_AT),
    ...i32Constant(CONTEXTS_AT),
    ...set(context),
    ...loop(
      [...rowAddress(context, i32Constant(INPUT_AT)), ...set(input)],
      clearGradient,
      [...i32Constant(TARGETS_AT), ...set(target)],
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
  ];
  return {
    name: 'step',
    locals: [
      [5, i32],
      [1, f32],
      [6, v128],
    ],
    code,
  };
}
