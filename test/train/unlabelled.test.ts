import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { UserError } from '../../pipeline/errors.ts';
import { readCheckpoint, writeCheckpoint } from '../../pipeline/train/checkpoint.ts';
import { sampleSentences } from '../../pipeline/train/unlabelled.ts';

const folder = mkdtempSync(join(tmpdir(), 'unlabelled-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const lines = Array.from({ length: 50 }, (_, i) =>
  JSON.stringify({
    title: `A title of paper ${i}`,
    abstract: `The first sentence of paper ${i}. And here is the second one.`,
  }),
).join('\n');
const plain = join(folder, 'plain.jsonl');
const packed = join(folder, 'packed.jsonl.gz');
writeFileSync(plain, `${lines}\n\n`);
writeFileSync(packed, gzipSync(lines));

it('takes as many sentences from each file, whole ones, the same for the same seed', async () => {
  const sentences = await sampleSentences([plain, packed], 21, 1);
  expect(sentences).toHaveLength(21);
  expect(sentences).toEqual(await sampleSentences([plain, packed], 21, 1));
  expect(sentences).not.toEqual(await sampleSentences([plain, packed], 21, 2));
  for (const sentence of sentences) {
    expect(sentence.join(' ')).toMatch(
      /^(?:A title of paper \d+|The first sentence of paper \d+ \.|And here is the second one \.)$/,
    );
  }
});

it('draws documents from the whole file, not from its beginning', async () => {
  const numbers = (await sampleSentences([plain], 30, 1)).map((words) =>
    Number(words.find((word) => /^\d+$/.test(word)) ?? 0),
  );
  expect(Math.max(...numbers)).toBeGreaterThan(30);
});

it('gives what there is when a file has fewer', async () => {
  expect(await sampleSentences([plain], 1000, 1)).toHaveLength(150);
});

it('names the file and line that is no JSON, and the file that is absent', async () => {
  const broken = join(folder, 'broken.jsonl');
  writeFileSync(broken, '{"title": "x"}\n{oh\n');
  await expect(sampleSentences([broken], 10, 1)).rejects.toThrow('line 2');
  await expect(sampleSentences([join(folder, 'none.jsonl')], 10, 1)).rejects.toThrow(UserError);
});

it('a checkpoint comes back as it was written, and is undefined where there is none', () => {
  const path = join(folder, 'deep', 'state.onnx');
  expect(readCheckpoint(path)).toBeUndefined();
  const state = {
    arrays: new Map([
      ['a', Float32Array.of(1, -2)],
      ['b', new Float32Array(0)],
    ]),
    numbers: { step: 3 },
  };
  writeCheckpoint(path, state);
  expect(readCheckpoint(path)).toEqual(state);
});
