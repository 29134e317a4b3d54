import { describe, expect, it } from 'vitest';
import { compareTypes } from '../../pipeline/evaluate/type-names.ts';

describe('compareTypes', () => {
  it('finds nothing to say of equal types in another order', () => {
    expect(compareTypes(['Task', 'Method'], ['Method', 'Task'])).toEqual({
      unknown: [],
      foreign: [],
      spelledOtherwise: [],
    });
  });

  it('tells likenesses and leaves them apart', () => {
    expect(
      compareTypes(['OtherScientificTerm', 'cell_type', 'DNA'], ['Other-ScientificTerm', 'cell type', 'RNA']),
    ).toEqual({
      unknown: ['OtherScientificTerm', 'cell_type', 'DNA'],
      foreign: ['Other-ScientificTerm', 'cell type', 'RNA'],
      spelledOtherwise: [
        { data: 'OtherScientificTerm', model: 'Other-ScientificTerm' },
        { data: 'cell_type', model: 'cell type' },
      ],
    });
  });
});
