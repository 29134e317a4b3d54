import { describe, expect, it } from 'vitest';
import type { FormColumns, SurfaceCounts } from '../../../pipeline/contract.ts';
import { createRandom } from '../../../pipeline/math/random.ts';
import { canonicalForms } from '../../../stages/entities/canonical-forms.ts';
import { formKey } from '../../../stages/entities/surface-forms.ts';

type Surface = [text: string, mentions: number, type?: string, form?: string];
type Definition = [short: string, long: string, documents: number];

function countsOf(surfaces: readonly Surface[], definitions: readonly Definition[] = []): SurfaceCounts {
  return {
    surfaces: {
      form: surfaces.map(([text, , , form]) => form ?? formKey(text)),
      text: surfaces.map(([text]) => text),
      type: surfaces.map(([, , type]) => type ?? 'Method'),
      mentions: Int32Array.from(surfaces, ([, mentions]) => mentions),
      documents: Int32Array.from(surfaces, ([, mentions]) => mentions),
    },
    acronyms: {
      short: definitions.map(([short]) => short),
      long: definitions.map(([, long]) => long),
      documents: Int32Array.from(definitions, ([, , documents]) => documents),
    },
  };
}

const nameIn = ({ form, canonical }: FormColumns, key: string): string | undefined =>
  canonical[form.indexOf(key)];

describe('canonicalForms', () => {
  it('joins spelling variants under the commonest surface', () => {
    const forms = canonicalForms(
      countsOf([
        ['fine-tuning', 9],
        ['finetuning', 4],
        ['fine tuning', 2],
        ['Fine-Tuning', 8],
      ]),
    );
    expect(forms.form).toEqual(['fine tuning', 'finetuning']);
    expect(forms.canonical).toEqual(['fine-tuning', 'fine-tuning']);
  });

  it('shows small letters unless capitals are far commoner', () => {
    const forms = canonicalForms(
      countsOf([
        ['Machine Translation', 20],
        ['machine translation', 12],
        ['Twitter', 50],
        ['twitter', 3],
      ]),
    );
    expect(forms.canonical).toEqual(['machine translation', 'Twitter']);
  });

  it('breaks ties by small letters, then code points', () => {
    expect(
      canonicalForms(
        countsOf([
          ['parsers', 3],
          ['parser', 3],
        ]),
      ).canonical,
    ).toEqual(['parser']);
    expect(
      canonicalForms(
        countsOf([
          ['Word-Net', 1],
          ['Word Net', 1],
        ]),
      ).canonical,
    ).toEqual(['Word Net']);
  });

  it('shows surfaces without determiners and brackets', () => {
    expect(canonicalForms(countsOf([['the kernel trick (KT)', 2]])).canonical).toEqual(['kernel trick']);
  });

  it('ties an acronym to the long form that most documents define', () => {
    const surfaces: Surface[] = [
      ['MT', 9],
      ['machine translation', 6],
      ['metal texture', 5],
    ];
    const definitions: Definition[] = [
      ['MT', 'Machine Translation', 4],
      ['MTs', 'machine translations', 2],
      ['MT', 'metal texture', 2],
    ];
    const forms = canonicalForms(countsOf(surfaces, definitions));
    expect(nameIn(forms, 'MT')).toBe('machine translation');
    expect(nameIn(forms, 'machine translation')).toBe('machine translation');
    expect(nameIn(forms, 'metal texture')).toBe('metal texture');
  });

  it('leaves an acronym alone when no long form has three fifths, or too few documents define it', () => {
    const surfaces: Surface[] = [
      ['MTX', 9],
      ['machine text', 6],
      ['metal texture', 5],
    ];
    const split: Definition[] = [
      ['MTX', 'machine text', 5],
      ['MTX', 'metal texture', 4],
    ];
    expect(nameIn(canonicalForms(countsOf(surfaces, split)), 'MTX')).toBe('MTX');
    const once: Definition[] = [['MTX', 'machine text', 1]];
    expect(nameIn(canonicalForms(countsOf(surfaces, once)), 'MTX')).toBe('MTX');
  });

  it('shows the acronym where it is four times as common, tied by the corpus or by a document', () => {
    const long = 'bidirectional encoder representations from transformers';
    const definitions: Definition[] = [['BERT', long, 5]];
    const tied = canonicalForms(
      countsOf(
        [
          ['BERT', 40],
          [long, 10],
        ],
        definitions,
      ),
    );
    expect(tied.canonical).toEqual(['BERT', 'BERT']);
    const inDocument = canonicalForms(
      countsOf([
        ['BERT', 40, 'Method', formKey(long)],
        [long, 10],
      ]),
    );
    expect(inDocument.canonical).toEqual(['BERT']);
    const rarer = canonicalForms(
      countsOf(
        [
          ['BERT', 39],
          [long, 10],
        ],
        definitions,
      ),
    );
    expect(rarer.canonical).toEqual([long, long]);
  });

  it('joins names in capitals with the same name in mixed case, not with a word', () => {
    const forms = canonicalForms(
      countsOf([
        ['ELMO', 2],
        ['ELMo', 9],
        ['CAT', 3],
        ['cat', 7],
        ['WORDNET', 1],
        ['Wordnet', 4],
      ]),
    );
    expect(nameIn(forms, 'ELMO')).toBe('ELMo');
    expect(nameIn(forms, 'CAT')).toBe('CAT');
    expect(nameIn(forms, 'WORDNET')).toBe('Wordnet');
  });

  it('flags generic forms by wording and by type', () => {
    const forms = canonicalForms(
      countsOf([
        ['the approach', 5],
        ['gadget', 6, 'Generic'],
        ['gadget', 5],
        ['kernel', 4, 'Generic'],
        ['kernel', 4],
      ]),
    );
    expect(forms.form).toEqual(['approach', 'gadget', 'kernel']);
    expect(Array.from(forms.generic)).toEqual([1, 1, 0]);
  });

  it('gives nothing for an empty corpus', () => {
    expect(canonicalForms(countsOf([]))).toEqual({ form: [], canonical: [], generic: new Uint8Array(0) });
  });

  it('does not depend on the order of rows', () => {
    const random = createRandom(4);
    const stems = [
      'deep',
      'Deep',
      'DEEP',
      'graph',
      'Graph',
      'GRAPH',
      'net',
      'nets',
      'Net',
      'NET',
      'NETs',
      'labelled',
      'labeled',
    ];
    const surfaces: Surface[] = [];
    const seen = new Set<string>();
    while (surfaces.length < 300) {
      const words = Array.from(
        { length: 1 + random.nextBelow(3) },
        () => stems[random.nextBelow(stems.length)],
      );
      const text = words.join(random.nextBelow(2) === 0 ? ' ' : '-');
      const type = random.nextBelow(4) === 0 ? 'Generic' : 'Method';
      if (seen.has(text + type)) continue;
      seen.add(text + type);
      surfaces.push([text, 1 + random.nextBelow(5), type]);
    }
    const definitions: Definition[] = [
      ['NET', 'deep graph', 2],
      ['NETs', 'graph net', 1],
      ['GRAPH', 'deep net', 3],
      ['DEEP', 'graph', 3],
    ];
    const expected = canonicalForms(countsOf(surfaces, definitions));
    for (let round = 0; round < 5; round++) {
      const order = surfaces.map((surface) => ({ surface, place: random.nextUint32() }));
      order.sort((a, b) => a.place - b.place);
      const shuffled = countsOf(
        order.map(({ surface }) => surface),
        [...definitions].reverse(),
      );
      expect(canonicalForms(shuffled)).toEqual(expected);
    }
  });
});
