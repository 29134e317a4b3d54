import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '../../pipeline/errors.ts';
import { findParts, readConll } from '../../pipeline/train/conll.ts';

const folder = mkdtempSync(join(tmpdir(), 'conll-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

function write(content: string | Buffer): string {
  const path = join(folder, `file${files++}.txt`);
  writeFileSync(path, content);
  return path;
}

/** One sentence of one-letter tokens with these tags. */
const tagged = (tags: string): string =>
  `${tags
    .split(' ')
    .map((tag) => `x\t${tag}`)
    .join('\n')}\n\n`;

async function labels(...sentences: string[]): Promise<[string, ...string[]]> {
  const file = await readConll(write(sentences.map(tagged).join('')));
  return [file.scheme, ...file.sentences.map((sentence) => sentence.labels.join(' '))];
}

describe('readConll', () => {
  it('reads tabs and spaces, first and last column, with and without a last empty line', async () => {
    const expected = [
      { tokens: ['Deep', 'nets'], labels: ['B-Method', 'I-Method'] },
      { tokens: ['work'], labels: ['O'] },
    ];
    const inTabs = await readConll(write('Deep\tB-Method\nnets\tI-Method\n\nwork\tO\n\n\n'));
    const inColumns = await readConll(
      write(
        '\ufeff-DOCSTART- -X- O\r\n\r\nDeep JJ B-Method\r\nnets NN I-Method\r\n\r\n# id = 7\r\nwork VB O',
      ),
    );
    expect(inTabs.sentences).toEqual(expected);
    expect(inColumns.sentences).toEqual(expected);
    expect(inTabs.types).toEqual(['Method']);
  });

  it('reads gzip whatever the file is called', async () => {
    const { sentences } = await readConll(write(gzipSync(tagged('O B-A'))));
    expect(sentences).toEqual([{ tokens: ['x', 'x'], labels: ['O', 'B-A'] }]);
  });

  it('keeps a number sign as a token', async () => {
    const { sentences } = await readConll(write('# O\n#\tO\n'));
    expect(sentences[0].tokens).toEqual(['#', '#']);
  });

  it('leaves BIO as it is', async () => {
    expect(await labels('B-A I-A B-A O B-B')).toEqual(['BIO', 'B-A I-A B-A O B-B']);
  });

  it('turns IOB1 into BIO', async () => {
    expect(await labels('I-A I-A B-A O I-B I-A')).toEqual(['IOB1', 'B-A I-A B-A O B-B B-A']);
  });

  it('turns IO and bare types into BIO', async () => {
    expect(await labels('I-A I-A I-B O')).toEqual(['IO', 'B-A I-A B-B O']);
    expect(await labels('cell-type cell-type O DNA')).toEqual(['IO', 'B-cell-type I-cell-type O B-DNA']);
  });

  it('turns BIOES and BILOU into BIO, neighbours kept apart', async () => {
    expect(await labels('B-A I-A E-A S-A S-A O B-B E-B')).toEqual(['BIOES', 'B-A I-A I-A B-A B-A O B-B I-B']);
    expect(await labels('U-A B-A L-A I-A')).toEqual(['BIOES', 'B-A B-A I-A B-A']);
  });

  it('counts I- tags that nothing begins in a BIO file', async () => {
    const file = await readConll(write(tagged('B-A O I-A') + tagged('I-B I-B')));
    expect(file.scheme).toBe('BIO');
    expect(file.strayTags).toBe(2);
    expect(file.sentences.map((sentence) => sentence.labels)).toEqual([
      ['B-A', 'O', 'B-A'],
      ['B-B', 'I-B'],
    ]);
  });

  it.each([
    ['a line without a tag', 'x\tO\nlonely\n', /"lonely" .*line 2/],
    ['an empty tag', 'x\tO\ny\t\n', /line 2/],
    ['a bare type among prefixed ones', 'x\tB-A\n\ny\tMethod\n', /"Method" .*line 3/],
    ['a prefix without a type', 'x\tB-A\ny\tI-\n', /"I-" .*line 2/],
    ['a file without sentences', '\n\n', /got none/],
    ['bytes that are not UTF-8', Buffer.from([0x78, 0x09, 0xff, 0xfe, 0x0a]), /UTF-8/],
    ['a line without end', 'x'.repeat(200_001), /line 1/],
    ['a gzip cut short', gzipSync(tagged('O O O')).subarray(0, 20), /readable CoNLL file/],
  ])('refuses %s', async (_, content, message) => {
    const reading = readConll(write(content));
    await expect(reading).rejects.toThrow(UserError);
    await expect(reading).rejects.toThrow(message);
  });

  it('stops unpacking a gzip that grows beyond the bound', async () => {
    const bomb = write(gzipSync(Buffer.alloc(5_000_000, 'x O\n')));
    await expect(readConll(bomb, 1_000_000)).rejects.toThrow(/at most 1000000 bytes/);
  });
});

describe('findParts', () => {
  it('takes a single file as the training part', () => {
    const path = write(tagged('O'));
    expect(findParts(path)).toEqual({ train: path, dev: null, test: null });
  });

  it('tells the parts of a folder by their names', () => {
    const set = join(folder, 'set');
    mkdirSync(set);
    for (const name of ['train.txt.gz', 'valid.conll', 'my-test.bio'])
      writeFileSync(join(set, name), tagged('O B-A'));
    writeFileSync(join(set, 'README.md'), 'test');
    expect(findParts(set)).toEqual({
      train: join(set, 'train.txt.gz'),
      dev: join(set, 'valid.conll'),
      test: join(set, 'my-test.bio'),
    });
  });

  it('refuses what is missing or ambiguous by name', () => {
    const set = join(folder, 'bad');
    mkdirSync(set);
    expect(() => findParts(join(set, 'nowhere'))).toThrow(/found nothing/);
    expect(() => findParts(set)).toThrow(/an empty folder/);
    for (const name of ['train.txt', 'train.tsv']) writeFileSync(join(set, name), '');
    expect(() => findParts(set)).toThrow(/train.tsv and train.txt/);
  });
});
