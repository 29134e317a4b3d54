/**
 * Settles which of tonight's records are one paper. Of two records of one source the better is kept and the
 * other is noted as left out; records of several sources become one, which keeps what each of them knows.
 */

import { createHash } from 'node:crypto';
import type { PaperFacts } from '../contract.ts';
import type { Store } from './open.ts';

/** What two records are known by to be one paper, in the order in which they are compared. */
const keys = ['id', 'doi', 'arxiv', 'pmid', 'title_key'] as const;

type Key = (typeof keys)[number];

const words: Record<Key, { reason: string; name: string }> = {
  id: { reason: 'duplicate id', name: 'id' },
  doi: { reason: 'duplicate DOI', name: 'doi' },
  arxiv: { reason: 'duplicate arXiv id', name: 'arXiv id' },
  pmid: { reason: 'duplicate PubMed id', name: 'PubMed id' },
  title_key: { reason: 'duplicate title', name: 'title' },
};

/**
 * The better of two duplicates is the richer; equals are told apart by what they say, never by where they
 * stand, so that the order of the input decides nothing.
 */
const betterFirst = 'richness DESC, id, content_hash, extra, line, place';

/**
 * Leaves one row per paper in temp.incoming. Rows of papers that are withdrawn go, noted in temp.left_out.
 *
 * @param severalSources Whether records come from more than one source; ids are then compared within each.
 */
export function mergeRecords(store: Store, severalSources: boolean): void {
  leaveOutWithdrawn(store, "withdrawn IN ('withdrawn', 'deleted')");
  defineFunctions(store);
  for (const key of keys) {
    // One source is trusted to give each paper one DOI and title; its other ids may name an earlier version.
    if (!severalSources && (key === 'arxiv' || key === 'pmid')) continue;
    removeDuplicates(store, key);
  }
  leaveOutWithdrawn(store, 'withdrawn IS NOT NULL');
  if (severalSources) tellIdsApart(store);
}

/** Notes the rows of withdrawn papers as left out. */
function leaveOutWithdrawn(store: Store, condition: string): void {
  store.exec(`
    INSERT INTO temp.left_out
      SELECT line, id, withdrawn, withdrawn_detail, NULL FROM temp.incoming WHERE ${condition};
    DELETE FROM temp.incoming WHERE ${condition};
  `);
}

/** Keeps the best row of each group with an equal key; the others are absorbed by it or left out. */
function removeDuplicates(store: Store, key: Key): void {
  const group = key === 'id' ? 'source, id' : key;
  store.exec(`
    DELETE FROM temp.matched;
    INSERT INTO temp.matched
      SELECT number, kept, kept_id, kept_line, is_own FROM (
        SELECT rowid AS number, row_number() OVER best AS place_in_group, first_value(rowid) OVER best AS kept,
          first_value(id) OVER best AS kept_id, first_value(line) OVER best AS kept_line,
          source = first_value(source) OVER best AS is_own
        FROM temp.incoming WHERE ${key} IS NOT NULL
        WINDOW best AS (PARTITION BY ${group} ORDER BY ${betterFirst})
      ) WHERE place_in_group > 1
  `);
  // Title and abstract of one paper may stand in two files of one source, as in Semantic Scholar's.
  if (key === 'id') {
    store.exec(`
      UPDATE temp.matched SET is_own = 0 FROM temp.incoming k, temp.incoming l
      WHERE k.rowid = kept AND l.rowid = number
        AND (k.title = '' AND l.title <> '' OR k.abstract = '' AND l.abstract <> '')
    `);
  }
  absorb(store, words[key].name);
  store
    .prepare(
      `INSERT INTO temp.left_out
       SELECT line, id, ?, 'same ' || ? || ' as line ' || kept_line || ' (' || kept_id || '), which says at least as much', kept_id
       FROM temp.matched JOIN temp.incoming i ON i.rowid = number WHERE is_own`,
    )
    .run(words[key].reason, words[key].name);
  // A paper is void in both of its rows.
  store.exec(`
    UPDATE temp.incoming SET withdrawn = l.withdrawn, withdrawn_detail = l.withdrawn_detail
    FROM temp.matched, temp.incoming l
    WHERE is_own AND incoming.rowid = kept AND l.rowid = number AND incoming.withdrawn IS NULL
      AND l.withdrawn IS NOT NULL;
    DELETE FROM temp.incoming WHERE rowid IN (SELECT number FROM temp.matched);
  `);
}

