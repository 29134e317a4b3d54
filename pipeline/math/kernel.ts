/** Loads WebAssembly kernels: the modules that pipeline/kernels/build.js makes of AssemblyScript. */

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// The parts of the WebAssembly interface used here; TypeScript declares them for browsers only.
declare const WebAssembly: {
  Memory: new (limits: { initial: number; maximum: number; shared: boolean }) => KernelMemory;
  Module: new (bytes: Uint8Array) => WebAssemblyModule;
  Instance: new (module: WebAssemblyModule, imports: object) => { exports: unknown };
};
interface WebAssemblyModule {
  readonly [Symbol.toStringTag]: 'WebAssembly.Module';
}

/** Bytes that kernels and threads share. */
export interface KernelMemory {
  readonly buffer: SharedArrayBuffer;
  /** Adds pages; what was there stays, and so do views of it. */
  grow(pages: number): number;
}

const modules = new Map<string, WebAssemblyModule>();

/** Pages that 32-bit addresses reach; the upper limit that every kernel's memory is declared with. */
export const maxKernelPages = 65_536;
export const kernelPageBytes = 65_536;

/** A memory that kernels and worker threads share, of at least `bytes`, all zero. */
export function kernelMemory(bytes: number): KernelMemory {
  const pages = Math.ceil(bytes / kernelPageBytes);
  if (pages > maxKernelPages) {
    throw new RangeError(
      `Expected at most ${maxKernelPages * kernelPageBytes} bytes of kernel memory, got ${bytes}.`,
    );
  }
  return new WebAssembly.Memory({ initial: Math.max(1, pages), maximum: maxKernelPages, shared: true });
}

/** Deals a kernel's memory out, from the start on, in whole cache lines. */
export interface MemoryCut {
  /** Address of the next `bytes`. */
  take(bytes: number): number;
  /** Bytes dealt out so far. */
  end(): number;
}

const lineBytes = 64;

export function cutMemory(): MemoryCut {
  // Nothing lies at address 0.
  let used = lineBytes;
  return {
    take: (bytes) => {
      const start = used;
      used += lineBytes * Math.ceil(bytes / lineBytes);
      return start;
    },
    end: () => used,
  };
}

/**
 * @param name File below pipeline/kernels without its ending.
 * @param memory As kernelMemory gives it; addresses handed to the functions are bytes into it.
 * @returns The kernel's functions.
 * @throws Error when the program was not built.
 */
export function loadKernel<Functions>(name: string, memory: KernelMemory): Functions {
  let module = modules.get(name);
  if (module === undefined) {
    const path = kernelFile(name);
    if (path === null) throw new Error(`There is no kernel ${name}.wasm; run npm run build.`);
    module = new WebAssembly.Module(readFileSync(path));
    modules.set(name, module);
  }
  return new WebAssembly.Instance(module, { env: { memory, abort } }).exports as Functions;
}

/** Whether the kernel is there: a program run from its sources may never have been built. */
export function isKernelBuilt(name: string): boolean {
  return kernelFile(name) !== null;
}

/** Compiled code finds kernels beside itself; code run from its sources finds those of the last build. */
function kernelFile(name: string): string | null {
  for (const folder of ['../kernels/', '../../dist/pipeline/kernels/']) {
    const path = fileURLToPath(new URL(`${folder}${name}.wasm`, import.meta.url));
    if (existsSync(path)) return path;
  }
  return null;
}

function abort(_message: number, _file: number, line: number, column: number): never {
  throw new Error(`A kernel stopped at line ${line}, column ${column}.`);
}
