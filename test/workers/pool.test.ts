import { cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DocumentColumns, Matrix, ModelPin } from '../../pipeline/contract.ts';
import { Interrupted, UserError } from '../../pipeline/errors.ts';
import { builtinFolder } from '../../pipeline/model/reference.ts';
import { type ThreadData, workInOrder } from '../../pipeline/workers/pool.ts';

const pinOf = (folder: string): ModelPin => ({ reference: 'a model', hash: '', folder });
const shipped = pinOf(join(builtinFolder(), 'static'));
const dataOf = (model: ModelPin): ThreadData => ({
  stage: 'embed',
  config: {},
  model,
  machine: { device: 'cpu', threads: 1 },
});

/** Batch b has b % 3 + 1 documents, the first batches the longest texts, so that they end last. */
function* batches(count: number): Generator<{ number: number; documents: DocumentColumns }> {
  for (let number = 0; number < count; number++) {
    const id = Array.from({ length: (number % 3) + 1 }, (_, i) => `${number}-${i}`);
    const words = 'machine translation of rare languages '.repeat(200 * (count - number));
    yield {
      number,
      documents: { id, title: id, abstract: id.map(() => words), year: id.map(() => null) },
    };
  }
}

async function outputs(threads: number, count: number): Promise<{ number: number; output: Matrix }[]> {
  const found: { number: number; output: Matrix }[] = [];
  const signal = new AbortController().signal;
  const work = workInOrder<{ number: number; documents: DocumentColumns }, Matrix>(
    dataOf(shipped),
    threads,
    batches(count),
    signal,
  );
  for await (const { batch, output } of work) found.push({ number: batch.number, output });
  return found;
}

describe('workInOrder', () => {
  it('gives each batch what belongs to it, in the order of the batches, with any number of threads', async () => {
    const alone = await outputs(1, 7);
    expect(alone.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(alone.map(({ output }) => output.n)).toEqual([1, 2, 3, 1, 2, 3, 1]);
    expect(await outputs(3, 7)).toEqual(alone);
    expect(await outputs(2, 0)).toEqual([]);
  });

  it('takes no more batches than it can soon work on', async () => {
    let taken = 0;
    function* counted() {
      for (const batch of batches(40)) {
        taken++;
        yield batch;
      }
    }
    const work = workInOrder(dataOf(shipped), 2, counted(), new AbortController().signal);
    await work.next();
    expect(taken).toBeLessThanOrEqual(4);
    await work.return(undefined);
    expect(taken).toBeLessThanOrEqual(4);
  });

  it('throws what a thread cannot do, as the user’s affair where it is', async () => {
    const signal = new AbortController().signal;
    const gone = workInOrder(dataOf(pinOf('/nowhere')), 2, batches(5), signal);
    await expect(gone.next()).rejects.toThrow(UserError);
    const folder = mkdtempSync(join(tmpdir(), 'scinertopic-pool-'));
    cpSync(shipped.folder, folder, { recursive: true });
    writeFileSync(join(folder, 'model.onnx'), 'no graph');
    const broken = workInOrder(dataOf(pinOf(folder)), 2, batches(5), signal);
    await expect(broken.next()).rejects.toThrow(/model/i);
  });

  it('stops when asked to', async () => {
    const abort = new AbortController();
    const work = workInOrder(dataOf(shipped), 1, batches(9), abort.signal);
    await work.next();
    abort.abort();
    await expect(work.next()).rejects.toThrow(Interrupted);
  });
});