/** Puts into each kept row what only rows of other sources know, the better ones first. */
function absorb(store: Store, name: string): void {
  const pairs = store
    .prepare(
      `SELECT number, kept FROM temp.matched JOIN temp.incoming i ON i.rowid = number WHERE NOT is_own
       ORDER BY kept, ${betterFirst}`,
    )
    .all() as { number: number; kept: number }[];
  const begin = store.prepare(
    `INSERT OR IGNORE INTO temp.origin SELECT rowid, source, id, line, NULL FROM temp.incoming WHERE rowid = ?
       AND NOT EXISTS (SELECT 1 FROM temp.origin o WHERE o.number = incoming.rowid)`,
  );
  const add = store.prepare(
    'INSERT INTO temp.origin SELECT ?, source, id, line, ? FROM temp.incoming WHERE rowid = ?',
  );
  const take = store.prepare(
    'UPDATE temp.origin SET number = ?, matched_by = coalesce(matched_by, ?) WHERE number = ?',
  );
  const fill = store.prepare(
    `UPDATE temp.incoming SET
       doi = coalesce(incoming.doi, l.doi), arxiv = coalesce(incoming.arxiv, l.arxiv),
       pmid = coalesce(incoming.pmid, l.pmid), year = coalesce(incoming.year, l.year),
       title_key = coalesce(incoming.title_key, l.title_key),
       title = iif(incoming.title = '', l.title, incoming.title),
       abstract = iif(incoming.abstract = '', l.abstract, incoming.abstract),
       content_hash = content_hash_of(iif(incoming.title = '', l.title, incoming.title),
         iif(incoming.abstract = '', l.abstract, incoming.abstract)),
       extra = with_missing(incoming.extra, l.extra), facts = with_missing_facts(incoming.facts, l.facts),
       withdrawn = coalesce(incoming.withdrawn, l.withdrawn),
       withdrawn_detail = coalesce(incoming.withdrawn_detail, l.withdrawn_detail),
       document_id = iif(l.document_place < incoming.document_place, l.document_id, incoming.document_id),
       document_source = iif(l.document_place < incoming.document_place, l.document_source, incoming.document_source),
       document_place = min(l.document_place, incoming.document_place)
     FROM (SELECT * FROM temp.incoming WHERE rowid = ?) l WHERE incoming.rowid = ?`,
  );
  for (const { number, kept } of pairs) {
    begin.run(kept);
    // A row that had absorbed others hands on where they came from, and itself with them.
    if (take.run(kept, name, number).changes === 0) add.run(kept, name, number);
    fill.run(number, kept);
  }
}

function defineFunctions(store: Store): void {
  const options = { deterministic: true };
  // As ingest makes it.
  store.function('content_hash_of', options, (title, abstract) =>
    createHash('sha256').update(`${title}\0${abstract}`).digest('hex'),
  );
  store.function('with_missing', options, (own, other) =>
    JSON.stringify({ ...JSON.parse(other as string), ...JSON.parse(own as string) }),
  );
  store.function('with_missing_facts', options, (own, other) =>
    JSON.stringify(withMissingFacts(JSON.parse(own as string), JSON.parse(other as string))),
  );
}

/** Counts of citations differ by what a source has read: the larger is nearer to the truth. */
function withMissingFacts(own: PaperFacts, other: PaperFacts): PaperFacts {
  const { citations } = own;
  return {
    authors: own.authors.length > 0 ? own.authors : other.authors,
    institutions: own.institutions.length > 0 ? own.institutions : other.institutions,
    venue: own.venue ?? other.venue,
    citations: citations === null ? other.citations : Math.max(citations, other.citations ?? 0),
    published: own.published ?? other.published,
  };
}

/** Two papers of different sources may have one id, as a running number: the later source's gets its name. */
function tellIdsApart(store: Store): void {
  const rename = store.prepare(
    `UPDATE temp.incoming SET document_id = document_source || ':' || document_id WHERE rowid IN (
       SELECT number FROM (
         SELECT rowid AS number,
           row_number() OVER (PARTITION BY document_id ORDER BY document_place, ${betterFirst}) AS place_in_group
         FROM temp.incoming
       ) WHERE place_in_group > 1)`,
  );
  while (rename.run().changes > 0);
}
