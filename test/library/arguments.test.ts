import { describe, expect, it } from 'vitest';
import {
  allPointsMembershipVectors,
  approximatePredict,
  classTfIdf,
  countClassTerms,
  fitHdbscan,
  fitUmap,
  hdbscan,
  hdbscanAsync,
  Interrupted,
  membershipVectors,
  nearestNeighbors,
  openStore,
  runPipeline,
  umap,
  umapTransform,
} from '../../pipeline/library.ts';

/** What no type lets through: programs in plain JavaScript have none. */
const untyped = <T>(value: unknown): T => value as T;
const three = Float32Array.of(0, 0, 1, 0, 5, 5);

/** Kinds of error, with a promise's rejection thrown like the others. */
async function errorOf(work: () => unknown): Promise<Error> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('Expected an error, got none.');
}

const calls: Record<string, (numbers: Float32Array, options: Record<string, unknown>) => unknown> = {
  nearestNeighbors: (numbers, options) =>
    nearestNeighbors(numbers, untyped({ n: 3, d: 2, k: 1, ...options })),
  umap: (numbers, options) => umap(numbers, untyped({ n: 3, d: 2, ...options })),
  fitUmap: (numbers, options) => fitUmap(numbers, untyped({ n: 3, d: 2, ...options })),
  hdbscan: (numbers, options) => hdbscan(numbers, untyped({ n: 3, d: 2, ...options })),
  hdbscanAsync: (numbers, options) => hdbscanAsync(numbers, untyped({ n: 3, d: 2, ...options })),
  fitHdbscan: (numbers, options) => fitHdbscan(numbers, untyped({ n: 3, d: 2, ...options })),
};

describe.each(Object.entries(calls))('%s', (name, call) => {
  it('takes what it should', async () => {
    await call(three, {});
    await call(three, { signal: undefined, onProgress: undefined });
  });

  it.each([
    ['a wrong length', three.subarray(1), {}, RangeError, /3 rows × 2 numbers = 6, got 5/],
    ['more rows than there are', three, { n: 4 }, RangeError, /4 rows × 2 numbers = 8, got 6/],
    [
      'an array',
      untyped<Float32Array>([0, 0, 1, 0, 5, 5]),
      {},
      TypeError,
      /to be a Float32Array.*, got an array of 6/,
    ],
    ['nothing', untyped<Float32Array>(undefined), {}, TypeError, /to be a Float32Array.*, got undefined/],
    ['NaN', Float32Array.of(0, 0, 1, NaN, 5, 5), {}, RangeError, /finite.*got NaN in row 1\b.*column 1/],
    [
      'infinity',
      Float32Array.of(0, 0, 1, 0, -Infinity, 5),
      {},
      RangeError,
      /got -Infinity in row 2\b.*column 0/,
    ],
    ['half a row', three, { n: 1.5 }, RangeError, /n to be a whole number from \d up, got 1.5/],
    ['n as text', three, { n: '3' }, TypeError, /n to be a whole number from \d up, got "3"/],
    ['no d', three, { d: undefined }, TypeError, /expected d, a whole number from 1 up, got none/],
    ['rows of no number', three, { d: 0 }, RangeError, /d to be a whole number from 1 up, got 0/],
    [
      'a misspelt option',
      three,
      { onprogress() {} },
      TypeError,
      /no option "onprogress". Did you mean "onProgress"/,
    ],
    [
      'an option of another library',
      three,
      { verbose: true },
      TypeError,
      /no option "verbose". There are: n, d, /,
    ],
    ['a signal that is none', three, { signal: 5 }, TypeError, /signal to be an AbortSignal, got 5/],
    [
      'a listener that is none',
      three,
      { onProgress: 'x' },
      TypeError,
      /onProgress to be a function, got "x"/,
    ],
  ])('refuses %s', async (_, numbers, options, kind, message) => {
    const error = await errorOf(() => call(numbers, options));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toMatch(message);
  });

  it('refuses options that are none', async () => {
    const functions: Record<string, (numbers: Float32Array, options: never) => unknown> = {
      ...{ nearestNeighbors, umap, fitUmap, hdbscan, hdbscanAsync, fitHdbscan },
    };
    const error = await errorOf(() => functions[name](three, untyped(7)));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe(`${name}: expected options as an object, got 7.`);
  });

  it('does no work once the signal is aborted, and passes its reason on', async () => {
    const error = await errorOf(() => call(three, { signal: AbortSignal.abort('weary') }));
    expect(error).toBeInstanceOf(Interrupted);
    expect(error.cause).toBe('weary');
  });
});

