/** Assignments, topics, terms and events: what the cluster and label stages give, in and out. */

import type {
  AssignmentColumns,
  Clustered,
  FormerLabel,
  History,
  Labelled,
  TermColumns,
  TopicColumns,
  TopicEvent,
  TopicEventKind,
} from '../contract.ts';
import type { CorpusOrder } from './documents.ts';
import type { Store } from './open.ts';

/** A run's topics, and the settings that they were found under. */
export interface FormerRun {
  history: History;
  /** As JSON; null where the run is from before these were kept. */
  settings: string | null;
}

/** What the last run before this one assigned; null where there was none. */
export function readHistory(store: Store, order: CorpusOrder, runNumber: number): FormerRun | null {
  const last = store
    .prepare('SELECT max(run_number) FROM topic_size WHERE run_number < ?')
    .pluck()
    .get(runNumber) as number | null;
  if (last === null) return null;
  const topic = new Int32Array(order.n).fill(-2);
  const rows = store
    .prepare('SELECT document_key, topic_id FROM assignment WHERE run_number = ?')
    .raw()
    .iterate(last);
  for (const [key, id] of rows as Iterable<[number, number]>) topic[order.rowOf[key]] = id;
  const sizes = store
    .prepare('SELECT topic_id, size FROM topic_size WHERE run_number = ? AND topic_id >= 0 ORDER BY topic_id')
    .raw()
    .all(last) as [number, number][];
  const nextTopicId = store
    .prepare('SELECT coalesce(max(topic_id), -1) + 1 FROM topic WHERE first_run < ?')
    .pluck()
    .get(runNumber) as number;
  const isFirst = store.prepare('SELECT min(run_number) = ? FROM topic_size').pluck().get(last) as number;
  const newborn = store
    .prepare('SELECT topic_id FROM topic WHERE first_run = ?')
    .pluck()
    .all(isFirst === 1 ? -1 : last) as number[];
  const clustering = store
    .prepare(
      `SELECT settings, better_nights AS betterNights, strange_nights AS strangeNights FROM clustering
       WHERE run_number = ?`,
    )
    .get(last) as { settings: string; betterNights: number; strangeNights: number } | undefined;
  const history: History = {
    topic,
    sizes: new Map(sizes),
    nextTopicId,
    newborn: new Set(newborn),
    betterNights: clustering?.betterNights ?? 0,
    strangeNights: clustering?.strangeNights ?? 0,
  };
  return { history, settings: clustering?.settings ?? null };
}

/**
 * Stores tonight's clusters beside the last run's (older assignments are dropped; sizes and events stay).
 * Doing it twice for one run leaves what doing it once leaves.
 */
export function writeClusters(
  store: Store,
  order: CorpusOrder,
  runNumber: number,
  clustered: Clustered,
  settings: string,
): void {
  const { assignments, events, betterNights, strangeNights } = clustered;
  const previous = store
    .prepare('SELECT max(run_number) FROM topic_size WHERE run_number < ?')
    .pluck()
    .get(runNumber) as number | null;
  store.prepare('DELETE FROM assignment WHERE run_number <> ?').run(previous ?? -1);
  store.prepare('DELETE FROM topic_size WHERE run_number = ?').run(runNumber);
  store.prepare('DELETE FROM topic_event WHERE run_number = ?').run(runNumber);
  store.prepare('DELETE FROM topic WHERE first_run = ?').run(runNumber);
  store.prepare('UPDATE topic SET last_run = @run WHERE last_run > @run').run({ run: previous ?? -1 });

  const sizes = new Map<number, number>();
  const addAssignment = store.prepare('INSERT INTO assignment VALUES (?, ?, ?, ?, ?, NULL)');
  for (let i = 0; i < order.n; i++) {
    const topic = assignments.topic[i];
    sizes.set(topic, (sizes.get(topic) ?? 0) + 1);
    addAssignment.run(
      order.keys[i],
      runNumber,
      topic,
      assignments.probability[i],
      assignments.outlierScore[i],
    );
  }

  // A row for the outliers even when there are none marks that this run has clustered at all.
  const addSize = store.prepare('INSERT INTO topic_size VALUES (?, ?, ?)');
  addSize.run(runNumber, -1, sizes.get(-1) ?? 0);
  store.exec('UPDATE topic SET size = 0');
  const addTopic = store.prepare(
    `INSERT INTO topic (topic_id, first_run, last_run, size) VALUES (@topic, @run, @run, @size)
     ON CONFLICT (topic_id) DO UPDATE SET last_run = excluded.last_run, size = excluded.size`,
  );
  for (const [topic, size] of [...sizes].sort((a, b) => a[0] - b[0])) {
    if (topic < 0) continue;
    addSize.run(runNumber, topic, size);
    addTopic.run({ topic, run: runNumber, size });
  }
  const addEvent = store.prepare('INSERT INTO topic_event VALUES (?, ?, ?, ?, ?)');
  for (const e of events) {
    addEvent.run(runNumber, e.topicId, e.event, JSON.stringify(e.fromTopicIds), e.reason);
  }
  store
    .prepare('INSERT OR REPLACE INTO clustering VALUES (?, ?, ?, ?)')
    .run(runNumber, settings, betterNights, strangeNights);
}

