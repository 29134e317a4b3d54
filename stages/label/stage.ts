/** Label: names each topic, lists its terms, and says how well they hold together and where it lies. */

import type {
  AssignmentColumns,
  EntityColumns,
  Job,
  Labelled,
  LabelStage,
  TermColumns,
  TopicColumns,
} from '../../pipeline/contract.ts';
import { Interrupted } from '../../pipeline/errors.ts';
import { documentBits, meanNpmi } from '../../pipeline/math/npmi.ts';
import { type CandidateTerms, candidateTerms } from './candidate-terms.ts';
import { chooseTerms } from './choose-terms.ts';
import { composeLabels } from './compose-label.ts';
import { DEFAULT_WEIGHTS, type LabelConfig, section } from './config.ts';
import { foldTerms } from './fold-terms.ts';
import { keptLabels } from './keep-labels.ts';
import { distancesToCenter, medoid, representatives } from './representatives.ts';
import { type RankedTerm, rankTerms, rowsByClass } from './topic-terms.ts';

/** Terms considered per topic; the deeper ones only to say words of a label in full. */
const POOL_SIZE = 400;

/** Terms considered per topic before folding; folding leaves about half. */
const FOLDING_SIZE = 200;

/** Terms per topic that compete for a place in its list once folded. */
const FOLDED_SIZE = 100;

/** A topic's strongest terms that are kept with its label, to tell later whether they changed. */
const NAMED_FOR = 20;

/** A label is composed from at least this many terms, however few are listed. */
const MIN_LABEL_TERMS = 10;

export const stage: LabelStage<LabelConfig> = {
  name: 'label',
  version: 1,
  section,
  seeded: false,
  async run(documents, entities, vectors, positions, assignments, former, job): Promise<Labelled> {
    const { config } = job;
    const n = documents.id.length;
    noticeUnknownTypes(entities, job);

    // Topics in ascending order of id; outliers are the class after the last.
    const topicIds = [...new Set(assignments.topic)].filter((id) => id >= 0).sort((a, b) => a - b);
    const c = topicIds.length;
    const classOf = classesOf(assignments, topicIds);
    const rows = rowsByClass(classOf, c + 1);

    const candidates = candidateTerms(documents, entities, config);
    stopIfAsked(job.signal);
    const listed = Math.max(config.top_n, MIN_LABEL_TERMS);
    const pools = rankTerms(candidates, classOf, c, Math.max(POOL_SIZE, 5 * listed));
    const folded = pools.map((ranked) =>
      foldTerms(ranked.slice(0, Math.max(FOLDING_SIZE, 5 * listed)), candidates).slice(
        0,
        Math.max(FOLDED_SIZE, 3 * listed),
      ),
    );
    stopIfAsked(job.signal);
    const documentsOf = corpusDocuments(folded, candidates, n);
    const chosen = folded.map((terms) =>
      chooseTerms(terms, candidates, documentsOf, n, listed, config.diversity),
    );
    stopIfAsked(job.signal);

    const strongTerms = folded.map((terms) => terms.map(({ term }) => candidates.text[term]));
    const kept = keptLabels(topicIds, strongTerms, former);
    const labels = composeLabels(
      topicIds.map((topicId, i) => ({ topicId, rows: rows[i], terms: folded[i], pool: pools[i] })),
      candidates,
      (row) => documents.abstract(row),
      config,
      kept,
    );
    const tops = chosen.map((terms) => terms.slice(0, config.top_n));
    const topics: TopicColumns = {
      topicId: topicIds,
      label: labels,
      size: topicIds.map((_, i) => rows[i].length),
      x: [],
      y: [],
      coherence: tops.map((terms) =>
        meanNpmi(
          terms.map(({ term }) => documentBits(documentsOf(term), n)),
          n,
        ),
      ),
      representatives: [],
    };
    const distanceToCenter = new Float32Array(n).fill(Number.NaN);
    for (let i = 0; i < c; i++) {
      const distances = distancesToCenter(vectors.read(rows[i]));
      for (let at = 0; at < rows[i].length; at++) distanceToCenter[rows[i][at]] = distances[at];
      const place = medoid(rows[i], positions, documents.id);
      topics.x.push(positions.x[place]);
      topics.y.push(positions.y[place]);
      topics.representatives.push(representatives(rows[i], distances, assignments.probability, documents.id));
      job.progress(i + 1, c);
    }
    noticeNameless(tops, job);
    return {
      topics,
      terms: termColumns(topicIds, tops, candidates),
      distanceToCenter,
      labelTerms: strongTerms.map((terms) => terms.slice(0, NAMED_FOR)),
    };
  },
};

function classesOf(assignments: AssignmentColumns, topicIds: number[]): Int32Array {
  const classOfTopic = new Map(topicIds.map((id, i) => [id, i]));
  return Int32Array.from(assignments.topic, (id) => classOfTopic.get(id) ?? topicIds.length);
}

/** Documents of the corpus that hold a term, for every term in the lists. */
function corpusDocuments(
  lists: RankedTerm[][],
  candidates: CandidateTerms,
  n: number,
): (term: number) => Int32Array {
  const { offsets, terms, documentCount } = candidates;
  // Room for each listed term's rows, then the rows.
  const starts = new Float64Array(candidates.text.length).fill(-1);
  let total = 0;
  for (const { term } of lists.flat()) {
    if (starts[term] !== -1) continue;
    starts[term] = total;
    total += documentCount[term];
  }
  const rows = new Int32Array(total);
  const used = starts.slice();
  for (let row = 0; row < n; row++) {
    for (let at = offsets[row]; at < offsets[row + 1]; at++) {
      if (starts[terms[at]] !== -1) rows[used[terms[at]]++] = row;
    }
  }
  return (term) => rows.subarray(starts[term], starts[term] + documentCount[term]);
}

function termColumns(topicIds: number[], tops: RankedTerm[][], candidates: CandidateTerms): TermColumns {
  const rows = tops.flatMap((terms, i) =>
    terms.map(({ term, weight }, at) => ({ topicId: topicIds[i], rank: at + 1, term, weight })),
  );
  return {
    topicId: Int32Array.from(rows, (row) => row.topicId),
    rank: Int32Array.from(rows, (row) => row.rank),
    term: rows.map((row) => candidates.text[row.term]),
    type: rows.map((row) => candidates.type[row.term]),
    weight: Float32Array.from(rows, (row) => row.weight),
  };
}

/** A weight for a type that the tagger does not know is a misspelling more often than not. */
function noticeUnknownTypes(entities: EntityColumns, job: Job<LabelConfig>): void {
  const known = [...new Set(entities.list.type)].sort();
  if (known.length === 0) return;
  for (const type of Object.keys(job.config.weights)) {
    if (Object.hasOwn(DEFAULT_WEIGHTS, type) || known.includes(type)) continue;
    job.notice(
      `label.weights names "${type}", but no entity has that type; this corpus has ${known.join(', ')}.`,
    );
  }
}

function noticeNameless(tops: RankedTerm[][], job: Job<LabelConfig>): void {
  const nameless = tops.filter((terms) => terms.length === 0).length;
  if (nameless === 0) return;
  job.notice(
    `${nameless} topics have no term between label.min_document_count (${job.config.min_document_count}) ` +
      `and label.max_document_share (${job.config.max_document_share}) and are named by number only.`,
  );
}

function stopIfAsked(signal: AbortSignal): void {
  if (signal.aborted) throw new Interrupted('The label stage was asked to stop.');
}
