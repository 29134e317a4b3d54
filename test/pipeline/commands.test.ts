import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtinFolder } from '../../pipeline/model/reference.ts';
import { run, type SampleRow, sampleRows, start } from './fresh-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'scinertopic-commands-'));
const papers = sampleRows().slice(0, 40);

function writeLines(name: string, lines: readonly unknown[]): void {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  writeFileSync(join(folder, name), name.endsWith('.gz') ? gzipSync(text) : text);
}

const asLine = ({ id, title, abstract }: SampleRow) => ({ id, title, abstract });

/** Rows of a float32 .npy file. */
function readRows(name: string): { n: number; d: number; row(i: number): Buffer } {
  const bytes = readFileSync(join(folder, name));
  const start = 10 + bytes.readUInt16LE(8);
  const [, n, d] = /'shape': \((\d+), (\d+)\)/.exec(bytes.subarray(10, start).toString()) ?? [];
  const [rows, width] = [Number(n), Number(d)];
  expect(bytes.length - start).toBe(rows * width * 4);
  return {
    n: rows,
    d: width,
    row: (i) => bytes.subarray(start + i * width * 4, start + (i + 1) * width * 4),
  };
}

beforeAll(() => writeLines('papers.jsonl', papers.map(asLine)));

const encode = (input: string, output: string, ...more: string[]) =>
  run(folder, 'models', 'encode', '--model', 'builtin:static', '--input', input, '--output', output, ...more);

describe('a reader that has gone away, as `head` does', () => {
  const unread = (...args: string[]) => {
    const { child, ended } = start(folder, ...args);
    child.stdout?.destroy();
    child.stderr?.destroy();
    return ended;
  };

  it('neither ends the work nor hides how it ended', async () => {
    const use = ['models', 'encode', '--model', 'builtin:static', '--output', 'unread.npy', '--input'];
    expect((await unread(...use, 'papers.jsonl')).code).toBe(0);
    expect(readRows('unread.npy').n).toBe(papers.length);
    expect((await unread(...use, 'nowhere.jsonl')).code).toBe(2);
    expect((await unread('models', 'list')).code).toBe(0);
  });
});

describe('models list', () => {
  it('names every shipped model with its task, its size and the start of its hash', async () => {
    const { code, stdout, stderr } = await run(folder, 'models', 'list');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^builtin:static +document-embedding +\d+\.\d MB +[0-9a-f]{12} /m);
    expect(stdout).toMatch(/^builtin:science +token-classification +\d+\.\d MB +[0-9a-f]{12} /m);
  });
});

describe('models verify', () => {
  const copyOf = (name: string): string => {
    const copy = mkdtempSync(join(folder, 'model-'));
    cpSync(join(builtinFolder(), name), copy, { recursive: true });
    return copy;
  };

  it.each(['builtin:science', 'builtin:static'])('passes %s', async (reference) => {
    const { code, stdout } = await run(folder, 'models', 'verify', reference);
    expect(code).toBe(0);
    expect(stdout).toMatch(/files match the card, the model opens; [0-9a-f]{64}\n$/);
  });

  it('names the file with a changed byte and the file that is missing', async () => {
    const copy = copyOf('static');
    const path = join(copy, 'model.onnx');
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(path, bytes);
    rmSync(join(copy, 'config.json'));
    const { code, stdout, stderr } = await run(folder, 'models', 'verify', copy);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/model\.onnx: expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}/);
    expect(stderr).toContain('config.json: missing');
  });

  it('refuses a card that names a file outside its folder, and one that names none', async () => {
    const copy = copyOf('static');
    const path = join(copy, 'card.json');
    const card = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...card, files: { '../papers.jsonl': card.files['config.json'] } }));
    const outside = await run(folder, 'models', 'verify', copy);
    expect(outside.code).toBe(2);
    expect(outside.stderr).toContain("outside the model's folder");
    writeFileSync(path, JSON.stringify({ ...card, files: {} }));
    expect((await run(folder, 'models', 'verify', copy)).code).toBe(2);
  });
});

