import { readdirSync, readlinkSync } from 'node:fs';
import { expect, it } from 'vitest';
import { resolveModel } from '../../pipeline/model/reference.ts';
import { openTagger } from '../../pipeline/model/tagger.ts';

/** Files that this process holds open, where the system tells. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((name) => {
    try {
      return [readlinkSync(`/proc/self/fd/${name}`)];
    } catch {
      // The folder's own, closed again by now.
      return [];
    }
  });
}

it.skipIf(process.platform !== 'linux')('keeps onnxruntime from collecting usage data', async () => {
  const tagger = await openTagger(resolveModel('builtin:science', process.cwd()).folder);
  expect((await tagger.tagText('We train BERT for parsing.')).length).toBeGreaterThan(0);
  const files = openFiles();
  await tagger.close();
  expect(files.length).toBeGreaterThan(3);
  expect(files.filter((path) => /Microsoft|mat-debug|onnxruntime\.db/.test(path))).toEqual([]);
});
