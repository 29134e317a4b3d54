/**
 * The types that stages and the runner share. A stage receives columns and returns columns; row i of
 * every document-aligned column is the same document, in the corpus order (a hash of the document id,
 * then the id itself), so that nothing depends on the order of the input rows.
 */

/** The seven stages, in the order in which they run. */
export type StageName = 'ingest' | 'entities' | 'embed' | 'reduce' | 'cluster' | 'label' | 'export';

/** The part of a document that an entity stands in. */
export type Field = 'title' | 'abstract';

// ---------------------------------------------------------------------------------------------
// Columns

/** Vectors of a batch of documents. */
export interface Embedded extends Matrix {
  /** [n]; 1 where the document is longer than the model reads, and the rest of its text went unread. */
  truncated: Uint8Array;
}

/** n documents, in corpus order. */
export interface DocumentColumns {
  id: string[];
  title: string[];
  abstract: string[];
  year: (number | null)[];
}

/** n documents in corpus order, whose texts are read as they are wanted: all of them may not fit into memory. */
export interface CorpusTexts {
  /** [n] */
  id: string[];
  /** Title and abstract of each document; every call reads from the first on. */
  read(): Iterable<{ title: string; abstract: string }>;
  /** Abstract of one document. */
  abstract(row: number): string;
}

/** n × d numbers, row-major. */
export interface Matrix {
  n: number;
  d: number;
  values: Float32Array;
}

/** n × d numbers that are read as they are wanted: all of them may not fit into memory. */
export interface MatrixRows {
  n: number;
  d: number;
  /** All rows. */
  all(): Matrix;
  /** The rows with these numbers, in their order. */
  read(rows: Int32Array): Matrix;
}

/**
 * m entity mentions, sorted by document row, field (title first), start.
 * `form` is the key of the mention's normal form: what FormColumns tells the canonical text of.
 */
export interface MentionColumns {
  /** Row of the document in the columns (or in the batch) that these mentions belong to. */
  document: Int32Array;
  /** 0 title, 1 abstract. */
  field: Uint8Array;
  /** UTF-16 code units into the field's text; end exclusive. */
  start: Int32Array;
  end: Int32Array;
  text: string[];
  type: string[];
  /** Probability in 0–1. */
  score: Float32Array;
  form: string[];
}

/** Acronyms found beside their long forms (Schwartz & Hearst 2003), one row per document and pair. */
export interface AcronymColumns {
  document: Int32Array;
  short: string[];
  long: string[];
}

/** What the entities stage finds in a batch of documents; rows count from the batch's start. */
export interface Tagged {
  mentions: MentionColumns;
  acronyms: AcronymColumns;
}

/** How often each surface and acronym occurs in the whole corpus: all that canonical forms need. */
export interface SurfaceCounts {
  /** One row per (form, text, type). */
  surfaces: { form: string[]; text: string[]; type: string[]; mentions: Int32Array; documents: Int32Array };
  /** One row per (short, long). */
  acronyms: { short: string[]; long: string[]; documents: Int32Array };
}

/** One row per form key, in the order of their UTF-16 code units. */
export interface FormColumns {
  form: string[];
  /** What tables, labels and punchcards show: the commonest surface of the group the form belongs to. */
  canonical: string[];
  /** 1 for "approach", "it", "the model": kept in the database, left out of labels and punchcards. */
  generic: Uint8Array;
}

/**
 * The distinct entities of a corpus, one per (canonical, type), by canonical text then type in code-point
 * order.
 */
export interface EntityList {
  canonical: string[];
  type: string[];
  /** 1 for "approach", "it", "the model": kept in the database, left out of labels and punchcards. */
  generic: Uint8Array;
}

/** m mentions as the corpus stages need them, sorted by document row, field, start. */
export interface EntityColumns {
  list: EntityList;
  /** Row of the document. */
  document: Int32Array;
  /** Index into `list`. */
  entity: Int32Array;
  /** Probability in 0–1. */
  score: Float32Array;
}

export interface PositionColumns {
  /** The 2-d map, [n] each. */
  x: Float32Array;
  y: Float32Array;
  /** What clustering works on, [n × n_components]. */
  reduced: Matrix;
}

/** What the reduce stage gives: places, and how they came about. */
export interface Reduced extends PositionColumns {
  /** [n]; as in KeptLayout. */
  late: Uint8Array;
  /** As in KeptLayout. */
  fitted: number;
  /** Why all documents were placed anew where a layout could have been kept; '' otherwise. */
  rebuilt: string;
}

