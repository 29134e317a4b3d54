import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readVectorRecipe } from '../../pipeline/checkpoint/pooling.ts';
import { fixtureFolder } from './small-models.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pooling-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, content: unknown): void =>
  writeFileSync(join(folder, name), JSON.stringify(content));

const modulesOf = (...kinds: string[]) =>
  kinds.map((kind, idx) => ({
    idx,
    name: String(idx),
    path: idx === 0 ? '' : `${idx}_${kind}`,
    type: `sentence_transformers.models.${kind}`,
  }));

function writeModules(pooling: unknown, ...kinds: string[]): void {
  write('modules.json', modulesOf(...kinds));
  mkdirSync(join(folder, '1_Pooling'), { recursive: true });
  write('1_Pooling/config.json', pooling);
}

describe('readVectorRecipe', () => {
  it('takes the [CLS] row, as it is, where there are no sentence-transformers files', () => {
    expect(readVectorRecipe(folder, 8)).toMatchObject({
      pooling: 'cls',
      normalize: false,
      maxTokens: null,
      prefix: null,
    });
  });

  it('follows modules.json and the files beside it', () => {
    expect(readVectorRecipe(fixtureFolder('bert-mean'), 24)).toMatchObject({
      pooling: 'mean',
      normalize: true,
      maxTokens: 16,
      prefix: null,
    });
  });

  it.each([
    [{ pooling_mode_cls_token: true, pooling_mode_mean_tokens: false }, 'cls'],
    [{ pooling_mode_max_tokens: true }, 'max'],
    [{ pooling_mode: 'mean', embedding_dimension: 8 }, 'mean'],
  ] as const)('reads %j', (pooling, wanted) => {
    writeModules(pooling, 'Transformer', 'Pooling');
    const recipe = readVectorRecipe(folder, 8);
    expect(recipe.pooling).toBe(wanted);
    expect(recipe.normalize).toBe(false);
  });

  it('takes the default prompt as prefix, and no other', () => {
    writeModules({ pooling_mode_mean_tokens: true }, 'Transformer', 'Pooling', 'Normalize');
    write('config_sentence_transformers.json', { prompts: { query: 'query: ' }, default_prompt_name: null });
    expect(readVectorRecipe(folder, 8).prefix).toBeNull();
    write('config_sentence_transformers.json', {
      prompts: { query: 'query: ', document: 'passage: ' },
      default_prompt_name: 'document',
    });
    expect(readVectorRecipe(folder, 8).prefix).toBe('passage: ');
  });

  it.each([
    [{ pooling_mode_weightedmean_tokens: true }, /found pooling_mode_weightedmean_tokens/],
    [{ pooling_mode_lasttoken: true }, /found pooling_mode_lasttoken/],
    [{ pooling_mode: 'lasttoken' }, /found lasttoken/],
    [{ pooling_mode_cls_token: true, pooling_mode_mean_tokens: true }, /pooling_mode_cls_token and pooling/],
    [{}, /one pooling mode of cls, mean and max, found none/],
    [{ pooling_mode_mean_tokens: true, word_embedding_dimension: 16 }, /8 numbers per token.*found 16/],
  ])('refuses pooling %j', (pooling, message) => {
    writeModules(pooling, 'Transformer', 'Pooling');
    expect(() => readVectorRecipe(folder, 8)).toThrow(message);
  });

  it('refuses other modules by name', () => {
    writeModules({ pooling_mode_mean_tokens: true }, 'Transformer', 'Pooling', 'Dense');
    expect(() => readVectorRecipe(folder, 8)).toThrow(/Dense is not supported/);
    write('modules.json', modulesOf('Transformer'));
    expect(() => readVectorRecipe(folder, 8)).toThrow(/expected a Pooling module/);
  });

  it('reads nothing outside the folder', () => {
    const [transformer, pooling] = modulesOf('Transformer', 'Pooling');
    write('modules.json', [transformer, { ...pooling, path: '../elsewhere' }]);
    expect(() => readVectorRecipe(folder, 8)).toThrow(/a folder's name, found "..\/elsewhere"/);
    write('modules.json', [{ ...transformer, path: '/etc' }, pooling]);
    expect(() => readVectorRecipe(folder, 8)).toThrow(/in the folder itself, found "\/etc"/);
  });
});
