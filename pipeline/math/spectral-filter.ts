/**
 * The Chebyshev filter of the spectral start, as the work of a thread team on one shared memory: each of its steps
 * multiplies a block of vectors by a sparse matrix. The kernel that does so, kernels/spectral.ts, has its plain
 * twin here, which gives the same bits.
 */

import { cutMemory, type KernelMemory, kernelMemory, loadKernel } from './kernel.ts';
import { pause } from './pause.ts';
import { compiledModule, type OpenTeamWork, startTeam } from './thread-team.ts';

/** A symmetric matrix as compressed rows, and blocks of p vectors [n × p], p a multiple of 4. */
export interface FilterArrays {
  /** Int32Array [n + 1]. */
  offsets: Int32Array;
  /** Int32Array [entries]. */
  targets: Int32Array;
  /** Float32Array [entries]. */
  entries: Float32Array;
  /** Two blocks; filtered is what stands in the first. */
  blocks: [Float32Array, Float32Array];
}

/** Where they lie in the memory: bytes. */
export interface FilterWork {
  memory: KernelMemory;
  n: number;
  p: number;
  /** Entries of the matrix. */
  m: number;
  offsets: number;
  targets: number;
  entries: number;
  blocks: [number, number];
}

export interface FilterRequest {
  degree: number;
  /** Eigenvalues from −1 to this are filtered out. */
  border: number;
}

/** What one step computes: result = factor · (M · block − shift · block) − share · result. */
export interface FilterStep {
  shift: number;
  factor: number;
  share: number;
}

/** Rows that one task multiplies. */
const TASK_ROWS = 2048;
/** Fewer rows are filtered in plain code, since a graph may fall into hundreds of parts and a memory is dear. */
const LEAST_KERNEL_ROWS = 1024;
/** Below this many rows, threads would be longer in starting than at work. */
const LEAST_THREADED_ROWS = 10_000;

/** A filter of blocks that are to be put into `block`, and are taken from there. */
export interface Filter {
  /** Float32Array [n × p]. */
  block: Float32Array;
  run(request: FilterRequest): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param matrix Offsets, targets and entries, of any precision, of a symmetric matrix.
 * @param p A multiple of 4.
 */
export function openFilter(
  matrix: { offsets: Int32Array; targets: Int32Array; entries: Float64Array },
  p: number,
  { threads = 1, signal }: { threads?: number | undefined; signal?: AbortSignal | undefined },
): Filter {
  const n = matrix.offsets.length - 1;
  if (n < LEAST_KERNEL_ROWS) return plainFilter(matrix, n, p, signal);
  const places = filterPlaces(n, p, matrix.targets.length);
  const work = { ...places, memory: kernelMemory(places.end) };
  const arrays = filterArrays(work);
  arrays.offsets.set(matrix.offsets);
  arrays.targets.set(matrix.targets);
  arrays.entries.set(matrix.entries);
  const team = startTeam({
    module: () => compiledModule('spectral-filter'),
    open,
    data: work,
    threads: n < LEAST_THREADED_ROWS ? 1 : threads,
    signal,
  });
  return { block: arrays.blocks[0], run: (request) => team.run(request), close: () => team.close() };
}

/** @param m Entries of the matrix. */
export function filterPlaces(n: number, p: number, m: number): Omit<FilterWork, 'memory'> & { end: number } {
  const { take, end } = cutMemory();
  return {
    ...{ n, p, m, offsets: take(4 * (n + 1)), targets: take(4 * m), entries: take(4 * m) },
    blocks: [take(4 * n * p), take(4 * n * p)],
    end: end(),
  };
}

export function filterArrays({
  memory,
  n,
  p,
  m,
  offsets,
  targets,
  entries,
  blocks,
}: FilterWork): FilterArrays {
  const starts = new Int32Array(memory.buffer, offsets, n + 1);
  const block = (place: number): Float32Array => new Float32Array(memory.buffer, place, n * p);
  return {
    offsets: starts,
    targets: new Int32Array(memory.buffer, targets, m),
    entries: new Float32Array(memory.buffer, entries, m),
    blocks: [block(blocks[0]), block(blocks[1])],
  };
}

/**
 * The steps of the polynomial that is small on [−1, border], grows steeply from there to 1, and is 1 at 1. Steps
 * read one of the two blocks and write the other, by turns; an even degree leaves the result in the first.
 */
export function filterSteps({ degree, border }: FilterRequest): FilterStep[] {
  const shift = (border - 1) / 2;
  const radius = (border + 1) / 2;
  const first = radius / (1 - shift);
  const steps = [{ shift, factor: first / radius, share: 0 }];
  let scale = first;
  for (let step = 2; step <= degree; step++) {
    const next = 1 / (2 / first - scale);
    steps.push({ shift, factor: (2 * next) / radius, share: scale * next });
    scale = next;
  }
  return steps;
}

/** The functions of kernels/spectral.ts. */
interface Kernel {
  step(
    offsets: number,
    targets: number,
    entries: number,
    block: number,
    result: number,
    p: number,
    shift: number,
    factor: number,
    share: number,
    first: number,
    end: number,
  ): void;
}

export const open: OpenTeamWork<FilterWork, FilterRequest> = (work) => {
  const { memory, n, p, offsets, targets, entries, blocks } = work;
  const kernel = loadKernel<Kernel>('spectral', memory);
  return (request, crew) => {
    filterSteps(request).forEach(({ shift, factor, share }, turn) => {
      crew.share(Math.ceil(n / TASK_ROWS), (task) => {
        kernel.step(
          ...([offsets, targets, entries, blocks[turn % 2], blocks[1 - (turn % 2)], p] as const),
          ...([shift, factor, share] as const),
          ...([task * TASK_ROWS, Math.min(n, (task + 1) * TASK_ROWS)] as const),
        );
      });
    });
  };
};

function plainFilter(
  { offsets, targets, entries }: { offsets: Int32Array; targets: Int32Array; entries: Float64Array },
  n: number,
  p: number,
  signal: AbortSignal | undefined,
): Filter {
  const block = new Float32Array(n * p);
  const blocks: FilterArrays['blocks'] = [block, new Float32Array(n * p)];
  const arrays = { offsets, targets, entries: Float32Array.from(entries), blocks };
  return {
    block,
    run: async (request) => {
      await pause(signal);
      filterPlainly(arrays, p, request);
    },
    close: async () => {},
  };
}

/** What the team does with the kernel, to the same bits. */
export function filterPlainly(arrays: FilterArrays, p: number, request: FilterRequest): void {
  const [even, odd] = arrays.blocks;
  filterSteps(request).forEach((step, turn) => {
    if (turn % 2 === 0) stepPlainly(arrays, even, odd, p, step);
    else stepPlainly(arrays, odd, even, p, step);
  });
}

function stepPlainly(
  { offsets, targets, entries }: FilterArrays,
  block: Float32Array,
  result: Float32Array,
  p: number,
  step: FilterStep,
): void {
  const f32 = Math.fround;
  const [shift, factor, share] = [f32(step.shift), f32(step.factor), f32(step.share)];
  for (let i = 0; i < offsets.length - 1; i++) {
    for (let q = 0; q < p; q++) {
      let sum = f32(-shift * block[i * p + q]);
      for (let x = offsets[i]; x < offsets[i + 1]; x++) {
        sum = f32(sum + f32(entries[x] * block[targets[x] * p + q]));
      }
      result[i * p + q] = f32(f32(factor * sum) - f32(share * result[i * p + q]));
    }
  }
}