/** Tonight's assignments, in corpus order. */
export function readAssignments(
  store: Store,
  order: CorpusOrder,
): AssignmentColumns & { distanceToCenter: Float32Array } {
  const columns = {
    topic: new Int32Array(order.n).fill(-1),
    probability: new Float32Array(order.n),
    outlierScore: new Float32Array(order.n),
    distanceToCenter: new Float32Array(order.n).fill(Number.NaN),
  };
  const rows = store
    .prepare(
      `SELECT document_key, topic_id, probability, outlier_score, distance_to_center FROM assignment
       WHERE run_number = (SELECT run_number FROM stage_state WHERE stage = 'cluster')`,
    )
    .raw()
    .iterate();
  for (const [key, topic, probability, outlier, distance] of rows as Iterable<
    [number, number, number, number, number | null]
  >) {
    const row = order.rowOf[key];
    columns.topic[row] = topic;
    columns.probability[row] = probability;
    columns.outlierScore[row] = outlier;
    columns.distanceToCenter[row] = distance ?? Number.NaN;
  }
  return columns;
}

/** What each topic was called before this run, as far as it was named under the same settings. */
export function readFormerLabels(
  store: Store,
  runNumber: number,
  settings: string,
): Map<number, FormerLabel> {
  const rows = store
    .prepare(
      `SELECT topic_id, label, terms, settings, max(run_number) FROM topic_label WHERE run_number < ?
       GROUP BY topic_id ORDER BY topic_id`,
    )
    .raw()
    .all(runNumber) as [number, string, string, string, number][];
  return new Map(
    rows
      .filter((row) => row[3] === settings)
      .map(([topicId, label, terms]) => [topicId, { label, terms: JSON.parse(terms) as string[] }]),
  );
}

/**
 * Names tonight's topics; topics of earlier runs keep the label they had.
 *
 * @param settings What labels depend on beside the documents.
 */