export interface AssignmentColumns {
  /** Topic id per document, −1 for an outlier. */
  topic: Int32Array;
  probability: Float32Array;
  /** GLOSH, 0–1. */
  outlierScore: Float32Array;
}

/** Where documents lie already: what the reduce stage keeps when it places new ones. */
export interface KeptLayout {
  /** [n]; 1 where the document has a place, given for the very vector it has now. */
  placed: Uint8Array;
  /**
   * [n]; 0 for a document that the layout itself was made from, 1 for one that was placed later among those that
   * stood already, 2 for one that was set apart later with a new theme.
   */
  late: Uint8Array;
  /** Places, 0 where a document has none. */
  positions: PositionColumns;
  /** Documents that the layout itself was made from. */
  fitted: number;
  /** As in History. */
  strangeNights: number;
}

/** Whether results are held to those of the run before, or found anew. */
export type Refresh = 'steady' | 'refit';

export type TopicEventKind = 'born' | 'emerging' | 'continued' | 'split' | 'merged' | 'retired';

export interface TopicEvent {
  event: TopicEventKind;
  topicId: number;
  fromTopicIds: number[];
  /** Why topics were found anew that night; '' on an ordinary one. */
  reason: string;
}

/** What the last finished run assigned, row by row of tonight's documents. */
export interface History {
  /** Topic id, −1 for an outlier, −2 for a document that run did not have. */
  topic: Int32Array;
  /** Sizes of all topics of that run, documents since removed included. */
  sizes: Map<number, number>;
  /** Ids below this have been used and are never used again. */
  nextTopicId: number;
  /** Topics that were born in that run; none after the first run, where all were. */
  newborn: ReadonlySet<number>;
  /** Nights in a row, that one included, on which a cut without memory was clearly better. */
  betterNights: number;
  /** Nights in a row, that one included, on which documents come late were outliers clearly more often than others. */
  strangeNights: number;
}

/** A topic's name so far, and the terms that it was given for, strongest first. */
export interface FormerLabel {
  label: string;
  terms: string[];
}

/** c topics, ascending id. */
export interface TopicColumns {
  topicId: number[];
  label: string[];
  size: number[];
  /** Place of the label on the map: medoid of the topic's documents. */
  x: number[];
  y: number[];
  /** Mean NPMI of the topic's top terms over the corpus, −1 to 1. */
  coherence: number[];
  /** Document rows, most representative first. */
  representatives: number[][];
}

/** Top terms of each topic, by topic id, then rank from 1. */
export interface TermColumns {
  topicId: Int32Array;
  rank: Int32Array;
  term: string[];
  /** An entity type of the tagger, or 'word'. */
  type: string[];
  weight: Float32Array;
}

// ---------------------------------------------------------------------------------------------
// Ingest

/** A row that became a document. */
export interface IngestedRecord {
  /** Line of the input file where the record starts, from 1. */
  line: number;
  id: string;
  /** Lower case, without resolver address; null when the source has none. */
  doi: string | null;
  /** As 2101.00001 or hep-th/9901001, without version; null when the source has none. */
  arxiv: string | null;
  /** Digits; null when the source has none. */
  pmid: string | null;
  title: string;
  abstract: string;
  year: number | null;
  facts: PaperFacts;
  /** Set for a paper that is no longer to be counted on: it is left out, and this says why. */
  withdrawn: Withdrawal | null;
  /** sha256 of title and abstract as they stand here, hex: decides what is done again. */
  contentHash: string;
  /** Normalised title, equal for duplicates; null for a title too short to tell papers apart. */
  titleKey: string | null;
  /** How much the record says; of two duplicates the greater is kept. */
  richness: number;
  /** What else the source gave, already clean; column order kept. */
  extra: Record<string, unknown>;
}

/** What a source tells of a paper beside its text; counted and listed, never clustered. */
export interface PaperFacts {
  /** Names in the order of the paper; empty when the source has none. */
  authors: string[];
  institutions: string[];
  /** Journal, proceedings or repository. */
  venue: string | null;
  /** Times cited, as the source counts. */
  citations: number | null;
  /** Date of publication as YYYY, YYYY-MM or YYYY-MM-DD. */
  published: string | null;
}

export interface Withdrawal {
  /**
   * retracted: the paper is void, in whichever source else it stands. withdrawn: its authors took this version
   * back. deleted: the source no longer has this record.
   */
  reason: 'retracted' | 'withdrawn' | 'deleted';
  /** Who says so. */
  detail: string;
}

