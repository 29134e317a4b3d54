import { describe, expect, it } from 'vitest';
import { UserError } from '../../pipeline/errors.ts';
import { readTagScheme } from '../../pipeline/model/tag-scheme.ts';

const read = (...labels: string[]) => readTagScheme(labels, 'config.json');
const roles = (...labels: string[]) => read(...labels).tags.map(({ role, type }) => `${role} ${type}`);

describe('readTagScheme', () => {
  it('reads BIO, types in the order of the labels', () => {
    const { name, types, tags } = read('B-Task', 'O', 'I-Task', 'I-Method', 'B-Method');
    expect(name).toBe('BIO');
    expect(types).toEqual(['Task', 'Method']);
    expect(tags[0]).toEqual({ role: 'begin', type: 'Task' });
    expect(tags[1].type).toBeNull();
    expect(tags[3]).toEqual({ role: 'inside', type: 'Method' });
  });

  it('reads labels without prefix as types, hyphens and all', () => {
    const { name, types } = read('O', 'cell-line', 'E-mail', 'S-phase');
    expect(name).toBe('IO');
    expect(types).toEqual(['cell-line', 'E-mail', 'S-phase']);
  });

  it.each([
    ['BIOES', ['B-x', 'I-x', 'E-x', 'S-x']],
    ['BILOU', ['B-x', 'I-x', 'L-x', 'U-x']],
    ['BMES', ['B-x', 'M-x', 'E-x', 'S-x']],
    ['BMEW', ['B-x', 'M-x', 'E-x', 'W-x']],
  ])('reads the ends that %s marks', (_, labels) => {
    const { name, types } = read('O', ...labels);
    expect(name).toBe('BIOES');
    expect(types).toEqual(['x']);
    expect(roles(...labels)).toEqual(['begin x', 'inside x', 'end x', 'single x']);
  });

  it('reads a type that only ever stands alone once the others show the scheme', () => {
    expect(read('O', 'B-x', 'I-x', 'E-x', 'S-x', 'S-y').types).toEqual(['x', 'y']);
  });

  it('takes a letter that no B- or I- label shares its type with for part of the name', () => {
    const { name, types } = read('O', 'B-Method', 'I-Method', 'E-mail');
    expect(name).toBe('BIO');
    expect(types).toEqual(['Method', 'E-mail']);
  });

  it('keeps hyphens after the prefix', () => {
    expect(read('O', 'B-Other-Term', 'I-Other-Term').types).toEqual(['Other-Term']);
  });

  it('refuses labels that were never named, unless one of them is O', () => {
    expect(() => read('LABEL_0', 'LABEL_1')).toThrow(UserError);
    expect(() => read('LABEL_0', 'LABEL_1')).toThrow('expected id2label to name what the model finds');
    expect(read('O', 'LABEL_1').types).toEqual(['LABEL_1']);
  });
});
