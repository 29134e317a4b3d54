import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../pipeline/math/random.ts';
import { openEncoder } from '../../pipeline/model/document-encoder.ts';
import {
  decodeStaticModel,
  encodeStaticModel,
  quantizeTable,
  restoreTable,
} from '../../pipeline/model/static-encoder.ts';
import { createWordPiece, formatTokenizer } from '../../pipeline/model/word-piece.ts';

const scratch = mkdtempSync(join(tmpdir(), 'scinertopic-static-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const vocabulary = ['[PAD]', '[UNK]', 'deep', 'sea', 'coral', '##s', 'reef', '.'];
const [v, d] = [vocabulary.length, 6];
const random = createRandom(9);
const tables = [0, 1].map(() => {
  const table = Float32Array.from({ length: v * d }, () => random.nextNormal());
  table.fill(0, 0, d);
  return quantizeTable(table, d);
});

function writeFolder(name: string, parts: number, maxTokens = 512): string {
  const folder = join(scratch, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.onnx'), encodeStaticModel(tables.slice(0, parts)));
  writeFileSync(join(folder, 'tokenizer.json'), formatTokenizer(vocabulary, maxTokens));
  const config = { model_type: 'static', dimensions: parts * d, max_tokens: maxTokens };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  return folder;
}

const documents = [
  { title: 'Deep sea', abstract: 'Corals. Corals reef deep.' },
  { title: '', abstract: '' },
  { title: 'Reef', abstract: '' },
  { title: 'Sea reefs', abstract: 'unheard of words' },
];

/** What the graph is meant to compute, in plain loops. */
function byHand(text: { title: string; abstract: string }, parts: number): number[] {
  const wordPiece = createWordPiece(vocabulary);
  const ids = [...wordPiece.encode(text.title), ...wordPiece.encode(text.abstract)];
  if (ids.length === 0) ids.push(wordPiece.unknownId);
  const unit = (row: number[]) => row.map((value) => value / Math.hypot(...row));
  const whole = tables.slice(0, parts).flatMap((table) => {
    const rows = restoreTable(table);
    const sum = new Array<number>(d).fill(0);
    for (const id of new Set(ids)) {
      const weight = 1 + Math.log(ids.filter((other) => other === id).length);
      for (let j = 0; j < d; j++) sum[j] += weight * rows[id * d + j];
    }
    return unit(sum);
  });
  return unit(whole);
}

describe('the static encoder', () => {
  it.each([1, 2])('computes what plain loops compute, with %i parts', async (parts) => {
    const encoder = await openEncoder(writeFolder(`parts-${parts}`, parts));
    const vectors = await encoder.encode(documents);
    await encoder.close();
    for (const [i, document] of documents.entries()) {
      const expected = byHand(document, parts);
      for (let j = 0; j < parts * d; j++) expect(vectors[i * parts * d + j]).toBeCloseTo(expected[j], 6);
    }
  });

  it('gives a document the same bytes alone and in any batch', async () => {
    const encoder = await openEncoder(writeFolder('batches', 2));
    const whole = await encoder.encode(documents);
    for (const [i, document] of documents.entries()) {
      const alone = await encoder.encode([document]);
      expect([...alone]).toEqual([...whole.subarray(i * 2 * d, (i + 1) * 2 * d)]);
    }
    await encoder.close();
  });

  it('gives empty, unknown, broken and enormous texts a vector of length 1', async () => {
    const encoder = await openEncoder(writeFolder('texts', 2));
    const abstracts = ['', '\ud800', '語', 'coral '.repeat(200_000), 'x'.repeat(1_000_000)];
    const vectors = await encoder.encode(abstracts.map((abstract) => ({ title: '', abstract })));
    await encoder.close();
    for (let i = 0; i < abstracts.length; i++) {
      expect(Math.hypot(...vectors.subarray(i * 2 * d, (i + 1) * 2 * d))).toBeCloseTo(1, 5);
    }
  });

  it('reads no further than max_tokens', async () => {
    const encoder = await openEncoder(writeFolder('short', 1, 3));
    const vectors = await encoder.encode([
      { title: 'deep sea', abstract: 'reef coral coral' },
      { title: 'deep sea', abstract: 'reef' },
    ]);
    await encoder.close();
    expect([...vectors.subarray(0, d)]).toEqual([...vectors.subarray(d)]);
  });

  it('refuses other kinds of models and missing files, naming the file', async () => {
    const folder = writeFolder('other', 1);
    writeFileSync(join(folder, 'config.json'), '{"model_type": "bert"}');
    await expect(openEncoder(folder)).rejects.toThrow(
      /config\.json: expected model_type "static" or a converted model, got "bert"/,
    );
    rmSync(join(folder, 'config.json'));
    await expect(openEncoder(folder)).rejects.toThrow(/expected a file at .*config\.json/);
  });
});

describe('quantized tables', () => {
  it('come back from the file as they were stored', () => {
    expect(decodeStaticModel(encodeStaticModel(tables))).toEqual(tables);
  });

  it('stay within half a step of the numbers trained', () => {
    const table = Float32Array.from({ length: 64 }, () => random.nextNormal());
    const quantized = quantizeTable(table, 16);
    const restored = restoreTable(quantized);
    for (let at = 0; at < table.length; at++) {
      const step = quantized.scales[Math.floor(at / 16)];
      expect(Math.abs(restored[at] - table[at])).toBeLessThanOrEqual(step * 0.5001);
    }
  });

  it('keep a row of zeros', () => {
    expect([...restoreTable(quantizeTable(new Float32Array(16), 16))]).toEqual(new Array(16).fill(0));
  });
});
