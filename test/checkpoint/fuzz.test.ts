import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { bytesPerElement } from '../../pipeline/checkpoint/float-formats.ts';
import { weightsFrom } from '../../pipeline/checkpoint/weights.ts';
import { readZipDirectory } from '../../pipeline/checkpoint/zip-directory.ts';
import { UserError } from '../../pipeline/errors.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import { memorySource } from './memory-source.ts';
import { mutated } from './mutations.ts';
import { uint64, zip } from './small-checkpoints.ts';

const fixtures = fileURLToPath(new URL('fixtures/weights/', import.meta.url));
const files = readdirSync(fixtures)
  .filter((name) => !name.endsWith('.json'))
  .sort()
  .map((name) => ({ name, bytes: readFileSync(join(fixtures, name)) }));

/** Per file; SCINERTOPIC_FUZZ_CASES=100000 runs more. */
const cases = Number(process.env.SCINERTOPIC_FUZZ_CASES ?? 2000);

/** Opens damaged bytes and reads all that they still hold; throws on anything that must never happen. */
function outcomeOf(bytes: Buffer): 'refused' | 'partly read' | 'read' {
  const source = memorySource(bytes);
  let outcome: 'partly read' | 'read' = 'read';
  try {
    const weights = weightsFrom(source);
    if (source.bytesRead > 8 * bytes.length + 1000)
      throw new Error(`Opening read ${source.bytesRead} bytes.`);
    for (const [name, { dims, type }] of weights.tensors) {
      const count = dims.reduce((product, size) => product * size, 1);
      if (count * bytesPerElement[type] > bytes.length) throw new Error(`${name} is larger than its file.`);
      if (!type.includes('float')) {
        outcome = 'partly read';
        continue;
      }
      const values = weights.read(name);
      if (values.length !== count) throw new Error(`${name} has ${values.length} numbers, not ${count}.`);
    }
  } catch (error) {
    if (error instanceof UserError) return 'refused';
    throw error;
  }
  return outcome;
}

/** What can be damaged: a whole file, or its inner part, put back into a whole file around it. */
interface Target {
  name: string;
  bytes: Buffer;
  wrap: (damaged: Buffer) => Buffer;
}

const targets: Target[] = files.map(({ name, bytes }) => ({ name, bytes, wrap: (damaged) => damaged }));
for (const { name, bytes } of files) {
  if (name.endsWith('.safetensors')) {
    const end = 8 + Number(bytes.readBigUInt64LE());
    targets.push({
      name: `the header of ${name}`,
      bytes: bytes.subarray(8, end),
      wrap: (damaged) => Buffer.concat([uint64(damaged.length), damaged, bytes.subarray(end)]),
    });
  }
  if (name.endsWith('.zip.bin') && name !== 'program.zip.bin') {
    const entries = [...readZipDirectory(memorySource(bytes))].map(
      ([entryName, { position, bytes: size }]) => ({
        name: entryName,
        bytes: bytes.subarray(position, position + size),
      }),
    );
    const pickles = entries.filter((entry) => entry.name.endsWith('/data.pkl'));
    const others = entries.filter((entry) => !entry.name.endsWith('/data.pkl'));
    targets.push({
      name: `the pickle of ${name}`,
      bytes: pickles[0].bytes,
      wrap: (damaged) => zip([{ name: pickles[0].name, bytes: damaged }, ...others]),
    });
  }
}

describe('damaged files', () => {
  it.each(targets.map(({ name }, index) => [name, index] as const))(
    '%s: either read or refused with a UserError',
    (name, index) => {
      const counts = { refused: 0, 'partly read': 0, read: 0 };
      const { bytes, wrap } = targets[index];
      const { rss } = process.memoryUsage();
      for (let i = 0; i < cases; i++) {
        const random = createRandom(1, index, i);
        const donor = targets[random.nextBelow(targets.length)].bytes;
        const damaged = wrap(mutated(bytes, donor, random));
        try {
          counts[outcomeOf(damaged)]++;
        } catch (cause) {
          throw new Error(`${name}, case ${i}: ${cause}`, { cause });
        }
      }
      expect(counts.refused + counts['partly read'] + counts.read).toBe(cases);
      expect(counts.refused).toBeGreaterThan(cases / 4);
      // Memory that any case had claimed beyond its file's few kB would show.
      expect(process.memoryUsage().rss - rss).toBeLessThan(300e6);
      if (process.env.SCINERTOPIC_FUZZ_CASES !== undefined) {
        process.stderr.write(`${name} ${JSON.stringify(counts)}\n`);
      }
    },
  );
});
