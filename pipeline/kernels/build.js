/**
 * Compiles every kernel of this folder, which is written in AssemblyScript, to WebAssembly beside the compiled
 * program: kernels/NAME.ts to dist/pipeline/kernels/NAME.wasm. A kernel imports one shared memory and allocates
 * nothing: addresses are handed in.
 */

import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const folder = dirname(fileURLToPath(import.meta.url));
const root = join(folder, '..', '..');
const out = join(root, 'dist', 'pipeline', 'kernels');

mkdirSync(out, { recursive: true });
for (const file of readdirSync(folder).filter((name) => name.endsWith('.ts'))) {
  const { error, stderr } = await asc.main(
    [
      relative(root, join(folder, file)),
      ...['--outFile', relative(root, join(out, file.replace(/\.ts$/, '.wasm')))],
      ...['--baseDir', root],
      '-O3',
      ...['--runtime', 'stub'],
      ...['--enable', 'simd', '--enable', 'threads'],
      ...['--importMemory', '--sharedMemory', '--maximumMemory', '65536'],
      '--noAssert',
    ],
    {},
  );
  if (error) {
    console.error(stderr.toString());
    throw error;
  }
}
