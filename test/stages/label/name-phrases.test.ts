import { describe, expect, it } from 'vitest';
import { candidateTerms } from '../../../stages/label/candidate-terms.ts';
import { meanTitleShare, type NamePhrase, namePhrases } from '../../../stages/label/name-phrases.ts';
import { rankTerms } from '../../../stages/label/topic-terms.ts';
import { labelConfig, markedCorpus, textsOf } from './marked-corpus.ts';

/** Documents as "title | abstract", entities marked in the abstract. */
type Topic = readonly string[];

/** Phrases that could name the first of the topics, worthiest first; further documents are the outliers. */
function phrasesOf(topic: Topic, others: Topic): { text: string; phrase: NamePhrase }[] {
  const texts = [...topic, ...others].map((text) => text.split(' | '));
  const { documents, entities } = markedCorpus(texts.map(([, abstract]) => abstract));
  const config = labelConfig({ min_document_count: 2, max_document_share: 1 });
  const candidates = candidateTerms(
    textsOf({ ...documents, title: texts.map(([title]) => title) }),
    entities,
    config,
  );
  const classOf = Int32Array.from(texts, (_, row) => (row < topic.length ? 0 : 1));
  const [pool] = rankTerms(candidates, classOf, 1, 100);
  return namePhrases(pool, pool, topic.length, candidates, meanTitleShare(candidates), config)
    .map((phrase) => ({ text: candidates.text[phrase.ranked.term], phrase }))
    .sort((a, b) => b.phrase.worth - a.phrase.worth || a.phrase.ranked.term - b.phrase.ranked.term);
}

function namesOf(topic: Topic, others: Topic): string[] {
  return phrasesOf(topic, others).map(({ text }) => text);
}

const elsewhere = Array.from({ length: 12 }, (_, row) => `Birds of the ${row}th island | we saw birds there`);

describe('namePhrases', () => {
  it('puts what titles say before what only abstracts say', () => {
    const topic = Array.from(
      { length: 6 },
      (_, row) => `Reefs in the ${row}th sea | the reefs had corals, by kappa, and corals by kappa`,
    );
    const names = namesOf(topic, elsewhere);
    expect(names[0]).toBe('reefs');
    expect(names.indexOf('reefs')).toBeLessThan(names.indexOf('kappa'));
  });

  it('takes a plain phrase of titles for a name beside a metric that the tagger found', () => {
    const topic = Array.from(
      { length: 6 },
      (_, row) =>
        `Solar cells of the ${row}th kind | the [Metric:PCE] of solar cells; the [Metric:PCE] of others`,
    );
    expect(namesOf(topic, elsewhere)[0]).toBe('solar cells');
  });

  it('says a lone word in full where a phrase with it covers a fair share of its documents', () => {
    const row = (at: number): string => (at < 3 ? 'bed nets, with bed nets' : 'the nets, with their nets');
    const topic = Array.from({ length: 6 }, (_, at) => `On the ${at}th | ${row(at)}`);
    const names = namesOf(topic, elsewhere);
    expect(names).toContain('bed nets');
    expect(names).not.toContain('nets');
    const rarely = Array.from({ length: 12 }, (_, at) => `On the ${at}th | ${row(at + 1)}`);
    expect(namesOf(rarely, elsewhere)).toContain('nets');
  });

  it('puts fragments last: words that others must follow, and participles', () => {
    const kinds = ['shells', 'teeth', 'skulls', 'hairs', 'tools', 'bowls', 'coins', 'walls'];
    const topic = kinds.map(
      (kind) => `Ancient ${kind} | the ancient ${kind} of a site, excavated by others at a site`,
    );
    const phrases = phrasesOf(topic, elsewhere);
    const worthOf = (name: string): number => phrases.find(({ text }) => text === name)?.phrase.worth ?? 0;
    expect(worthOf('site')).toBeGreaterThan(0);
    expect(worthOf('site')).toBeGreaterThan(worthOf('ancient'));
    expect(worthOf('site')).toBeGreaterThan(worthOf('excavated'));
    expect(worthOf('excavated')).toBeGreaterThan(0);
  });

  it('puts events of a year behind what their papers are about', () => {
    const topic = Array.from(
      { length: 6 },
      () =>
        'A system at SemEval-2018 Task 3 | for [Task:SemEval-2018 Task], on [Task:irony detection], in [Task:SemEval-2018 Task]',
    );
    expect(namesOf(topic, elsewhere)[0]).toBe('irony detection');
  });

  it('lifts no acronym for standing in titles, where system papers put their own names', () => {
    const worthOf = (name: string, title: string): number => {
      const topic = Array.from(
        { length: 6 },
        () => `${title} | we are [Method:${name}], and try [Method:${name}]`,
      );
      return phrasesOf(topic, elsewhere).find(({ text }) => text === name)?.phrase.worth ?? 0;
    };
    const lift = (name: string): number =>
      worthOf(name, `${name} of birds`) / worthOf(name, 'Swarms of birds');
    // From the titles of none to an average share, and no further.
    expect(lift('NTNUX')).toBeGreaterThan(1);
    expect(lift('NTNUX')).toBeLessThan(0.9 * lift('tagging'));
  });

  it('judges by abstracts alone where there are no titles', () => {
    const topic = Array.from({ length: 6 }, () => ' | on [Task:irony detection] in tweets');
    const untitled = elsewhere.map((text) => text.replace(/^[^|]*/u, ' '));
    const [first] = phrasesOf(topic, untitled);
    expect(first.text).toBe('irony detection');
    expect(first.phrase.worth).toBeGreaterThan(0);
    expect(first.phrase.leads).toBe(true);
  });
});
