import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createGzip } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { stage } from '../../../stages/ingest/stage.ts';

const folder = mkdtempSync(join(tmpdir(), 'ingest-memory-'));
afterAll(() => rmSync(folder, { recursive: true }));

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const megabyte = 1 << 20;

async function pack(name: string, pieces: Iterable<string>): Promise<void> {
  await pipeline(Readable.from(pieces), createGzip({ level: 1 }), createWriteStream(join(folder, name)));
}

/** Reads a file through the stage; tells rows and how far the live heap ever grew, in bytes. */
async function measure(
  name: string,
  source: string,
): Promise<{ kept: number; skipped: number; growth: number }> {
  const config = stage.section.schema.parse({ path: name, source });
  const job = {
    ...{
      config,
      seed: 1,
      threads: 1,
      baseFolder: folder,
      model: () => {
        throw new Error('no model here');
      },
      signal: new AbortController().signal,
    },
    ...{ progress: () => {}, notice: () => {} },
  };
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const result = { kept: 0, skipped: 0, growth: 0 };
  let batches = 0;
  for await (const batch of stage.read(job)) {
    result.kept += batch.records.length;
    result.skipped += batch.skipped.length;
    if (batches++ % 8 !== 0) continue;
    collectGarbage();
    result.growth = Math.max(result.growth, process.memoryUsage().heapUsed - before);
  }
  return result;
}

const abstract = 'The layer grows on sapphire, and the rate of it is "measured" twice. '.repeat(55);

function* lines(count: number, line: (i: number) => string): Generator<string> {
  for (let i = 0; i < count; i += 100) yield Array.from({ length: 100 }, (_, j) => line(i + j)).join('');
}

describe('memory', () => {
  const count = 50_000;

  it('stays below 40 MB more while 200 MB of JSON lines are read', async () => {
    await pack(
      'large.jsonl.gz',
      lines(count, (i) => `${JSON.stringify({ id: i, title: `Growth of film ${i}`, abstract })}\n`),
    );
    const { kept, growth } = await measure('large.jsonl.gz', 'jsonl');
    expect(kept).toBe(count);
    expect(count * abstract.length).toBeGreaterThan(170 * megabyte);
    expect(growth).toBeLessThan(40 * megabyte);
  });

  it('stays below 40 MB more while 200 MB of a table are read', async () => {
    const quoted = abstract.replaceAll('"', '""');
    const rows = lines(count, (i) =>
      i === 0 ? 'id,title,abstract\n' : `${i},Growth of film ${i},"${quoted}"\n`,
    );
    await pack('large.csv.gz', rows);
    const { kept, growth } = await measure('large.csv.gz', 'csv');
    expect(kept).toBe(count - 1);
    expect(growth).toBeLessThan(40 * megabyte);
  });

  it.each([
    ['csv', 'id,title,abstract\n1,Growth of thin films,The layer grows on sapphire.\n2,x,'],
    ['jsonl', '{"id": 1, "title": "Growth of thin films", "abstract": "The layer grows."}\n{"id": "'],
  ])('stays below 80 MB more in a %s file whose last line never ends', async (source, start) => {
    const name = `endless.${source}.gz`;
    await pack(name, [start, ...Array<string>(200).fill('x'.repeat(megabyte))]);
    const result = await measure(name, source);
    expect(result).toMatchObject({ kept: 1, skipped: 1 });
    expect(result.growth).toBeLessThan(80 * megabyte);
  });
});
