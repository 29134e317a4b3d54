import { describe, expect, it } from 'vitest';
import { quoted } from '../../pipeline/http/transfer-fault.ts';
import { checkRepository, checkRevision, isSafePath } from '../../pipeline/hub/names.ts';

describe('checkRepository', () => {
  it.each([
    'allenai/specter2_base',
    'bert-base-uncased',
    'RJuro/SciNERTopic',
    'sentence-transformers/all-MiniLM-L6-v2',
    'a/b.c_d-e',
    '0x/_y',
  ])('takes %s', (name) => {
    expect(() => checkRepository(name)).not.toThrow();
  });

  it.each([
    '',
    '/',
    'a/',
    '/a',
    'a/b/c',
    '../a',
    'a/..',
    '.',
    'a..b',
    'a--b/c',
    '-a/b',
    'a/b-',
    'a/b.git',
    'a b/c',
    'a\\b',
    'a/b?x=1',
    'a/b#',
    'a%2fb',
    'ä/b',
    `a/${'b'.repeat(97)}`,
    'a/b\n',
  ])('refuses %j', (name) => {
    expect(() => checkRepository(name)).toThrow('Expected a repository');
  });
});

describe('checkRevision', () => {
  it.each(['main', 'v1.0', 'refs/pr/1', 'feature/x', 'a'.repeat(40), '2.4.0+cu'])('takes %s', (revision) => {
    expect(() => checkRevision(revision)).not.toThrow();
  });

  it.each([
    '',
    '/',
    '..',
    'a/../b',
    '/main',
    'main/',
    'a//b',
    '.hidden',
    'a.lock',
    'a b',
    'a~1',
    'a^',
    'a:b',
    'x@{1}',
    'a\0',
    'a\\b',
    'a'.repeat(251),
  ])('refuses %j', (revision) => {
    expect(() => checkRevision(revision)).toThrow('Expected a revision');
  });
});

describe('isSafePath', () => {
  it.each(['config.json', '1_Pooling/config.json', 'a b/ä.txt', '.gitattributes', 'a..b', '...x'])(
    'takes %s',
    (path) => {
      expect(isSafePath(path)).toBe(true);
    },
  );

  it.each([
    '',
    '..',
    '../a',
    'a/..',
    'a/../b',
    '/a',
    'a/',
    'a//b',
    './a',
    'a\\b',
    'C:a',
    'a:stream',
    'a\0',
    'a\n',
    'nul',
    'NUL.txt',
    'a/COM1',
    'a.',
    'a ',
    '\ud800',
    'x'.repeat(201),
  ])('refuses %j', (path) => {
    expect(isSafePath(path)).toBe(false);
  });
});

describe('quoted', () => {
  it('leaves no control character, and cuts what is long', () => {
    expect(quoted('a\u001b[31m\u009b1m')).toBe('"a\\u001b[31m?1m"');
    expect(quoted('x'.repeat(500))).toHaveLength(123);
  });
});
