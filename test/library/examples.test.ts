import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../pipeline/model/package-root.ts';
import { freshFolder, sampleRows } from '../pipeline/fresh-folder.ts';

// docs/library.md, whose examples are run as they stand, but for where 'scinertopic' is.
const text = readFileSync(join(packageRoot(), 'docs', 'library.md'), 'utf8');
const built = pathToFileURL(join(packageRoot(), 'dist', 'pipeline', 'library.js')).href;

const examples = [...text.matchAll(/^```js\n(.*?)^```$/gms)].map((match) => {
  const heading = [...text.slice(0, match.index).matchAll(/^## (.*)$/gm)].at(-1);
  return { name: heading?.[1] ?? '', code: match[1] };
});

/** What an example says it prints: behind a console.log, or on lines of its own at the end. */
function promisedLines(code: string): string[] {
  return [
    ...[...code.matchAll(/console\.log\(.*\);(?: \}\))? \/\/ (.*)$/gm)].map((match) => match[1]),
    ...[...code.matchAll(/^(?:\/\/ .*\n)+(?![\s\S])/gm)].flatMap((match) =>
      match[0]
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(3)),
    ),
  ];
}

describe('docs/library.md', () => {
  it('has an example for every function that is exported', async () => {
    const { ...library } = await import('../../pipeline/library.ts');
    const functions = Object.entries(library).filter(
      ([, value]) => typeof value === 'function' && !/^class /.test(String(value)),
    );
    const shown = examples.map(({ code }) => code).join('\n');
    const missing = functions
      .map(([name]) => name)
      .filter((name) => !new RegExp(`\\b${name}\\(`).test(shown));
    // Its twin stands beside it in the text.
    expect(missing).toEqual(['fitHdbscanAsync']);
    expect(text).toContain('fitHdbscanAsync');
  });

  it.each(examples)('$name: the example prints what it says', ({ code }) => {
    const promised = promisedLines(code);
    expect(promised).not.toEqual([]);
    const folder = freshFolder(sampleRows().slice(0, 30));
    const file = join(folder, 'example.mjs');
    writeFileSync(file, code.replace(`from 'scinertopic'`, `from '${built}'`));
    const ended = spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' });
    expect(ended.stderr).toBe('');
    expect(ended.stdout.trimEnd().split('\n')).toEqual(promised);
  });
});