describe('nearestNeighbors', () => {
  it.each([
    [{ k: 3 }, 'nearestNeighbors: expected k to be at most n − 1 = 2, the other rows, got 3.'],
    [{ k: 0 }, 'k to be a whole number from 1 up, got 0'],
    [{ n: 1 }, 'n to be a whole number from 2 up, got 1'],
    [{ n: 0 }, 'n to be a whole number from 2 up, got 0'],
    [{ metric: 'cosine' }, 'expected a length above 0, got 0 in row 0 of 3'],
    [{ metric: 'dot' }, 'metric to be "cosine" or "euclidean", got "dot"'],
    [{ search: 'fast' }, 'search to be "auto" or "exact" or "approximate", got "fast"'],
    [{ threads: 0 }, 'threads to be a whole number from 1 to 1024, got 0'],
    [{ seed: 0.5 }, 'seed to be a whole number, got 0.5'],
  ])('refuses %j', async (options, message) => {
    const error = await errorOf(() => nearestNeighbors(three, untyped({ n: 3, d: 2, k: 1, ...options })));
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toContain(message);
  });

  it('finds the other of two rows', async () => {
    const { indices, distances } = await nearestNeighbors(Float32Array.of(1, 4), { n: 2, d: 1, k: 1 });
    expect([...indices, ...distances]).toEqual([1, 0, 3, 3]);
  });
});

describe('umap', () => {
  it.each([
    [{ nNeighbors: 1 }, 'nNeighbors to be a whole number from 2 up, got 1'],
    [{ nComponents: 0 }, 'nComponents to be a whole number from 1 up, got 0'],
    [{ minDist: -1 }, 'minDist to be a number from 0 up, got -1'],
    [{ minDist: 2 }, 'minDist to be at most spread = 1, got 2'],
    [{ spread: 0 }, 'spread to be a number above 0, got 0'],
    [{ epochs: 0.5 }, 'epochs to be a whole number from 1 up, got 0.5'],
    [{ rowOrder: 'mixed' }, 'rowOrder to be "content" or "given", got "mixed"'],
    [{ metric: 'cosine' }, 'got 0 in row 0 of 3'],
    [
      { neighbors: { indices: new Int32Array(5), distances: new Float32Array(6) } },
      'neighbors.indices of 3 rows × 2 numbers = 6, got 5',
    ],
  ])('refuses %j', async (options, message) => {
    const error = await errorOf(() => umap(three, untyped({ n: 3, d: 2, ...options })));
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toContain(message);
  });

  it.each([0, 1, 2, 3, 4, 5])('lays out %i rows, and places others among them', async (n) => {
    const vectors = Float32Array.from({ length: 3 * n }, (_, x) => Math.cos(x * x));
    const { embedding } = await umap(vectors, { n, d: 3 });
    expect(embedding.length).toBe(2 * n);
    expect(embedding.every(Number.isFinite)).toBe(true);
    const model = await fitUmap(vectors, { n, d: 3 });
    expect(model.embedding).toEqual(embedding);
    const placing = umapTransform(model, Float32Array.of(1, 2, 3, 3, 2, 1));
    if (n === 0) await expect(placing).rejects.toThrow('model of at least one row, got one of none');
    else {
      const placed = (await placing).embedding;
      expect(placed.length).toBe(4);
      expect(placed.every(Number.isFinite)).toBe(true);
    }
  });
});