describe('models encode', () => {
  it('writes row i for line i, each depending on its line alone, and the same from gzip', async () => {
    const plain = await encode('papers.jsonl', 'plain.npy');
    expect([plain.code, plain.stdout]).toEqual([0, '']);
    writeLines('backwards.jsonl.gz', papers.map(asLine).toReversed());
    expect((await encode('backwards.jsonl.gz', 'deep/er/backwards.npy')).code).toBe(0);
    const [forward, backward] = [readRows('plain.npy'), readRows('deep/er/backwards.npy')];
    expect([forward.n, forward.d]).toEqual([papers.length, 256]);
    for (let i = 0; i < papers.length; i++) {
      expect(backward.row(papers.length - 1 - i)).toEqual(forward.row(i));
    }
    expect(forward.row(0)).not.toEqual(forward.row(1));
  });

  it('reads U+2028, a byte-order mark and an empty last line as JSON has them', async () => {
    const lines = [{ title: 'Ice cores', abstract: 'One\u2028two.' }, { title: 'Ice cores' }];
    writeFileSync(join(folder, 'odd.jsonl'), `\ufeff${lines.map((l) => JSON.stringify(l)).join('\r\n')}\n\n`);
    const { code, stderr } = await encode('odd.jsonl', 'odd.npy');
    expect(code, stderr).toBe(0);
    expect(readRows('odd.npy').n).toBe(2);
  });

  it('gives a file of no lines no rows, and says which lines hold no text', async () => {
    writeFileSync(join(folder, 'empty.jsonl'), '');
    expect((await encode('empty.jsonl', 'empty.npy')).code).toBe(0);
    expect(readRows('empty.npy').n).toBe(0);
    writeLines('misnamed.jsonl', [asLine(papers[0]), { heading: 'A title' }]);
    expect((await encode('misnamed.jsonl', 'misnamed.npy')).stderr).toContain(
      '1 lines have neither title nor abstract, the first is line 2',
    );
  });

  it.each([
    ['broken JSON', '{"title": "a"}\n{"title": \n', /line 2: expected a JSON object/],
    ['no object', '{"title": "a"}\n[1]\n', /line 2: expected a JSON object, got \[1\]/],
    [
      'an empty line',
      '{"title": "a"}\n\n{"title": "b"}\n',
      /line 2: expected a JSON object, got an empty line/,
    ],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0x7d, 0x0a]), /line 1: expected UTF-8/],
  ])('names the line with %s and leaves no file behind', async (_, content, message) => {
    writeFileSync(join(folder, 'broken.jsonl'), content);
    const { code, stderr } = await encode('broken.jsonl', 'broken.npy');
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(readdirSync(folder).filter((name) => name.startsWith('broken.npy'))).toEqual([]);
  });

  it('tells a gzip file cut off, a folder and a missing file', async () => {
    const whole = gzipSync(papers.map((paper) => `${JSON.stringify(paper)}\n`).join(''));
    writeFileSync(join(folder, 'cut.jsonl.gz'), whole.subarray(0, whole.length >> 1));
    const cut = await encode('cut.jsonl.gz', 'cut.npy');
    expect([cut.code, cut.stderr.includes('no whole gzip file')]).toEqual([2, true]);
    expect((await encode('.', 'folder.npy')).code).toBe(2);
    expect((await encode('none.jsonl', 'none.npy')).stderr).toContain('There is no file none.jsonl');
  });

  it('adapts the shipped embedder to the file with --adapt, equally each time', async () => {
    expect((await encode('papers.jsonl', 'adapted.npy', '--adapt')).code).toBe(0);
    expect((await encode('papers.jsonl', 'again.npy', '--adapt')).code).toBe(0);
    expect(readFileSync(join(folder, 'adapted.npy'))).toEqual(readFileSync(join(folder, 'again.npy')));
    expect(readRows('adapted.npy').n).toBe(papers.length);
    expect(readRows('adapted.npy').row(0)).not.toEqual(readRows('plain.npy').row(0));
  });

  it('refuses --task for a model without adapters, --adapt for few lines, and a tagger', async () => {
    const task = await encode('papers.jsonl', 'task.npy', '--task', 'proximity');
    expect([task.code, task.stderr.includes('has no adapters')]).toEqual([2, true]);
    writeLines('few.jsonl', papers.slice(0, 3).map(asLine));
    const few = await encode('few.jsonl', 'few.npy', '--adapt');
    expect([few.code, few.stderr.includes('expected at least 20 lines')]).toEqual([2, true]);
    const tagger = await encode('papers.jsonl', 'tagger.npy', '--model', 'builtin:science');
    expect([tagger.code, existsSync(join(folder, 'tagger.npy'))]).toEqual([2, false]);
  });
});

