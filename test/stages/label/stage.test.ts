import { describe, expect, it } from 'vitest';
import type { AssignmentColumns, FormerLabel, Labelled, Matrix } from '../../../pipeline/contract.ts';
import { Interrupted } from '../../../pipeline/errors.ts';
import { createRandom } from '../../../pipeline/math/random.ts';
import { stage } from '../../../stages/label/stage.ts';
import { matrixRows } from '../../matrix-rows.ts';
import { labelJob, type MarkedCorpus, markedCorpus, permuted, textsOf } from './marked-corpus.ts';

// Three lines of work and some outliers; each document draws some of its topic's phrases, the first oftenest.
const TOPICS = [
  {
    id: 2,
    phrases: [
      '[Task:machine translation]',
      '[Task:neural machine translation]',
      '[Method:back-translation]',
      '[Material:parallel corpora]',
      'bilingual',
      'decoder',
    ],
  },
  {
    id: 5,
    phrases: [
      '[Task:dependency parsing]',
      '[Material:Universal Dependencies]',
      '[Material:treebanks]',
      '[Metric:LAS]',
      'syntax',
      'transition',
    ],
  },
  {
    id: 9,
    phrases: [
      '[Task:hate speech detection]',
      '[Material:tweets]',
      '[Task:abusive language detection]',
      '[Generic:approach]',
      'moderation',
      'offensive',
    ],
  },
];
const COMMON = ['[Method:deep learning]', '[Generic:model]', 'we propose', 'corpus'];

interface Sample extends MarkedCorpus {
  vectors: Matrix;
  positions: { x: Float32Array; y: Float32Array };
  assignments: AssignmentColumns;
}

function sample(): Sample {
  const random = createRandom(7);
  const n = 200;
  const d = 6;
  const abstracts: string[] = [];
  const topic = new Int32Array(n).fill(-1);
  const values = new Float32Array(n * d);
  const x = new Float32Array(n);
  const y = new Float32Array(n);
  for (let row = 0; row < n; row++) {
    const place = random.nextBelow(4);
    const own = place < 3 ? TOPICS[place].phrases : TOPICS.flatMap(({ phrases }) => phrases);
    topic[row] = place < 3 ? TOPICS[place].id : -1;
    const drawn = [...own, ...COMMON].filter(
      (phrase) => random.nextFloat() < (place === 3 ? 0.1 : phrase === own[0] ? 0.9 : 0.4),
    );
    abstracts.push(drawn.join('. '));
    for (let i = 0; i < d; i++) values[row * d + i] = random.nextNormal() + (i === place ? 4 : 0);
    x[row] = random.nextNormal() + 10 * place;
    y[row] = random.nextNormal();
  }
  const probability = Float32Array.from(topic, (id) => (id === -1 ? 0 : 0.5 + random.nextFloat() / 2));
  return {
    ...markedCorpus(abstracts, () => 0.5 + random.nextFloat() / 2),
    vectors: { n, d, values },
    positions: { x, y },
    assignments: { topic, probability, outlierScore: new Float32Array(n) },
  };
}

function label(
  { documents, entities, vectors, positions, assignments }: Sample,
  job = labelJob(),
  former: ReadonlyMap<number, FormerLabel> = new Map(),
): Promise<Labelled> {
  return stage.run(textsOf(documents), entities, matrixRows(vectors), positions, assignments, former, job);
}

function reordered(corpus: Sample, order: number[]): Sample {
  const { d, n, values } = corpus.vectors;
  const pick = (array: Float32Array): Float32Array => Float32Array.from(order, (row) => array[row]);
  return {
    ...permuted(corpus, order),
    vectors: {
      n,
      d,
      values: Float32Array.from(
        { length: n * d },
        (_, at) => values[order[Math.floor(at / d)] * d + (at % d)],
      ),
    },
    positions: { x: pick(corpus.positions.x), y: pick(corpus.positions.y) },
    assignments: {
      topic: Int32Array.from(order, (row) => corpus.assignments.topic[row]),
      probability: pick(corpus.assignments.probability),
      outlierScore: pick(corpus.assignments.outlierScore),
    },
  };
}

