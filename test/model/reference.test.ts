import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../pipeline/errors.ts';
import { cardHash, readCard } from '../../pipeline/model/card.ts';
import { builtinFolder, builtinNames, resolveModel } from '../../pipeline/model/reference.ts';

const card = { name: 'toy', task: 'document-embedding', description: 'A toy.', files: {} };

describe('resolveModel', () => {
  it('finds the shipped models by name', () => {
    expect(builtinNames()).toEqual(expect.arrayContaining(['science', 'static']));
    const folder = join(builtinFolder(), 'static');
    expect(resolveModel('builtin:static', '/anywhere')).toEqual({
      reference: 'builtin:static',
      folder,
      hash: cardHash(readCard(folder)),
    });
  });

  it('reads a relative folder from the given one, an absolute folder as it is', () => {
    const folder = join(mkdtempSync(join(tmpdir(), 'scinertopic-reference-')), 'toy');
    mkdirSync(folder);
    writeFileSync(join(folder, 'card.json'), JSON.stringify(card));
    expect(resolveModel('toy', dirname(folder)).folder).toBe(folder);
    expect(resolveModel(folder, '/nowhere').folder).toBe(folder);
  });

  it.each([
    ['builtin:sciense', /Expected a shipped model \(.*science.*\), got "builtin:sciense"/],
    ['builtin:../models/static', /Expected a shipped model/],
    ['models/none', /there is no folder \/nowhere\/models\/none/],
  ])('refuses %s and says what there is', (reference, words) => {
    expect(() => resolveModel(reference, '/nowhere')).toThrow(UserError);
    expect(() => resolveModel(reference, '/nowhere')).toThrow(words);
  });
});