describe('models tag', () => {
  it('gives one line per line with exact offsets into title and abstract, in text order', async () => {
    const odd = { title: 'Émile’s 𝒜-nets 🙂', abstract: 'We use 𝒜-nets (AN) 🙂 for machine translation.' };
    writeLines('to-tag.jsonl', [...papers.map(asLine), odd, {}]);
    const args = ['--model', 'builtin:science', '--input', 'to-tag.jsonl', '--output', 'tagged.jsonl'];
    const { code, stdout, stderr } = await run(folder, 'models', 'tag', ...args);
    expect(code, stderr).toBe(0);
    expect(stdout).toBe('');
    const lines = readFileSync(join(folder, 'tagged.jsonl'), 'utf8').trimEnd().split('\n');
    const inputs: Record<string, string>[] = [...papers.map(asLine), odd, {}].map((line) => ({ ...line }));
    expect(lines.length).toBe(inputs.length);
    let found = 0;
    for (const [i, line] of lines.entries()) {
      const { id, entities } = JSON.parse(line);
      expect(id).toBe(inputs[i].id ?? String(i + 1));
      let last: [string, number] = ['', -1];
      for (const { field, start, end, text, type, score } of entities) {
        expect(inputs[i][field].slice(start, end)).toBe(text);
        expect(type).toMatch(/^[A-Z]/);
        expect(score).toBeGreaterThan(0);
        expect(score).toBeLessThanOrEqual(1);
        if (field === last[0]) expect(start).toBeGreaterThanOrEqual(last[1]);
        else expect([last[0], field]).not.toEqual(['abstract', 'title']);
        last = [field, end];
        found++;
      }
    }
    expect(found).toBeGreaterThan(papers.length);
  });

  it('refuses an embedder and a broken line, leaving no file', async () => {
    const embedder = ['--model', 'builtin:static', '--input', 'papers.jsonl', '--output', 'x.jsonl'];
    expect((await run(folder, 'models', 'tag', ...embedder)).code).toBe(2);
    writeFileSync(join(folder, 'half.jsonl'), '{"title": "Neural networks"}\n{"tit');
    const half = ['--model', 'builtin:science', '--input', 'half.jsonl', '--output', 'half.out'];
    const { code, stderr } = await run(folder, 'models', 'tag', ...half);
    expect([code, stderr.includes('line 2')]).toEqual([2, true]);
    expect(readdirSync(folder).filter((name) => name.startsWith('half.out'))).toEqual([]);
  });
});