export function writeLabels(
  store: Store,
  order: CorpusOrder,
  runNumber: number,
  labelled: Labelled,
  settings: string,
): void {
  const { topics, terms, distanceToCenter, labelTerms } = labelled;
  const former = readFormerLabels(store, runNumber, settings);
  store.prepare('DELETE FROM topic_label WHERE run_number = ?').run(runNumber);
  const addLabel = store.prepare('INSERT INTO topic_label VALUES (?, ?, ?, ?, ?)');
  topics.topicId.forEach((topicId, t) => {
    const label = topics.label[t];
    if (former.get(topicId)?.label === label) return;
    addLabel.run(topicId, runNumber, label, JSON.stringify(labelTerms[t]), settings);
  });
  const idOf = store.prepare('SELECT id FROM document WHERE document_key = ?').pluck();
  const name = store.prepare(
    'UPDATE topic SET label = ?, x = ?, y = ?, coherence = ?, representatives = ? WHERE topic_id = ?',
  );
  for (let t = 0; t < topics.topicId.length; t++) {
    const representatives = JSON.stringify(topics.representatives[t].map((row) => idOf.get(order.keys[row])));
    name.run(
      topics.label[t],
      topics.x[t],
      topics.y[t],
      topics.coherence[t],
      representatives,
      topics.topicId[t],
    );
  }
  store.exec('DELETE FROM topic_term');
  const addTerm = store.prepare('INSERT INTO topic_term VALUES (?, ?, ?, ?, ?)');
  for (let t = 0; t < terms.term.length; t++) {
    addTerm.run(terms.topicId[t], terms.rank[t], terms.term[t], terms.type[t], terms.weight[t]);
  }
  const setDistance = store.prepare(
    `UPDATE assignment SET distance_to_center = ? WHERE document_key = ?
     AND run_number = (SELECT run_number FROM stage_state WHERE stage = 'cluster')`,
  );
  for (let i = 0; i < order.n; i++) {
    setDistance.run(Number.isNaN(distanceToCenter[i]) ? null : distanceToCenter[i], order.keys[i]);
  }
}

/** Tonight's topics, by id: what a summary tells of them. */
export function readTopicSizes(store: Store): { topicId: number; label: string; size: number }[] {
  return store
    .prepare(
      "SELECT topic_id AS topicId, coalesce(label, '') AS label, size FROM topic WHERE size > 0 ORDER BY topic_id",
    )
    .all() as { topicId: number; label: string; size: number }[];
}

/** Tonight's topics, by id; representatives as document rows. */
export function readTopics(store: Store, order: CorpusOrder): TopicColumns {
  const keyOf = store.prepare('SELECT document_key FROM document WHERE id = ?').pluck();
  const rowsOf = (ids: string[]): number[] =>
    ids.flatMap((id) => {
      const key = keyOf.get(id) as number | undefined;
      return key === undefined ? [] : [order.rowOf[key]];
    });
  const rows = store
    .prepare(
      'SELECT topic_id, label, size, x, y, coherence, representatives FROM topic WHERE size > 0 ORDER BY topic_id',
    )
    .raw()
    .all() as [number, string | null, number, number, number, number, string | null][];
  return {
    topicId: rows.map((row) => row[0]),
    label: rows.map((row) => row[1] ?? ''),
    size: rows.map((row) => row[2]),
    x: rows.map((row) => row[3]),
    y: rows.map((row) => row[4]),
    coherence: rows.map((row) => row[5] ?? Number.NaN),
    representatives: rows.map((row) => rowsOf(JSON.parse(row[6] ?? '[]') as string[])),
  };
}

export function readTerms(store: Store): TermColumns {
  const rows = store
    .prepare('SELECT topic_id, rank, term, type, weight FROM topic_term ORDER BY topic_id, rank')
    .raw()
    .all() as [number, number, string, string, number][];
  return {
    topicId: Int32Array.from(rows, (row) => row[0]),
    rank: Int32Array.from(rows, (row) => row[1]),
    term: rows.map((row) => row[2]),
    type: rows.map((row) => row[3]),
    weight: Float32Array.from(rows, (row) => row[4]),
  };
}

/** Events of all runs, oldest first. */
export function readEvents(store: Store): (TopicEvent & { runId: string })[] {
  const rows = store
    .prepare(
      `SELECT r.run_id, e.event, e.topic_id, e.from_topic_ids, e.reason FROM topic_event e JOIN run r USING (run_number)
       ORDER BY e.run_number, e.topic_id, e.event`,
    )
    .raw()
    .all() as [string, TopicEventKind, number, string, string][];
  return rows.map(([runId, event, topicId, from, reason]) => ({
    runId,
    event,
    topicId,
    fromTopicIds: JSON.parse(from) as number[],
    reason,
  }));
}
