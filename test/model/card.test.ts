import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../pipeline/errors.ts';
import { cardHash, checkFiles, fileSha256, readCard } from '../../pipeline/model/card.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const entry = (text: string) => ({ sha256: sha256(text), bytes: text.length });

/** A folder with two files and the card that belongs to them, changed as told. */
function modelFolder(change: Record<string, unknown> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'scinertopic-card-'));
  writeFileSync(join(folder, 'model.onnx'), 'weights');
  writeFileSync(join(folder, 'config.json'), '{}');
  const files = { 'model.onnx': entry('weights'), 'config.json': entry('{}') };
  const card = {
    name: 'toy',
    task: 'document-embedding',
    description: 'A toy.',
    files,
    licence: 'MIT',
    ...change,
  };
  writeFileSync(join(folder, 'card.json'), JSON.stringify(card));
  return folder;
}

describe('readCard', () => {
  it('keeps what it does not know', () => {
    expect(readCard(modelFolder())).toMatchObject({ name: 'toy', licence: 'MIT' });
  });

  it.each(['../outside.txt', '/etc/hostname', '.', 'sub/../../outside.txt'])(
    'refuses a card that names %s, outside its folder',
    (name) => {
      const folder = modelFolder({ files: { [name]: entry('weights') } });
      expect(() => readCard(folder)).toThrow(UserError);
      expect(() => readCard(folder)).toThrow(/lies outside the model's folder/);
    },
  );

  it('names the folder without a card, the card that is no JSON, and the field that is wrong', () => {
    const bare = mkdtempSync(join(tmpdir(), 'scinertopic-card-'));
    expect(() => readCard(bare)).toThrow(`found none in ${bare}`);
    expect(() => readCard(bare)).toThrow(`models -- convert ${bare}`);
    writeFileSync(join(bare, 'card.json'), '{"name": ');
    expect(() => readCard(bare)).toThrow(/is not JSON/);
    expect(() => readCard(modelFolder({ task: 'poetry' }))).toThrow(/task/);
    expect(() => readCard(modelFolder({ files: { a: { sha256: 'short', bytes: 1 } } }))).toThrow(/sha256/);
  });

  it('refuses a card too large to be one', () => {
    const folder = modelFolder({ note: 'x'.repeat(1 << 20) });
    expect(() => readCard(folder)).toThrow(/larger than 1048576 bytes/);
  });
});

describe('checkFiles', () => {
  const faultsOf = (folder: string) => checkFiles(folder, readCard(folder));

  it('finds nothing wrong with a folder as it was written', async () => {
    expect(await faultsOf(modelFolder())).toEqual([]);
  });

  it('tells a changed byte, another size and a missing file apart', async () => {
    const folder = modelFolder();
    writeFileSync(join(folder, 'model.onnx'), 'weightz');
    expect(await faultsOf(folder)).toEqual([
      { name: 'model.onnx', fault: `expected sha256 ${sha256('weights')}, found ${sha256('weightz')}` },
    ]);
    writeFileSync(join(folder, 'model.onnx'), 'weight');
    rmSync(join(folder, 'config.json'));
    expect(await faultsOf(folder)).toEqual([
      { name: 'model.onnx', fault: 'expected 7 bytes, found 6' },
      { name: 'config.json', fault: 'missing' },
    ]);
  });

  it('hashes a file as a whole, whatever its size', async () => {
    const path = join(modelFolder(), 'large');
    const text = 'abc'.repeat(1_000_000);
    writeFileSync(path, text);
    expect(await fileSha256(path)).toBe(sha256(text));
  });
});

describe('cardHash', () => {
  const hashOf = (files: Record<string, unknown>, more: Record<string, unknown> = {}): string =>
    cardHash(readCard(modelFolder({ files, ...more })));

  it('depends on the files and their names, not on their order or on what else the card says', () => {
    const hash = hashOf({ a: entry('1'), b: entry('2') });
    expect(hashOf({ b: entry('2'), a: entry('1') }, { description: 'Other words.' })).toBe(hash);
    expect(hashOf({ a: entry('2'), b: entry('1') })).not.toBe(hash);
    expect(hashOf({ a: entry('1'), c: entry('2') })).not.toBe(hash);
  });
});
