import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Checksum, checksum, difference } from '../../pipeline/hub/checksum.ts';
import type { HubFile } from '../../pipeline/hub/listing.ts';

const folder = mkdtempSync(join(tmpdir(), 'scinertopic-checksum-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// By sha256sum, git hash-object and sha1sum, of these six bytes.
const sha256 = '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03';
const gitSha1 = 'ce013625030ba8dba906f756967f9e9ca394464a';
const sha1 = 'f572d396fae9206628714fb2ce00f72e94f2258f';
let sums: Checksum;
beforeAll(async () => {
  writeFileSync(join(folder, 'hello'), 'hello\n');
  sums = await checksum(join(folder, 'hello'), new AbortController().signal);
});

describe('checksum', () => {
  it('gives what other programs give', () => {
    expect(sums).toEqual({ bytes: 6, sha256, gitSha1, sha1 });
  });
});

describe('difference', () => {
  const listed = (given: Partial<HubFile>): HubFile => ({
    path: 'hello',
    bytes: 6,
    sha256: null,
    gitSha1: null,
    ...given,
  });

  it.each([
    ['sha256', { sha256 }],
    ["git's SHA-1", { gitSha1 }],
    ['plain SHA-1, as servers without git give it', { gitSha1: sha1 }],
  ])('is none where the %s agrees', (_, given) => {
    expect(difference(sums, listed(given))).toBeNull();
  });

  it.each([
    ['another size', { bytes: 7, sha256 }, 'expected 7 bytes, found 6'],
    ['another sha256', { sha256: '0'.repeat(64), gitSha1 }, `expected sha256 ${'0'.repeat(64)}`],
    ['another SHA-1', { sha256, gitSha1: '0'.repeat(40) }, `expected git's SHA-1 ${'0'.repeat(40)}`],
  ])('names %s', (_, given, message) => {
    expect(difference(sums, listed(given))).toContain(message);
  });
});
