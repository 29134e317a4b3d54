import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { countDamage, describeDamage } from '../../../stages/ingest/damaged-abstracts.ts';

const sound = Array.from({ length: 60 }, (_, i) => (i % 7 === 0 ? 'the' : `word${i}`)).join(' ');
const damaged = Array.from({ length: 60 }, (_, i) => `word${i}`).join(' ');

function judge(abstracts: string[]): string | null {
  const count = { judged: 0, damaged: 0 };
  for (const abstract of abstracts) countDamage(count, abstract);
  return describeDamage(count, 'papers.csv', 'AB');
}

describe('damaged abstracts', () => {
  it('are told by their file, field and number', () => {
    const warning = judge([...Array(8).fill(damaged), sound, 'short text']);
    expect(warning).toContain('papers.csv');
    expect(warning).toContain('"AB"');
    expect(warning).toContain('8 of 9 abstracts');
  });

  it('are not suspected in sound files, in single cases, or in short texts', () => {
    expect(judge(Array(100).fill(sound))).toBeNull();
    expect(judge([damaged, damaged, ...Array(5).fill(sound)])).toBeNull();
    expect(judge([...Array(10).fill(damaged), ...Array(50).fill(sound)])).toBeNull();
    expect(judge(Array(50).fill('just a few words that never repeat here'))).toBeNull();
  });

  it('count "The" and "the" as two words, as the index does', () => {
    expect(judge(Array(5).fill(damaged.replace('word3', 'The').replace('word9', 'the')))).not.toBeNull();
  });
});

const corpus = '../shared/data/corpora/acl_anthology.jsonl.gz';
describe.skipIf(!existsSync(corpus))('on the ACL Anthology (skipped without ../shared/data)', () => {
  it('none of the first 5,000 abstracts is suspected, and all are once each word is kept once', async () => {
    const count = { judged: 0, damaged: 0 };
    const broken = { judged: 0, damaged: 0 };
    const lines = createInterface({ input: createReadStream(corpus).pipe(createGunzip()) });
    let n = 0;
    for await (const line of lines) {
      const { abstract } = JSON.parse(line) as { abstract: string };
      countDamage(count, abstract);
      countDamage(broken, [...new Set(abstract.split(/\s+/))].join(' '));
      if (++n === 5000) break;
    }
    expect(count.judged).toBeGreaterThan(4500);
    expect(count.damaged).toBe(0);
    expect(broken.damaged).toBe(broken.judged);
  });
});
