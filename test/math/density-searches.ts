/** Both searches, for tests that hold them to one another. */

import { kernelSearch } from '../../pipeline/math/density-kernel.ts';
import { type DensitySearch, plainSearch } from '../../pipeline/math/density-search.ts';
import { isKernelBuilt } from '../../pipeline/math/kernel.ts';

type OpenSearch = (points: Float32Array | Float64Array, n: number, d: number) => DensitySearch;

if (!isKernelBuilt('density'))
  console.warn('The density kernel is not built (npm run build); it is not tested.');

export const searches: [string, OpenSearch][] = [
  ['typed arrays', plainSearch],
  ...(isKernelBuilt('density') ? [['WebAssembly', kernelSearch] satisfies [string, OpenSearch]] : []),
];
