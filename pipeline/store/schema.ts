/** The database's tables and views, as a list of migrations; a database tells by user_version how many it has had. */

/**
 * Migrations in order; entry i takes a database from version i to i + 1. One that has been released is
 * never edited, only followed by another.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE run (
    run_number INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('running', 'interrupted', 'failed', 'done')),
    attempts INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    process_id INTEGER,
    host TEXT,
    config TEXT NOT NULL,
    summary TEXT
  ) STRICT;

  CREATE TABLE stage_run (
    run_number INTEGER NOT NULL REFERENCES run,
    stage TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'interrupted', 'failed', 'done')),
    why TEXT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    seconds REAL,
    documents INTEGER,
    PRIMARY KEY (run_number, stage)
  ) STRICT, WITHOUT ROWID;

  -- What is stored of each stage now: made from what (inputs), told apart by what (output).
  CREATE TABLE stage_state (
    stage TEXT PRIMARY KEY,
    run_number INTEGER NOT NULL REFERENCES run,
    inputs TEXT NOT NULL,
    output TEXT NOT NULL,
    notices TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE model_pin (
    role TEXT PRIMARY KEY,
    reference TEXT NOT NULL,
    hash TEXT NOT NULL,
    folder TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE document (
    document_key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    order_key INTEGER NOT NULL,
    title TEXT NOT NULL,
    abstract TEXT NOT NULL,
    year INTEGER,
    doi TEXT,
    source TEXT NOT NULL,
    extra TEXT NOT NULL,
    content_hash TEXT NOT NULL
  ) STRICT;
  CREATE INDEX document_by_order ON document (order_key, id);

  CREATE TABLE skipped_row (
    line INTEGER NOT NULL,
    id TEXT,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    kept_id TEXT
  ) STRICT;

  CREATE TABLE entity (
    entity_id INTEGER PRIMARY KEY,
    canonical TEXT NOT NULL,
    type TEXT NOT NULL,
    generic INTEGER NOT NULL,
    UNIQUE (canonical, type)
  ) STRICT;

  CREATE TABLE surface (
    surface_id INTEGER PRIMARY KEY,
    form TEXT NOT NULL,
    text TEXT NOT NULL,
    type TEXT NOT NULL,
    entity_id INTEGER REFERENCES entity ON DELETE SET NULL,
    UNIQUE (form, text, type)
  ) STRICT;
  CREATE INDEX surface_by_entity ON surface (entity_id);

  CREATE TABLE mention (
    document_key INTEGER NOT NULL REFERENCES document ON DELETE CASCADE,
    field INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    surface_id INTEGER NOT NULL REFERENCES surface,
    score REAL NOT NULL,
    PRIMARY KEY (document_key, field, start, "end", surface_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX mention_by_surface ON mention (surface_id, document_key);

  -- A document's entities in reading order, to be read at once: entity_id (int32) and score (float32) by turns.
  CREATE TABLE document_entities (
    document_key INTEGER PRIMARY KEY REFERENCES document ON DELETE CASCADE,
    entities BLOB NOT NULL
  ) STRICT;

  CREATE TABLE acronym (
    document_key INTEGER NOT NULL REFERENCES document ON DELETE CASCADE,
    short TEXT NOT NULL,
    long TEXT NOT NULL,
    PRIMARY KEY (document_key, short, long)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE tagged (
    document_key INTEGER PRIMARY KEY REFERENCES document ON DELETE CASCADE,
    content_hash TEXT NOT NULL,
    work_key TEXT NOT NULL
  ) STRICT;

  CREATE TABLE embedding (
    document_key INTEGER PRIMARY KEY REFERENCES document ON DELETE CASCADE,
    content_hash TEXT NOT NULL,
    work_key TEXT NOT NULL,
    model TEXT NOT NULL,
    dimensions INTEGER NOT NULL,
    vector BLOB NOT NULL
  ) STRICT;
  CREATE INDEX embedding_by_work ON embedding (work_key, document_key, content_hash);

  CREATE TABLE position (
    document_key INTEGER PRIMARY KEY REFERENCES document ON DELETE CASCADE,
    x REAL NOT NULL,
    y REAL NOT NULL,
    vector BLOB NOT NULL
  ) STRICT;

  CREATE TABLE assignment (
    document_key INTEGER NOT NULL REFERENCES document ON DELETE CASCADE,
    run_number INTEGER NOT NULL REFERENCES run,
    topic_id INTEGER NOT NULL,
    probability REAL NOT NULL,
    outlier_score REAL NOT NULL,
    distance_to_center REAL,
    PRIMARY KEY (document_key, run_number)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE topic (
    topic_id INTEGER PRIMARY KEY,
    first_run INTEGER NOT NULL REFERENCES run,
    last_run INTEGER NOT NULL REFERENCES run,
    size INTEGER NOT NULL,
    label TEXT,
    x REAL,
    y REAL,
    coherence REAL,
    representatives TEXT
  ) STRICT;

  -- Sizes as they were: what the next run's topics are matched to.
  CREATE TABLE topic_size (
    run_number INTEGER NOT NULL REFERENCES run,
    topic_id INTEGER NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (run_number, topic_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE topic_term (
    topic_id INTEGER NOT NULL REFERENCES topic ON DELETE CASCADE,
    rank INTEGER NOT NULL,
    term TEXT NOT NULL,
    type TEXT NOT NULL,
    weight REAL NOT NULL,
    PRIMARY KEY (topic_id, rank)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE topic_event (
    run_number INTEGER NOT NULL REFERENCES run,
    topic_id INTEGER NOT NULL,
    event TEXT NOT NULL,
    from_topic_ids TEXT NOT NULL,
    PRIMARY KEY (run_number, topic_id, event)
  ) STRICT, WITHOUT ROWID;

  CREATE VIEW documents AS
    SELECT id, title, abstract, year, source, extra FROM document;

  CREATE VIEW skipped_rows AS
    SELECT line, id, reason, detail, kept_id FROM skipped_row;

  CREATE VIEW entities AS
    SELECT d.id AS document_id, CASE m.field WHEN 0 THEN 'title' ELSE 'abstract' END AS field,
      m.start AS start, m."end" AS "end", s.text AS text,
      coalesce(e.canonical, s.text) AS canonical, s.type AS type, m.score AS score,
      coalesce(e.generic, 0) AS generic
    FROM mention m JOIN document d USING (document_key) JOIN surface s USING (surface_id)
      LEFT JOIN entity e USING (entity_id);

  CREATE VIEW embeddings AS
    SELECT d.id AS document_id, e.model AS model, e.dimensions AS dimensions, e.vector AS vector
    FROM embedding e JOIN document d USING (document_key);

  CREATE VIEW positions AS
    SELECT d.id AS document_id, p.x AS x, p.y AS y, p.vector AS vector
    FROM position p JOIN document d USING (document_key);

  CREATE VIEW assignments AS
    SELECT d.id AS document_id, a.topic_id AS topic_id, a.probability AS probability,
      a.outlier_score AS outlier_score, a.distance_to_center AS distance_to_center
    FROM assignment a JOIN document d USING (document_key)
    WHERE a.run_number = (SELECT run_number FROM stage_state WHERE stage = 'cluster');

  CREATE VIEW topics AS
    SELECT t.topic_id AS topic_id, t.label AS label, t.size AS size,
      f.run_id AS first_run, l.run_id AS last_run, t.coherence AS coherence
    FROM topic t JOIN run f ON f.run_number = t.first_run JOIN run l ON l.run_number = t.last_run;

  CREATE VIEW topic_terms AS
    SELECT topic_id, rank, term, type, weight FROM topic_term;

  CREATE VIEW topic_events AS
    SELECT r.run_id AS run_id, e.event AS event, e.topic_id AS topic_id,
      coalesce((SELECT group_concat(value, '; ') FROM json_each(e.from_topic_ids)), '') AS from_topic_ids
    FROM topic_event e JOIN run r USING (run_number);

  CREATE VIEW runs AS
    SELECT run_id, status, attempts, started_at, finished_at, config, summary FROM run;

  CREATE VIEW stage_runs AS
    SELECT r.run_id AS run_id, s.stage AS stage, s.status AS status, s.why AS why,
      s.started_at AS started_at, s.finished_at AS finished_at, s.seconds AS seconds, s.documents AS documents
    FROM stage_run s JOIN run r USING (run_number);
  `,
  `
  ALTER TABLE embedding ADD COLUMN truncated INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- A document's mentions in reading order, to be read at once: surface_id (int32) and score (float32) by turns.
  -- Unlike the entities that they replace, they stay as they are when forms are named anew.
  DROP TABLE document_entities;
  CREATE TABLE document_mentions (
    document_key INTEGER PRIMARY KEY REFERENCES document ON DELETE CASCADE,
    mentions BLOB NOT NULL
  ) STRICT;
  UPDATE stage_state SET inputs = json_set(inputs, '$.from.schema', 'older') WHERE stage = 'entities';

  -- Surfaces come without an entity; leaving those out, naming them costs one entry and no more.
  DROP INDEX surface_by_entity;
  CREATE INDEX surface_by_entity ON surface (entity_id) WHERE entity_id IS NOT NULL;

  -- What is asked every night is answered from an index alone.
  DROP INDEX document_by_order;
  CREATE INDEX document_by_order ON document (order_key, id, content_hash);
  CREATE INDEX skipped_row_by_reason ON skipped_row (reason);
  CREATE INDEX embedding_truncated ON embedding (document_key) WHERE truncated = 1;
  `,
  `
  -- Where each document lies, and for which text; late: placed among documents that stood already.
  ALTER TABLE position ADD COLUMN content_hash TEXT NOT NULL DEFAULT '';
  ALTER TABLE position ADD COLUMN late INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX position_late ON position (late) WHERE late <> 0;

  -- One row: the layout that is kept from night to night, what it was made from, and why it was last made anew.
  CREATE TABLE layout (
    layout_id INTEGER PRIMARY KEY CHECK (layout_id = 1),
    run_number INTEGER NOT NULL REFERENCES run,
    basis TEXT NOT NULL,
    fitted INTEGER NOT NULL,
    rebuilt TEXT NOT NULL
  ) STRICT;

  -- What speaks for finding topics anew, in nights in a row up to that run: a cut without memory was better, and
  -- documents come late were outliers more often than others.
  CREATE TABLE clustering (
    run_number INTEGER PRIMARY KEY REFERENCES run,
    settings TEXT NOT NULL,
    better_nights INTEGER NOT NULL,
    strange_nights INTEGER NOT NULL
  ) STRICT;

  -- Names that topics have had: since which run, given for which terms (strongest first), under which settings.
  CREATE TABLE topic_label (
    topic_id INTEGER NOT NULL REFERENCES topic ON DELETE CASCADE,
    run_number INTEGER NOT NULL REFERENCES run,
    label TEXT NOT NULL,
    terms TEXT NOT NULL,
    settings TEXT NOT NULL,
    PRIMARY KEY (topic_id, run_number)
  ) STRICT, WITHOUT ROWID;

  ALTER TABLE topic_event ADD COLUMN reason TEXT NOT NULL DEFAULT '';

  DROP VIEW topic_events;
  CREATE VIEW topic_events AS
    SELECT r.run_id AS run_id, e.event AS event, e.topic_id AS topic_id,
      coalesce((SELECT group_concat(value, '; ') FROM json_each(e.from_topic_ids)), '') AS from_topic_ids,
      e.reason AS reason
    FROM topic_event e JOIN run r USING (run_number);

  CREATE VIEW topic_labels AS
    SELECT t.topic_id AS topic_id, t.label AS label, r.run_id AS since_run
    FROM topic_label t JOIN run r USING (run_number);
  `,
  `
  -- What sources tell of a paper beside its text; authors and institutions as lists in JSON.
  ALTER TABLE document ADD COLUMN arxiv TEXT;
  ALTER TABLE document ADD COLUMN pmid TEXT;
  ALTER TABLE document ADD COLUMN authors TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE document ADD COLUMN institutions TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE document ADD COLUMN venue TEXT;
  ALTER TABLE document ADD COLUMN citations INTEGER;
  ALTER TABLE document ADD COLUMN published TEXT;
  -- Whether any of these is told.
  ALTER TABLE document ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX document_told ON document (document_key) WHERE told = 1;

  -- A source whose records are kept, and where asking it goes on. Its revision grows whenever a record changes.
  CREATE TABLE source (
    source_key INTEGER PRIMARY KEY,
    identity TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    cursor TEXT,
    revision INTEGER NOT NULL
  ) STRICT;

  -- What such a source has: a record with its text, or a row that could not be read (reason, detail).
  CREATE TABLE source_record (
    source_key INTEGER NOT NULL REFERENCES source ON DELETE CASCADE,
    record_id TEXT NOT NULL,
    part TEXT NOT NULL,
    pass INTEGER NOT NULL,
    line INTEGER NOT NULL,
    record TEXT,
    reason TEXT,
    detail TEXT,
    UNIQUE (source_key, record_id)
  ) STRICT;
  CREATE INDEX source_record_by_part ON source_record (source_key, part, pass);

  -- The records that a document was merged from, its text's own among them (matched_by is null there).
  CREATE TABLE merged_record (
    document_key INTEGER NOT NULL REFERENCES document ON DELETE CASCADE,
    source TEXT NOT NULL,
    record_id TEXT NOT NULL,
    line INTEGER NOT NULL,
    matched_by TEXT,
    PRIMARY KEY (document_key, source, record_id, line)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX merged_record_by_record ON merged_record (record_id, source, document_key);
  CREATE INDEX merged_record_matched ON merged_record (document_key, matched_by) WHERE matched_by IS NOT NULL;

  DROP VIEW documents;
  CREATE VIEW documents AS
    SELECT id, title, abstract, year, source, extra, doi, arxiv, pmid, authors, institutions, venue, citations,
      published
    FROM document;

  CREATE VIEW document_sources AS
    SELECT d.id AS document_id, m.source AS source, m.record_id AS record_id, m.line AS line,
      m.matched_by AS matched_by
    FROM merged_record m JOIN document d USING (document_key)
    UNION ALL
    SELECT id, source, id, NULL, NULL FROM document d
    WHERE NOT EXISTS (SELECT 1 FROM merged_record m WHERE m.document_key = d.document_key);
  `,
];