/** A row that did not: nothing is lost without a trace. */
export interface SkippedRow {
  line: number;
  /** The row's own id where it has one. */
  id: string | null;
  /** Short fixed reason, to be counted: 'no title and no abstract', 'not text', … */
  reason: string;
  /** What was found, for this row. */
  detail: string;
}

export interface IngestBatch {
  /** Which of the config's sources it is of. */
  source: SourceName;
  records: IngestedRecord[];
  skipped: SkippedRow[];
}

export interface SourceName {
  /** As the database names it: its format, where the config gives it no other name. */
  name: string;
  /** Place in the config's list, from 0: of two sources that have a paper, the earlier gives it its id. */
  place: number;
}

/**
 * A source whose records the database keeps, because asking for all of them each night would be too much: a
 * service, or a folder of many files.
 */
export interface KeptSource extends SourceName {
  /** Equal for equal questions: what was fetched for one stands for the other. */
  identity: string;
  /**
   * What is new and changed since a cursor, in pieces; each carries the cursor to go on from once it is stored.
   *
   * @param cursor Of the last piece stored; null at the beginning.
   * @throws UserError when the source cannot be reached or does not answer as it should.
   */
  changes(cursor: string | null, job: SourceJob): AsyncIterable<SourceChanges>;
}

/** What a source is handed that asks for changes. */
export interface SourceJob {
  signal: AbortSignal;
  /** As process.env: proxies and keys. */
  variables: Readonly<Record<string, string | undefined>>;
  notice(message: string): void;
  /** Pauses for services, as a share of the usual ones; 1 where it is left out. */
  patience?: number;
}

/** A piece of what a source has; storing one twice changes nothing. */
export interface SourceChanges {
  /** Where to go on once this is stored. */
  cursor: string;
  /** The file, or another part of the source, that these records are of; empty where it has no parts. */
  part: string;
  /** Number of the listing of this part that the records were seen in; grows from listing to listing. */
  pass: number;
  records: IngestedRecord[];
  /** Rows that could not be read; where they have no id, their line tells them apart. */
  skipped: SkippedRow[];
  /** Records that the source says it has no longer. */
  deleted: string[];
  /** Whether this ends a listing of the whole part: records of earlier passes are gone. */
  endsListing: boolean;
  /** Parts that are gone with all their records. */
  droppedParts: string[];
}

// ---------------------------------------------------------------------------------------------
// Export

/** One file of the export; content is produced piece by piece so that no file is held whole. */
export interface ExportFile {
  name: string;
  content: Iterable<string | Uint8Array>;
}

/** What the label stage finds. */
export interface Labelled {
  topics: TopicColumns;
  terms: TermColumns;
  /** Cosine distance of each document from the centre of its topic's vectors, NaN for outliers. */
  distanceToCenter: Float32Array;
  /** [c] The terms that each topic's label was given for. */
  labelTerms: string[][];
}

/** What sources tell of n documents beside their texts, in corpus order. */
export interface PaperColumns {
  /** [n] times cited; −1 where no source says. */
  citations: Int32Array;
  /** [n] YYYY, YYYY-MM or YYYY-MM-DD; empty where no source says. */
  published: string[];
  /** [n] empty where no source says. */
  venue: string[];
  /** Of one document: there may be more names than fit into memory. */
  authors(row: number): string[];
  institutions(row: number): string[];
}

/** All that the exported files show. */
export interface ExportInput extends Omit<Labelled, 'labelTerms'> {
  documents: DocumentColumns;
  /** Null where no source tells anything of any document. */
  papers: PaperColumns | null;
  entities: EntityColumns;
  positions: { x: Float32Array; y: Float32Array };
  assignments: AssignmentColumns;
  /** Of all runs, oldest first. */
  events: (TopicEvent & { runId: string })[];
  facts: RunFacts;
}

/** What the report and the manifest tell of the run; nothing here depends on the clock or the machine. */
export interface RunFacts {
  runId: string;
  /** The checked configuration, relative paths as the user wrote them. */
  config: Record<string, unknown>;
  models: { role: string; reference: string; hash: string }[];
  /** Rows left out at ingest, by reason. */
  skipped: { reason: string; rows: number }[];
  notices: string[];
}

// ---------------------------------------------------------------------------------------------
// Stages

/** What every stage is handed beside its columns. */
export interface Job<Config> {
  config: Config;
  seed: number;
  threads: number;
  /** Folder that relative paths of the config start from. */
  baseFolder: string;
  /** Finds a model on this machine by its reference; what has to be fetched was fetched before the stages began. */
  model(reference: string): ModelPin;
  signal: AbortSignal;
  /** Documents done so far, of a total where it is known; `work` names what is counted in another unit. */
  progress(done: number, total?: number, work?: string): void;
  /** Something the user should read in the summary: a warning, a choice that was made. */
  notice(message: string): void;
}

