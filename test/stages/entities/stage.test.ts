import { describe, expect, it } from 'vitest';
import type { DocumentColumns } from '../../../pipeline/contract.ts';
import { resolveModel } from '../../../pipeline/model/reference.ts';
import type { TextEntity } from '../../../pipeline/model/tagger.ts';
import { section } from '../../../stages/entities/config.ts';
import { stage, tagDocuments } from '../../../stages/entities/stage.ts';

/** Finds the given phrases wherever they stand, last one first, so that order is the stage's own work. */
function phraseTagger(types: Record<string, string>) {
  return {
    tagTexts: async (texts: readonly string[]) =>
      texts.map((text) => {
        const found: TextEntity[] = [];
        for (const [phrase, type] of Object.entries(types)) {
          for (let at = text.indexOf(phrase); at >= 0; at = text.indexOf(phrase, at + 1)) {
            found.push({
              start: at,
              end: at + phrase.length,
              text: phrase,
              type,
              score: phrase.length / 100,
            });
          }
        }
        return found.sort((a, b) => b.start - a.start);
      }),
  };
}

const documents: DocumentColumns = {
  id: ['a', 'b'],
  title: ['Parsing by graph networks (GN)', ''],
  abstract: ['A GN needs graph networks', 'No GN defined; parsing'],
  year: [2020, null],
};
const tagger = phraseTagger({ 'graph networks': 'Method', GN: 'Method', arsing: 'Task' });

describe('tagDocuments', () => {
  it('gives mentions by document, field and start, with exact offsets, the last of a text included', async () => {
    const { mentions } = await tagDocuments(documents, tagger, 0);
    const rows = mentions.text.map((text, i) => [
      mentions.document[i],
      mentions.field[i],
      mentions.start[i],
      text,
    ]);
    expect(rows).toEqual([
      [0, 0, 1, 'arsing'],
      [0, 0, 11, 'graph networks'],
      [0, 0, 27, 'GN'],
      [0, 1, 2, 'GN'],
      [0, 1, 11, 'graph networks'],
      [1, 1, 3, 'GN'],
      [1, 1, 16, 'arsing'],
    ]);
    mentions.text.forEach((text, i) => {
      const field = mentions.field[i] === 0 ? documents.title : documents.abstract;
      expect(field[mentions.document[i]].slice(mentions.start[i], mentions.end[i])).toBe(text);
    });
  });

  it('keys acronyms by the long form in the document that defines them, title and abstract alike', async () => {
    const { mentions, acronyms } = await tagDocuments(documents, tagger, 0);
    expect(mentions.form.filter((_, i) => mentions.text[i] === 'GN')).toEqual([
      'graph network',
      'graph network',
      'GN',
    ]);
    expect(acronyms).toEqual({ document: Int32Array.of(0), short: ['GN'], long: ['graph networks'] });
  });

  it('cuts off a bracket whose other half lies outside', async () => {
    const document = { id: ['c'], title: ['(see ELMo ) and ( F(x) )'], abstract: [''], year: [null] };
    const loose = phraseTagger({ 'ELMo )': 'Method', '( F(x)': 'Method', '(see': 'Task' });
    const { mentions } = await tagDocuments(document, loose, 0);
    expect(mentions.text).toEqual(['see', 'ELMo', '( F(x)']);
    expect(Array.from(mentions.start)).toEqual([1, 5, 16]);
    expect(Array.from(mentions.end)).toEqual([4, 9, 22]);
  });

  it('leaves out mentions below the least score', async () => {
    const { mentions } = await tagDocuments(documents, tagger, 0.1);
    expect(mentions.text).toEqual(['graph networks', 'graph networks']);
  });

  it('gives the same for a document whatever stands beside it', async () => {
    const alone = { id: ['b'], title: [''], abstract: [documents.abstract[1]], year: [null] };
    const { mentions } = await tagDocuments(alone, tagger, 0);
    expect(mentions.text).toEqual(['GN', 'arsing']);
    expect(mentions.form).toEqual(['GN', 'arsing']);
  });
});

describe('entities section', () => {
  it('has defaults and refuses what is out of range or unknown', () => {
    expect(section.schema.parse({})).toEqual({
      model: 'builtin:science',
      aggregation: 'average',
      precision: 'auto',
      min_score: 0,
    });
    for (const wrong of [{ min_score: 1.1 }, { min_score: -0.1 }, { model: ' ' }, { modle: 'x' }]) {
      expect(section.schema.safeParse(wrong).success).toBe(false);
    }
  });
});

describe('stage', () => {
  it('names the model folder it cannot find', async () => {
    const job = {
      config: section.schema.parse({ model: 'nowhere' }),
      seed: 1,
      threads: 1,
      baseFolder: '/',
      model: (reference: string) => resolveModel(reference, '/'),
      signal: new AbortController().signal,
      progress: () => {},
      notice: () => {},
    };
    const kept = { adapted: null, modelsFolder: '/', documents: () => documents };
    await expect(stage.prepare(job, kept)).rejects.toThrow(/"nowhere": there is no folder \/nowhere/);
  });
});