describe('umapTransform', () => {
  const vectors = Float32Array.from({ length: 60 }, (_, x) => 1 + Math.cos(x * x));
  const fitted = fitUmap(vectors, { n: 20, d: 3, nNeighbors: 5, metric: 'cosine' });

  it.each([
    [Float32Array.of(1, 2), {}, RangeError, '3 numbers a row, as the model'],
    [Float32Array.of(1, 2, 3, 1, NaN, 3), {}, RangeError, 'got NaN in row 1 of 2, column 1 of 3'],
    [Float32Array.of(1, 2, 3, 0, 0, 0), {}, RangeError, 'got 0 in row 1 of 2'],
    [untyped<Float32Array>([1, 2, 3]), {}, TypeError, 'to be a Float32Array, got an array of 3'],
    [Float32Array.of(1, 2, 3), { n: 1 }, TypeError, 'no option "n"'],
  ])('refuses %j with %j', async (rows, options, kind, message) => {
    const model = await fitted;
    const error = await errorOf(() => umapTransform(model, rows, untyped(options)));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(message);
  });

  it('refuses a model that is none, and takes one that was cloned', async () => {
    const error = await errorOf(() => umapTransform(untyped({ embedding: vectors }), vectors));
    expect(error.message).toBe('umapTransform: expected a model that fitUmap gave, got a Object.');
    const model = await fitted;
    expect(await umapTransform(structuredClone(model), vectors)).toEqual(await umapTransform(model, vectors));
  });

  it('places no rows for none', async () => {
    expect((await umapTransform(await fitted, new Float32Array(0))).embedding).toHaveLength(0);
  });
});

describe('hdbscan', () => {
  it.each([
    [{ minClusterSize: 1 }, 'minClusterSize to be a whole number from 2 up, got 1'],
    [{ minSamples: 0 }, 'minSamples to be a whole number from 1 up, got 0'],
    [{ clusterSelectionMethod: 'best' }, 'clusterSelectionMethod to be "eom" or "leaf", got "best"'],
    [{ clusterSelectionEpsilon: NaN }, 'clusterSelectionEpsilon to be a number from 0 up, got NaN'],
    [{ maxClusterSize: 0 }, 'maxClusterSize to be a whole number from 1 up, got 0'],
  ])('refuses %j', async (options, message) => {
    const error = await errorOf(() => hdbscan(three, untyped({ n: 3, d: 2, ...options })));
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toContain(message);
  });

  it.each([0, 1, 2])('calls %i points noise', (n) => {
    expect([...hdbscan(new Float64Array(n), { n, d: 1 }).labels]).toEqual(Array(n).fill(-1));
  });

  it('refuses to place points by what is no model, or points of another width', () => {
    const model = fitHdbscan(three, { n: 3, d: 2, minClusterSize: 2, minSamples: 1 });
    for (const place of [approximatePredict, membershipVectors]) {
      expect(() => place(untyped({}), three)).toThrow('expected a model that fitHdbscan gave, got a Object');
      expect(() => place(model, three.subarray(1))).toThrow('2 numbers a row, as the model’s are, got 5');
      expect(() => place(model, Float32Array.of(1, NaN))).toThrow('got NaN in row 0, column 1');
    }
    expect(() => allPointsMembershipVectors(untyped(null))).toThrow(
      'expected a model that fitHdbscan gave, got null',
    );
  });

  it('keeps no listener in its model', () => {
    const model = fitHdbscan(three, {
      n: 3,
      d: 2,
      onProgress: () => {},
      signal: new AbortController().signal,
    });
    expect(Object.keys(model.options)).not.toEqual(expect.arrayContaining(['onProgress']));
    expect(Object.keys(model.options)).not.toEqual(expect.arrayContaining(['signal']));
  });
});