describe('label stage', () => {
  const corpus = sample();

  it('names each topic by its own phrases, by ascending id, and outliers not at all', async () => {
    const { topics } = await label(corpus);
    expect(topics.topicId).toEqual([2, 5, 9]);
    expect(topics.label[0]).toMatch(/[Mm]achine translation/);
    expect(topics.label[1]).toMatch(/[Dd]ependency parsing/);
    expect(topics.label[2]).toMatch(/[Hh]ate speech detection/);
    expect(topics.size).toEqual(
      [2, 5, 9].map((id) => corpus.assignments.topic.filter((t) => t === id).length),
    );
  });

  it('lists top_n terms a topic, ranked from 1, weights descending, none generic', async () => {
    const { terms } = await label(corpus, labelJob({ top_n: 4 }));
    expect(Array.from(terms.topicId)).toEqual([2, 2, 2, 2, 5, 5, 5, 5, 9, 9, 9, 9]);
    expect(Array.from(terms.rank)).toEqual([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4]);
    for (let at = 1; at < terms.weight.length; at++) {
      if (terms.rank[at] > 1) expect(terms.weight[at]).toBeLessThanOrEqual(terms.weight[at - 1]);
    }
    expect(terms.weight.every((weight) => weight > 0)).toBe(true);
    expect(terms.term).not.toContain('approach');
    expect(terms.term).not.toContain('model');
  });

  it('gives entities their type and plain words the type word', async () => {
    const { terms } = await label(corpus);
    const typeOf = new Map(terms.term.map((term, at) => [term, terms.type[at]]));
    expect(typeOf.get('dependency parsing')).toBe('Task');
    expect(typeOf.get('treebanks')).toBe('Material');
    expect(typeOf.get('syntax')).toBe('word');
  });

  it('places a topic at one of its documents and gives outliers no distance', async () => {
    const { topics, distanceToCenter } = await label(corpus);
    for (let i = 0; i < topics.topicId.length; i++) {
      const row = corpus.positions.x.findIndex(
        (x, at) => x === topics.x[i] && corpus.positions.y[at] === topics.y[i],
      );
      expect(corpus.assignments.topic[row]).toBe(topics.topicId[i]);
      expect(topics.representatives[i]).toHaveLength(5);
      for (const document of topics.representatives[i]) {
        expect(corpus.assignments.topic[document]).toBe(topics.topicId[i]);
      }
    }
    distanceToCenter.forEach((distance, row) => {
      if (corpus.assignments.topic[row] === -1) expect(distance).toBeNaN();
      else expect(distance).toBeLessThan(1.5);
    });
  });

  it('finds terms of one line of work coherent', async () => {
    const { topics } = await label(corpus, labelJob({ top_n: 5 }));
    for (const coherence of topics.coherence) {
      expect(coherence).toBeGreaterThan(0.1);
      expect(coherence).toBeLessThanOrEqual(1);
    }
  });

  it('gives equal results when run again', async () => {
    expect(await label(corpus)).toEqual(await label(corpus));
  });

  it('does not depend on the order of the rows', async () => {
    const random = createRandom(3);
    const order = Array.from(corpus.documents.id.keys());
    for (let at = order.length - 1; at > 0; at--) {
      const other = random.nextBelow(at + 1);
      [order[at], order[other]] = [order[other], order[at]];
    }
    const [there, here] = [await label(reordered(corpus, order)), await label(corpus)];
    expect(there.terms).toEqual(here.terms);
    expect({ ...there.topics, representatives: [] }).toEqual({ ...here.topics, representatives: [] });
    expect(there.topics.representatives.map((rows) => rows.map((row) => order[row]))).toEqual(
      here.topics.representatives,
    );
    there.distanceToCenter.forEach((distance, place) => {
      const expected = here.distanceToCenter[order[place]];
      if (Number.isNaN(expected)) expect(distance).toBeNaN();
      else expect(distance).toBeCloseTo(expected, 5);
    });
  });

  it('copes with a corpus of outliers, an empty corpus, and one without entities', async () => {
    const outliers = { ...corpus.assignments, topic: new Int32Array(200).fill(-1) };
    const none = await label({ ...corpus, assignments: outliers });
    expect(none.topics.topicId).toEqual([]);
    expect(none.terms.term).toEqual([]);

    const nothing = markedCorpus([]);
    const empty = await label({
      ...nothing,
      vectors: { n: 0, d: 6, values: new Float32Array(0) },
      positions: { x: new Float32Array(0), y: new Float32Array(0) },
      assignments: {
        topic: new Int32Array(0),
        probability: new Float32Array(0),
        outlierScore: new Float32Array(0),
      },
    });
    expect(empty.topics.label).toEqual([]);

    const wordsOnly = await label({ ...corpus, entities: nothing.entities });
    expect(wordsOnly.terms.type.every((type) => type === 'word')).toBe(true);
    expect(wordsOnly.topics.label[1]).toMatch(/[Dd]ependency parsing/);
  });

  it('says so when topics have no terms, and names them by number', async () => {
    const job = labelJob({ min_document_count: 1000 });
    const { topics } = await label(corpus, job);
    expect(topics.label).toEqual(['Topic 2', 'Topic 5', 'Topic 9']);
    expect(topics.coherence).toEqual([0, 0, 0]);
    expect(job.notices).toEqual([
      '3 topics have no term between label.min_document_count (1000) and label.max_document_share (0.3) and are named by number only.',
    ]);
  });

  it('warns of a weight for a type that no entity has', async () => {
    const job = labelJob({ weights: { Metod: 2 } });
    await label(corpus, job);
    expect(job.notices).toHaveLength(1);
    expect(job.notices[0]).toMatch(/label\.weights names "Metod".*Generic, Material, Method, Metric, Task/);
  });

  it('stops where it is asked to', async () => {
    const job = { ...labelJob(), signal: AbortSignal.abort() };
    await expect(label(corpus, job)).rejects.toBeInstanceOf(Interrupted);
  });
});

describe('names', () => {
  const corpus = sample();

  it('stay while most terms stay, whatever would be composed tonight', async () => {
    const first = await label(corpus);
    const terms = first.labelTerms[0];
    const former = new Map([[2, { label: 'The name people know', terms }]]);
    const { topics } = await label(corpus, labelJob(), former);
    expect(topics.label).toEqual(['The name people know', ...first.topics.label.slice(1)]);
  });

  it('change when the terms did', async () => {
    const first = await label(corpus);
    const former = new Map([[2, { label: 'The name people knew', terms: ['opera', 'violin', 'aria'] }]]);
    expect((await label(corpus, labelJob(), former)).topics.label).toEqual(first.topics.label);
  });

  it('are given to no second topic while one keeps them', async () => {
    const first = await label(corpus);
    const former = new Map([[9, { label: first.topics.label[0], terms: first.labelTerms[2] }]]);
    const { label: names } = (await label(corpus, labelJob(), former)).topics;
    expect(names[2]).toBe(first.topics.label[0]);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(3);
  });
});
