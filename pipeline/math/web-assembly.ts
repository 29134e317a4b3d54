/**
 * A small assembler for WebAssembly: the instructions that the kernels of this project are written in, as
 * bytes, and the module around them. A module has one memory, handed in, and functions of one signature.
 *
 * Codes are those of the WebAssembly core specification 2.0, section 5.
 */

export const pageBytes = 65536;
/** Pages that 32-bit addresses reach. */
export const maxPages = 65536;

// Types of values.
export const i32 = 0x7f;
export const f32 = 0x7d;
export const v128 = 0x7b;

// Control. A branch of depth 0 goes back to the start of the innermost loop, or past the end of the innermost
// block; greater depths count outwards.
const END = 0x0b;
const VOID = 0x40;
export const block = (...body: number[][]): number[] => [0x02, VOID, ...body.flat(), END];
export const loop = (...body: number[][]): number[] => [0x03, VOID, ...body.flat(), END];
export const branch = (depth: number): number[] => [0x0c, depth];
export const branchIf = (depth: number): number[] => [0x0d, depth];

// Parameters and locals, numbered together.
export const get = (local: number): number[] => [0x20, local];
export const set = (local: number): number[] => [0x21, local];
export const tee = (local: number): number[] => [0x22, local];

// Whole numbers.
export const i32Constant = (value: number): number[] => [0x41, ...signed(value)];
export const i32Load = (offset = 0): number[] => [0x28, 2, ...unsigned(offset)];
export const i32Equal = [0x46];
export const i32LessUnsigned = [0x49];
export const i32GreaterOrEqualUnsigned = [0x4f];
export const i32Add = [0x6a];
export const i32Multiply = [0x6c];
export const i32ShiftLeft = [0x74];
/** Saturating, so that a NaN becomes 0 instead of a trap. */
export const i32FromF32 = [0xfc, 0x01];

// Single-precision numbers.
export const f32Constant = (value: number): number[] => [
  0x43,
  ...new Uint8Array(new Float32Array([value]).buffer),
];
export const f32Load = (offset = 0): number[] => [0x2a, 2, ...unsigned(offset)];
export const f32Add = [0x92];
export const f32Subtract = [0x93];
export const f32Multiply = [0x94];
export const f32Min = [0x96];
export const f32Max = [0x97];
export const f32FromI32 = [0xb2];

// Registers of four single-precision numbers.
const simd = (code: number): number[] => [0xfd, ...unsigned(code)];
export const v128Load = (offset = 0): number[] => [...simd(0x00), 4, ...unsigned(offset)];
export const v128Store = (offset = 0): number[] => [...simd(0x0b), 4, ...unsigned(offset)];
export const v128Zeros = [...simd(0x0c), ...new Array<number>(16).fill(0)];
/** One number from memory, four times. */
export const v128LoadSplat32 = (offset = 0): number[] => [...simd(0x09), 2, ...unsigned(offset)];
export const f32x4Splat = simd(0x13);
export const f32x4Lane = (index: number): number[] => [...simd(0x1f), index];
export const f32x4Add = simd(0xe4);
export const f32x4Multiply = simd(0xe6);

export interface Assembly {
  /** Pages of the memory that is handed in: at least, at most. */
  pages: [least: number, most: number];
  /** Types of the parameters, the same for every function; none gives a result. */
  parameters: readonly number[];
  functions: readonly AssembledFunction[];
}

export interface AssembledFunction {
  /** The function is exported under it. */
  name: string;
  /** Numbers and types of the locals after the parameters. */
  locals: readonly (readonly [count: number, type: number])[];
  code: readonly number[];
}

/** The module as bytes. */
function assemble({ pages, parameters, functions }: Assembly): Uint8Array {
  const bodies = functions.map(({ locals, code }) => sized([locals.length, ...locals.flat(), ...code, END]));
  const exported = functions.flatMap(({ name }, index) => [...text(name), 0x00, index]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, ...sized(parameters), 0]),
    ...section(2, [1, ...text('host'), ...text('memory'), 0x02, 0x01, ...pages.flatMap(unsigned)]),
    ...section(3, [functions.length, ...functions.map(() => 0)]),
    ...section(7, [functions.length, ...exported]),
    ...section(10, [functions.length, ...bodies.flat()]),
  ]);
}

const section = (id: number, content: number[]): number[] => [id, ...sized(content)];
const sized = (content: readonly number[]): number[] => [...unsigned(content.length), ...content];
const text = (value: string): number[] => sized([...Buffer.from(value)]);

/** Little-endian base 128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return [...bytes, rest];
}

/** The same in two's complement. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest < -64 || rest > 63) {
    bytes.push((rest & 127) | 128);
    rest >>= 7;
  }
  return [...bytes, rest & 127];
}

// ---------------------------------------------------------------------------------------------
// Use

/** What `compile` gives; only `instantiate` looks into it. */
export interface CompiledModule {
  readonly compiledModule: never;
}

export interface Memory {
  readonly buffer: ArrayBuffer;
}

// The parts of the WebAssembly interface used here; TypeScript declares them for browsers only.
declare const WebAssembly: {
  Memory: new (limits: { initial: number; maximum: number }) => Memory;
  Module: new (bytes: Uint8Array) => CompiledModule;
  Instance: new (module: CompiledModule, imports: { host: { memory: Memory } }) => { exports: object };
};

/** Zeros; it keeps its size. */
export function createMemory(pages: number): Memory {
  return new WebAssembly.Memory({ initial: pages, maximum: pages });
}

export function compile(assembly: Assembly): CompiledModule {
  return new WebAssembly.Module(assemble(assembly));
}

/** @returns The module's functions by name, working in `memory`. */
export function instantiate<Functions extends object>(module: CompiledModule, memory: Memory): Functions {
  return new WebAssembly.Instance(module, { host: { memory } }).exports as Functions;
}
