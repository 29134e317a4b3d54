import { expect, it } from 'vitest';
import { bioLabels, spansOf, typesOf } from '../../pipeline/model/bio.ts';

const at = (labels: string) =>
  spansOf(labels.split(' ')).map(({ start, end, type }) => `${start}-${end} ${type}`);

it('keeps neighbours apart, closes a span at the end of the text and rechecks the type', () => {
  expect(at('B-x B-x I-x O B-y')).toEqual(['0-1 x', '1-3 x', '4-5 y']);
  expect(at('B-x I-y I-y')).toEqual(['0-1 x', '1-3 y']);
  expect(at('I-x O I-x I-x')).toEqual(['0-1 x', '2-4 x']);
  expect(at('O O')).toEqual([]);
  expect(spansOf([])).toEqual([]);
});

it('takes types with hyphens whole', () => {
  expect(at('B-cell-type I-cell-type')).toEqual(['0-2 cell-type']);
});

it('labels and types are each other’s inverse', () => {
  expect(bioLabels(['x', 'y'])).toEqual(['O', 'B-x', 'I-x', 'B-y', 'I-y']);
  expect(typesOf(bioLabels(['x', 'y']))).toEqual(['x', 'y']);
});