/** A model as the database pins it: what was asked for, and what it turned out to be. */
export interface ModelPin {
  reference: string;
  /** sha256 over the model's files; vectors and mentions are kept per hash. */
  hash: string;
  /** Folder with the model's files. */
  folder: string;
}

/** What a worker's models run on. */
export interface Machine {
  device: 'cpu' | 'cuda';
  /** Threads within one run of a network; batches side by side are the workers' affair. */
  threads: number;
}

/**
 * A setting as config.yaml has it. Each stage's config.ts gives its section as one zod object whose
 * fields are strict, have defaults, ranges and a description.
 */
export interface Section<Config> {
  /** Parses and fills in defaults; throws zod's error, which config.ts words for the user. */
  schema: import('zod').ZodType<Config>;
}

interface StageBase<Config> {
  name: StageName;
  /** Raised by hand whenever the same input would give other output; makes stored results stale. */
  version: number;
  section: Section<Config>;
  /** Whether results depend on run.seed. */
  seeded: boolean;
}

/** Reads records from outside. */
export interface SourceStage<Config> extends StageBase<Config> {
  /** Files that are read as a whole, absolute; their contents decide whether ingest is stale. */
  files(config: Config, baseFolder: string): string[];
  /** Reads those files. */
  read(job: Job<Config>): AsyncIterable<IngestBatch>;
  /** The sources whose records the database keeps. */
  kept(config: Config, baseFolder: string): KeptSource[];
}

/** What a batch worker does to documents, on this machine or another. */
export type DocumentWork<Output> = (documents: DocumentColumns) => Promise<Output>;

/** Works on each document alone; what it finds is kept until the text, the model or the stage changes. */
export interface DocumentStage<Config, Output> extends StageBase<Config> {
  /**
   * Resolves the model, once per run, in the coordinating process. A stage that adapts its model to the
   * corpus does so here, and keeps to the pin of an earlier run where there is one.
   */
  prepare(job: Job<Config>, kept: Kept): Promise<ModelPin>;
  /** Opens the model in a worker. Results must depend on each document alone. */
  open(config: Config, model: ModelPin, machine: Machine): Promise<DocumentWork<Output>>;
}

/** What a document stage finds when it prepares its model. */
export interface Kept {
  /** The model adapted to this corpus by an earlier run; null before the first. */
  adapted: ModelPin | null;
  /** Folder where adapted models are kept, each in a folder named by its hash; need not exist yet. */
  modelsFolder: string;
  /** Reads the whole corpus. */
  documents(): DocumentColumns;
}

/** What the cluster stage finds: each document's topic, and what became of the last run's topics. */
export interface Clustered {
  assignments: AssignmentColumns;
  events: TopicEvent[];
  /** As in History, tonight included. */
  betterNights: number;
  strangeNights: number;
}

/** How the cluster stage stands to the run before. */
export interface Refreshing {
  refresh: Refresh;
  /** Null on the first run. */
  history: History | null;
  /** [n]; not 0 for a document that came later than the layout was made, as in KeptLayout. */
  late: Uint8Array;
  /** Why the documents' places were made anew; '' where they were kept. */
  rebuilt: string;
  /** Settings of this stage that changed since the last run, in words; '' for none. */
  resettled: string;
}

/** A stage that needs the whole corpus at once: `run` takes columns and gives columns. */
export interface CorpusStage<Config, Input extends unknown[], Output> extends StageBase<Config> {
  run(...input: [...Input, job: Job<Config>]): Promise<Output>;
}

export type ReduceStage<Config> = CorpusStage<
  Config,
  [vectors: MatrixRows, documentIds: string[], kept: KeptLayout | null, cannotKeep: string],
  Reduced
>;
export type ClusterStage<Config> = CorpusStage<
  Config,
  [reduced: Matrix, documentIds: string[], refreshing: Refreshing],
  Clustered
>;
export type LabelStage<Config> = CorpusStage<
  Config,
  [
    documents: CorpusTexts,
    entities: EntityColumns,
    vectors: MatrixRows,
    positions: { x: Float32Array; y: Float32Array },
    assignments: AssignmentColumns,
    former: ReadonlyMap<number, FormerLabel>,
  ],
  Labelled
>;
export type ExportStage<Config> = CorpusStage<Config, [input: ExportInput], Iterable<ExportFile>>;