describe('classTfIdf', () => {
  const counts = { offsets: [0, 1], terms: [0], values: [2] };
  it.each([
    [counts, { c: 1, v: 1, bm25weighting: true }, TypeError, 'Did you mean "bm25Weighting"'],
    [counts, { c: 1, v: 1, bm25Weighting: 1 }, TypeError, 'bm25Weighting to be true or false, got 1'],
    [counts, { c: 1 }, TypeError, 'expected v, a whole number from 0 up, got none'],
    [null, { c: 1, v: 1 }, TypeError, 'expected counts as { offsets, terms, values }'],
    [{ ...counts, values: [NaN] }, { c: 1, v: 1 }, RangeError, 'got NaN at entry 0'],
    [counts, { c: 2, v: 1 }, RangeError, 'Expected 3 offsets for 2 classes, got 2'],
    [
      { offsets: [0, 2], terms: [1, 1], values: [1, 1] },
      { c: 1, v: 2 },
      RangeError,
      'each term once in a class, got 1 twice in class 0',
    ],
  ])('refuses %j with %j', (given, options, kind, message) => {
    const weigh = () => classTfIdf(untyped(given), untyped(options));
    expect(weigh).toThrow(kind);
    expect(weigh).toThrow(message);
  });

  it('takes no classes and no terms', () => {
    expect(classTfIdf({ offsets: [0], terms: [], values: [] }, { c: 0, v: 0 })).toHaveLength(0);
  });
});

describe('countClassTerms', () => {
  it.each([
    [5, { c: 1 }, TypeError, 'expected texts that can be iterated over'],
    [[{ text: 5, class: 0 }], { c: 1 }, TypeError, 'expected text 0 as { text, class } with a text, got 5'],
    [[{ text: 'a', class: 0 }, null], { c: 1 }, TypeError, 'expected text 1 as { text, class }'],
    [
      [{ text: 'a', class: 1 }],
      { c: 1 },
      RangeError,
      'class of text 0 to be a whole number from -1 to 0, got 1',
    ],
    [[], { c: 1, ngrams: [2, 1] }, RangeError, 'ngrams to be two whole numbers from 1 to 5, the lower first'],
    [[], { c: 1, ngrams: 2 }, TypeError, 'ngrams to be two whole numbers'],
    [[], { c: 1, stopWords: 'the' }, TypeError, 'stopWords to be words that can be iterated over, got "the"'],
  ])('refuses %j with %j', async (texts, options, kind, message) => {
    const error = await errorOf(() => countClassTerms(untyped(texts), untyped(options)));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(message);
  });

  it('hears its signal between texts', async () => {
    const controller = new AbortController();
    function* endless() {
      for (;;) {
        controller.abort();
        yield { text: 'more and more', class: 0 };
      }
    }
    await expect(countClassTerms(endless(), { c: 1, signal: controller.signal })).rejects.toThrow(
      Interrupted,
    );
  });
});

describe('runPipeline and openStore', () => {
  it.each([
    [{}, TypeError, 'runPipeline: expected config, the path of a config.yaml, got none.'],
    [{ config: 5 }, TypeError, 'config to be the path of a config.yaml, got 5'],
    [{ config: 'x.yaml', froms: 'embed' }, TypeError, 'no option "froms". Did you mean "from"?'],
    [{ config: 'x.yaml', from: 'embeds' }, RangeError, 'from to be "ingest" or "entities"'],
    [{ config: 'x.yaml', only: ['embed', 'all'] }, RangeError, 'only to be an array of stages (ingest, '],
    [{ config: 'x.yaml', set: 'run.seed=1' }, TypeError, 'set to be an array of section.key=value'],
  ])('refuse %j', async (options, kind, message) => {
    const error = await errorOf(() => runPipeline(untyped(options)));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(message);
  });

  it('refuse what is no path', () => {
    expect(() => openStore(untyped(null))).toThrow('openStore: expected the path of a database, got null.');
  });
});