describe('train ner and evaluate ner', () => {
  const tasks = ['machine translation', 'speech recognition', 'crop forecasting'];
  const methods = ['a neural network', 'random forests', 'Kalman filters'];
  const labelled = (text: string, type: string): string =>
    text
      .split(' ')
      .map((token, i) => `${token}\t${i === 0 ? 'B' : 'I'}-${type}\n`)
      .join('');

  beforeAll(async () => {
    const sentences = Array.from(
      { length: 36 },
      (_, i) =>
        `We\tO\nuse\tO\n${labelled(methods[i % 3], 'Method')}for\tO\n${labelled(tasks[(i >> 1) % 3], 'Task')}.\tO\n\n`,
    );
    writeFileSync(join(folder, 'train.conll'), sentences.join(''));
    writeFileSync(join(folder, 'train.conll.gz'), gzipSync(sentences.join('')));
    const args = [
      '--data',
      'train.conll',
      '--out',
      'tagger',
      '--epochs',
      '3',
      '--max-words',
      '1000',
      '--seed',
      '1',
    ];
    const trained = await run(folder, 'train', 'ner', ...args);
    expect(trained.code, trained.stderr).toBe(0);
  });

  it('makes a model folder that verifies and has learnt its sentences', async () => {
    expect((await run(folder, 'models', 'verify', 'tagger')).code).toBe(0);
    const args = ['--model', 'tagger', '--data', 'train.conll.gz', '--json'];
    const { code, stdout } = await run(folder, 'evaluate', 'ner', ...args);
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ model: 'tagger', sentences: 36 });
    expect(Object.keys(report.per_type)).toEqual(['Method', 'Task']);
    for (const score of [report.micro, report.macro, report.per_type.Task]) {
      expect(score.f1).toBeGreaterThan(0.9);
      expect(score.precision).toBeGreaterThan(0.9);
      expect(score.recall).toBeGreaterThan(0.9);
    }
    expect(report.per_type.Task.gold).toBe(36);
    expect(report.tokens_per_second).toBeGreaterThan(0);
    expect(report.tokens_per_cpu_second).toBeGreaterThan(0);
  });

  it('says which types a model does not know, and prints a table without --json', async () => {
    writeFileSync(join(folder, 'other.conll'), 'Paris\tB-City\nis\tO\nlarge\tO\n');
    const { code, stdout, stderr } = await run(
      folder,
      ...['evaluate', 'ner', '--model', 'tagger', '--data', 'other.conll'],
    );
    expect(code).toBe(0);
    expect(stderr).toContain('does not know City');
    expect(stdout).toMatch(/^City +0\.0000 +0\.0000 +0\.0000 +1$/m);
    expect(stdout).toMatch(/tokens per CPU second/);
  });

  it('refuses data that are not there and numbers that make no sense', async () => {
    const none = await run(folder, 'train', 'ner', '--data', 'none.conll', '--out', 'x');
    expect([none.code, none.stderr.includes('none.conll')]).toEqual([2, true]);
    const zero = await run(folder, 'train', 'ner', '--data', 'train.conll', '--out', 'x', '--epochs', '0');
    expect([zero.code, zero.stderr.includes('from 1 up')]).toEqual([2, true]);
    expect(existsSync(join(folder, 'x'))).toBe(false);
  });
});

describe('train embedder', () => {
  const train = (out: string, ...more: string[]) =>
    run(
      folder,
      ...['train', 'embedder', '--corpus', 'papers.jsonl', '--out', out],
      ...['--dimensions', '32', '--vocabulary', '600', '--passes', '2', ...more],
    );

  it('gives equal bytes for equal seeds, others for another, and a model that encodes', async () => {
    const first = await train('embedder-1', '--seed', '7');
    expect(first.code, first.stderr).toBe(0);
    await train('embedder-2', '--seed', '7');
    await train('embedder-3', '--seed', '8');
    for (const name of ['model.onnx', 'tokenizer.json', 'words.vectors']) {
      const bytes = (out: string): Buffer => readFileSync(join(folder, out, name));
      expect(bytes('embedder-1'), name).toEqual(bytes('embedder-2'));
      if (name !== 'tokenizer.json') expect(bytes('embedder-1'), name).not.toEqual(bytes('embedder-3'));
    }
    expect((await run(folder, 'models', 'verify', 'embedder-1')).code).toBe(0);
    expect((await encode('papers.jsonl', 'own.npy', '--model', 'embedder-1')).code).toBe(0);
    expect(readRows('own.npy').d).toBe(32);
  });

  it('refuses a width that is no multiple of 16', async () => {
    const { code, stderr } = await train('x', '--dimensions', '10');
    expect([code, stderr.includes('multiple of 16')]).toEqual([2, true]);
  });
});

describe('the command line', () => {
  it('prints its version and its help to stdout, and a misspelled command to stderr with 2', async () => {
    const version = await run(folder, '--version');
    expect([version.code, version.stderr]).toEqual([0, '']);
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const help = await run(folder, '--help');
    expect([help.code, help.stdout.includes('pipeline')]).toEqual([0, true]);
    const wrong = await run(folder, 'models', 'verfy', 'x');
    expect([wrong.code, wrong.stdout]).toEqual([2, '']);
  });

  it('calls a path that cannot be written the user’s affair, not a bug', async () => {
    writeFileSync(join(folder, 'a-file'), '');
    const { code, stderr } = await encode('papers.jsonl', 'a-file/vectors.npy');
    expect(code).toBe(2);
    expect(stderr).not.toContain('bug');
    expect((await encode('papers.jsonl', '.')).code).toBe(2);
  });
});
