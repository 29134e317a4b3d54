import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { loadConfig } from '../../pipeline/config.ts';
import { UserError } from '../../pipeline/errors.ts';

const schemas = {
  cluster: z.strictObject({
    min_cluster_size: z.int().min(2).default(15),
    method: z.enum(['eom', 'leaf']).default('eom'),
    epsilon: z.number().min(0).max(10).default(0),
  }),
  label: z.strictObject({
    weights: z.record(z.string(), z.number().min(0)).default({ Method: 1 }),
    source: z.string().optional(),
  }),
};

function load(text: string, overrides: string[] = []) {
  const file = join(mkdtempSync(join(tmpdir(), 'scinertopic-config-')), 'config.yaml');
  writeFileSync(file, text);
  return loadConfig(file, schemas, overrides);
}

function messageOf(text: string, overrides: string[] = []): string {
  try {
    load(text, overrides);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as Error).message.replace(/\/\S*\/config\.yaml/, 'config.yaml');
  }
  throw new Error('expected the config to be refused');
}

describe('loadConfig', () => {
  it('fills in defaults, also for an empty file', () => {
    expect(load('').sections.cluster).toEqual({ min_cluster_size: 15, method: 'eom', epsilon: 0 });
    expect(load('cluster:\n  min_cluster_size: 7\n').sections.cluster.min_cluster_size).toBe(7);
    expect(load('').sections.run.seed).toBe(42);
  });

  it('says what was expected, what was found, and where', () => {
    expect(messageOf('run:\n  seed: 1\ncluster:\n  min_cluster_size: "ten"\n')).toBe(
      'cluster: expected min_cluster_size to be a whole number from 2 up, got "ten" (config.yaml, line 4).',
    );
    expect(messageOf('cluster: {min_cluster_size: 1}')).toContain(
      'a whole number from 2 up, got 1 (config.yaml, line 1)',
    );
    expect(messageOf('cluster:\n  method: xeom\n')).toContain(
      'expected method to be one of eom, leaf, got "xeom"',
    );
    expect(messageOf('cluster:\n  epsilon: 11\n')).toContain('a number from 0 to 10, got 11');
    expect(messageOf('label:\n  weights: {Method: -1}\n')).toContain(
      'expected weights.Method to be a number from 0 up, got -1',
    );
  });

  it('refuses an unknown key and names the nearest known one', () => {
    expect(messageOf('cluster:\n  min_cluster_sizes: 3\n')).toBe(
      'Unknown cluster setting "min_cluster_sizes" (config.yaml, line 2). Did you mean "min_cluster_size"?',
    );
    expect(messageOf('clutser: {}\n')).toContain(
      'Unknown section "clutser" (config.yaml, line 1). Did you mean "cluster"?',
    );
    expect(messageOf('quite_other: {}\n')).toContain('Known: run, cluster, label.');
  });

  it('lets overrides win over the file, also in sections the file lacks', () => {
    const { sections } = load('cluster:\n  min_cluster_size: 7\n', [
      'cluster.min_cluster_size=9',
      'label.weights.Task=2',
    ]);
    expect(sections.cluster.min_cluster_size).toBe(9);
    expect(sections.label.weights).toEqual({ Task: 2 });
    expect(messageOf('', ['cluster.min_cluster_size=x'])).toContain('a whole number from 2 up, got "x"');
    expect(messageOf('', ['cluster min'])).toContain('expected section.key=value');
  });

  it('names the override that is wrong, not a line of the file', () => {
    const file = 'cluster:\n  min_cluster_size: 7\n';
    expect(messageOf(file, ['cluster.min_cluster_size=1'])).toContain('(--set cluster.min_cluster_size=1)');
    expect(messageOf(file, ['cluster.min_cluster_size.x=1'])).toContain(
      'in cluster.min_cluster_size, found 7',
    );
    expect(messageOf('- a\n', ['cluster.method=leaf'])).toContain('in the configuration');
    expect(load('', ['label.weights.cell-line=2']).sections.label.weights).toEqual({ 'cell-line': 2 });
  });

  it('refuses names that every object has, aliases to nothing and aliases without end', () => {
    expect(messageOf('toString: {}\n')).toContain('Unknown section "toString"');
    expect(messageOf('cluster: *nothing\n')).toContain('alias');
    const bomb = [
      'a: &a [x, x]',
      ...'bcdefghij'.split('').map((c, i) => `${c}: &${c} [${`*${'abcdefghi'[i]}, `.repeat(9)}]`),
    ];
    expect(messageOf(bomb.join('\n'))).toContain('alias');
  });

  it('refuses broken YAML, duplicate keys and a missing file with the place', () => {
    expect(messageOf('cluster: [1\n')).toContain('line');
    expect(messageOf('run: {seed: 1, seed: 2}\n')).toContain('unique');
    expect(() => loadConfig('/nowhere/config.yaml', schemas)).toThrow(/no configuration file/);
  });
});
