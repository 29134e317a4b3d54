import { expect, it } from 'vitest';
import { createWordLookup, marksPerWord, shapeOf } from '../../pipeline/model/word-features.ts';

const vocabulary = new Map([
  ['network', 0],
  ['based', 1],
  ['(', 2],
  ['il-00', 3],
]);
const lookup = () => createWordLookup(vocabulary, 4, 1000);

it('finds words in any case, Penn brackets, folded digits and the tail of a hyphenated word', () => {
  const { words } = lookup().rows([
    ['Network', '-LRB-'],
    ['IL-12', 'rule-based', 'zzz'],
  ]);
  expect([...words]).toEqual([0, 2, 3, 1, 4]);
});

it('gives a token the same marks wherever and however often it stands', () => {
  const one = lookup();
  const { marks } = one.rows([['BERT', 'parser', 'BERT']]);
  const [first, second, third] = [0, 1, 2].map((i) => [
    ...marks.subarray(i * marksPerWord, (i + 1) * marksPerWord),
  ]);
  expect(third).toEqual(first);
  expect(second).not.toEqual(first);
  expect([...one.rows([['parser']]).marks]).toEqual(second);
  expect(marks.every((mark) => mark >= 0 && mark < 1000)).toBe(true);
});

it('tells case by the shape mark alone', () => {
  const { marks } = lookup().rows([['BERT', 'bert']]);
  const differing = [...marks.subarray(0, marksPerWord)].filter(
    (mark, k) => mark !== marks[marksPerWord + k],
  );
  expect(differing).toHaveLength(1);
});

it('writes shapes as runs of one kind', () => {
  expect(['BERT-base', 'IL-2', 'Networks', '3.14', '§§', ''].map(shapeOf)).toEqual([
    'A-a',
    'A-0',
    'Aa',
    '0.0',
    '§',
    '',
  ]);
});

it('takes empty sentences, and tokens of a megabyte for their beginning', () => {
  const { words, marks } = lookup().rows([[], ['x'.repeat(1_000_000)], []]);
  expect([words.length, marks.length]).toEqual([1, marksPerWord]);
  expect([...marks]).toEqual([...lookup().rows([['x'.repeat(128)]]).marks]);
});

it('starts its memory afresh without changing a result', () => {
  const one = lookup();
  const before = [...one.rows([['network', 'unseen']]).marks];
  one.rows([Array.from({ length: 200_001 }, (_, i) => `w${i}`)]);
  expect([...one.rows([['network', 'unseen']]).marks]).toEqual(before);
});
