/** One function per stage: reads its columns from the store, runs it, writes what it gives and marks it done. */

import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { Embedded, Job, ModelPin, Reduced, RunFacts, StageName, Tagged } from './contract.ts';
import { Interrupted, UserError } from './errors.ts';
import { stageOrder, stages } from './order.ts';
import { workOnPending } from './pending-work.ts';
import { differences, workKey } from './plan.ts';
import { findModel, type Precision } from './provide-model.ts';
import { manifestCounts, publish } from './publish.ts';
import {
  databasePath,
  exportFolder,
  placesOf,
  precisionOf,
  resultSettings,
  type Sections,
  type Settings,
} from './settings.ts';
import {
  countDocuments,
  readDocuments,
  readHeadings,
  readIds,
  readOrder,
  readPapers,
  readTexts,
  textFingerprint,
} from './store/documents.ts';
import {
  expectManyMentions,
  finishMentions,
  readEntities,
  readSurfaceCounts,
  writeForms,
  writeTagged,
} from './store/entities.ts';
import { beginIntake, corpusFingerprint, type IntakeCounts, readSkipped } from './store/intake.ts';
import type { Store } from './store/open.ts';
import {
  makeStale,
  type RunRow,
  readPin,
  readStates,
  type StageInputs,
  type StageState,
  writePin,
  writeState,
} from './store/runs.ts';
import { beginSource, dropOtherSources, readRecords } from './store/sources.ts';
import {
  readAssignments,
  readEvents,
  readFormerLabels,
  readHistory,
  readTerms,
  readTopics,
  writeClusters,
  writeLabels,
} from './store/topics.ts';
import {
  countTruncated,
  hasPositions,
  type LayoutBasis,
  readEmbeddings,
  readLate,
  readLayout,
  readLayoutBasis,
  readMap,
  readRebuilt,
  readReduced,
  readVectorKey,
  writeEmbeddings,
  writePositions,
} from './store/vectors.ts';

/** What every step works with. */
export interface Step {
  store: Store;
  settings: Settings;
  run: RunRow;
  inputs: StageInputs;
  /** Results kept per document are made again even where text and model are unchanged. */
  force: boolean;
  signal: AbortSignal;
  progress(done: number, total?: number, work?: string): void;
  notice(message: string): void;
  /** What has been noticed in this step so far. */
  notices: string[];
}

/** What a step did, for the summary. */
export interface StepResult {
  /** Documents worked on. */
  documents: number;
  intake?: IntakeCounts;
}

export const steps: Record<StageName, (step: Step) => Promise<StepResult>> = {
  ingest,
  entities,
  embed,
  reduce,
  cluster,
  label,
  export: exportFiles,
};

async function ingest(step: Step): Promise<StepResult> {
  const { store } = step;
  const intake = beginIntake(store);
  const kept = stages.ingest.kept(step.settings.sections.ingest, step.settings.baseFolder);
  for (const source of kept) {
    for (const piece of readRecords(store, beginSource(store, source).sourceKey)) {
      checkSignal(step);
      intake.add({ source, ...piece });
    }
  }
  for await (const batch of stages.ingest.read(jobOf(step, 'ingest'))) {
    checkSignal(step);
    intake.add(batch);
  }
  const counts = store
    .transaction(() => {
      const done = intake.finish();
      if (done.documents === 0) {
        throw new UserError(
          `ingest: no document in ${inputNames(step)}: ${done.read} rows read${reasons(done)}.`,
        );
      }
      dropOtherSources(
        store,
        kept.map(({ identity }) => identity),
      );
      // What was stored of the removed documents went with them.
      if (done.removed > 0) makeStale(store, stageOrder.slice(1), 'ingest');
      const told = workKey([done.skipped, step.notices]);
      markDone(step, 'ingest', `${corpusFingerprint(store)} ${told}`);
      return done;
    })
    .immediate();
  return { documents: counts.added + counts.changed, intake: counts };
}

function inputNames({ settings }: Step): string {
  const { ingest } = settings.sections;
  const sources = Array.isArray(ingest) ? ingest : [ingest];
  return sources.map(({ path, source }) => path ?? source).join(', ');
}

function reasons(counts: IntakeCounts): string {
  if (counts.skipped.length === 0) return '';
  return `, left out: ${counts.skipped.map(({ reason, rows }) => `${reason} (${rows})`).join(', ')}`;
}

async function entities(step: Step): Promise<StepResult> {
  const { store, settings } = step;
  const job = jobOf(step, 'entities');
  const model = await stages.entities.prepare(job, keptFor(step, null));
  const { device } = settings.sections.run;
  const key = workKey(['entities', stages.entities.version, settings.sections.entities, model.hash, device]);
  const documents = await workOnPending<Tagged>(step, 'entities', 'tagged', key, model, {
    expectMany: () => expectManyMentions(store),
    write: (batch, output) => writeTagged(store, batch.keys, batch.documents.contentHash, key, output),
  });
  finishMentions(store);
  const forms = stages.entities.gather(readSurfaceCounts(store));
  store
    .transaction(() => {
      writeForms(store, forms);
      markDone(step, 'entities', workKey([key, textFingerprint(store)]));
    })
    .immediate();
  return { documents };
}

async function embed(step: Step): Promise<StepResult> {
  const { store, settings } = step;
  const job = jobOf(step, 'embed');
  const role = adaptedRole(step.inputs);
  const databaseFolder = dirname(databasePath(settings));
  const pinned = step.force ? null : readPin(store, role, databaseFolder);
  const model = await stages.embed.prepare(job, keptFor(step, pinned));
  const isAdapted = model.hash !== step.inputs.models[settings.sections.embed.model];
  if (isAdapted) writePin(store, role, databaseFolder, model);
  // Two devices round differently, and vectors of one corpus are to be of one kind.
  const { device } = settings.sections.run;
  const { task } = settings.sections.embed;
  const key = workKey(['embed', stages.embed.version, task ?? null, model.hash, device]);
  const documents = await workOnPending<Embedded>(step, 'embed', 'embedding', key, model, {
    write: (batch, output) =>
      writeEmbeddings(store, batch.keys, batch.documents.contentHash, key, model.reference, output),
  });
  const truncated = countTruncated(store);
  if (truncated > 0) {
    step.notice(
      `${truncated} of ${countDocuments(store)} documents are longer than ${model.reference} reads; the end of their abstracts is not in their vectors.`,
    );
  }
  store.transaction(() => markDone(step, 'embed', workKey([key, textFingerprint(store)]))).immediate();
  return { documents };
}

async function reduce(step: Step): Promise<StepResult> {
  const { store, run, inputs } = step;
  const order = readOrder(store);
  const basis = {
    version: inputs.version,
    config: inputs.config,
    seed: inputs.seed,
    vectors: readVectorKey(store),
  };
  const cannotKeep = whyNotKept(step, basis);
  const reduced = await stages.reduce.run(
    readEmbeddings(store, order),
    readIds(store),
    cannotKeep === null ? readLayout(store, order, run.runNumber) : null,
    cannotKeep ?? '',
    jobOf(step, 'reduce'),
  );
  checkSignal(step);
  store
    .transaction(() => {
      writePositions(store, order, run.runNumber, reduced, basis);
      // Places follow those of the night before: equal inputs alone do not give equal places.
      markDone(step, 'reduce', workKey([inputs, placesKey(reduced)]));
    })
    .immediate();
  return { documents: order.n };
}

/** Why the stored layout must not be kept, in words; '' where there is none to keep, null where it may be kept. */
function whyNotKept(step: Step, basis: LayoutBasis): string | null {
  const { store, settings } = step;
  if (!hasPositions(store)) return '';
  if (settings.sections.run.refresh === 'refit') return 'run.refresh is refit';
  if (step.force) return 'asked for by --force';
  const kept = readLayoutBasis(store);
  if (kept === null) return 'the places are from a version that did not keep them';
  const why = differences(kept.config, basis.config, 'reduce');
  if (kept.version !== basis.version) why.push(`stage version ${kept.version} → ${basis.version}`);
  if (kept.seed !== basis.seed) why.push(`run.seed ${kept.seed} → ${basis.seed}`);
  if (kept.vectors !== basis.vectors) why.push('vectors come from another model');
  return why.length === 0 ? null : why.join('; ');
}

function placesKey({ x, y, reduced }: Reduced): string {
  const hash = createHash('sha256');
  for (const numbers of [x, y, reduced.values]) {
    hash.update(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  }
  return hash.digest('hex');
}

async function cluster(step: Step): Promise<StepResult> {
  const { store, run, inputs } = step;
  const order = readOrder(store);
  const former = readHistory(store, order, run.runNumber);
  const settings = { version: inputs.version, config: inputs.config };
  const then = former?.settings ?? null;
  const clustered = await stages.cluster.run(
    readReduced(store, order),
    readIds(store),
    {
      refresh: step.settings.sections.run.refresh,
      history: former?.history ?? null,
      late: readLate(store, order),
      rebuilt: readRebuilt(store, run.runNumber),
      resettled: then === null ? '' : resettled(JSON.parse(then), settings),
    },
    jobOf(step, 'cluster'),
  );
  checkSignal(step);
  store
    .transaction(() => {
      writeClusters(store, order, run.runNumber, clustered, JSON.stringify(settings));
      // Names and distances hung on the rows that were replaced.
      makeStale(store, ['label'], 'cluster');
      // Ids follow the run before, so that equal inputs give equal topics only within one run.
      markDone(step, 'cluster', workKey([inputs, run.runNumber]));
    })
    .immediate();
  return { documents: order.n };
}

/** What changed between two settings of the cluster stage, in words. */
function resettled(
  then: { version: number; config: unknown },
  now: { version: number; config: unknown },
): string {
  const why = differences(then.config, now.config, 'cluster');
  if (then.version !== now.version) why.push(`stage version ${then.version} → ${now.version}`);
  return why.join('; ');
}

async function label(step: Step): Promise<StepResult> {
  const { store, run, inputs } = step;
  const order = readOrder(store);
  const settings = workKey([inputs.version, inputs.config]);
  const labelled = await stages.label.run(
    readTexts(store, order),
    readEntities(store, order),
    readEmbeddings(store, order),
    readMap(store, order),
    readAssignments(store, order),
    readFormerLabels(store, run.runNumber, settings),
    jobOf(step, 'label'),
  );
  checkSignal(step);
  store
    .transaction(() => {
      writeLabels(store, order, run.runNumber, labelled, settings);
      markDone(step, 'label', workKey(inputs));
    })
    .immediate();
  return { documents: order.n };
}

async function exportFiles(step: Step): Promise<StepResult> {
  const { store, settings, run } = step;
  const order = readOrder(store);
  const assignments = readAssignments(store, order);
  const states = readStates(store);
  const facts = {
    runId: run.runId,
    config: shownConfig(settings),
    models: modelsUsed(step, states),
    skipped: readSkipped(store),
    notices: stageOrder
      .filter((name) => name !== 'export')
      .flatMap((name) => states.get(name)?.notices ?? []),
  };
  const input = {
    documents: readHeadings(store),
    papers: readPapers(store, order),
    entities: readEntities(store, order),
    positions: readMap(store, order),
    assignments,
    distanceToCenter: assignments.distanceToCenter,
    topics: readTopics(store, order),
    terms: readTerms(store),
    events: readEvents(store),
    facts,
  };
  const files = await stages.export.run(input, jobOf(step, 'export'));
  const published = await publish({
    directory: exportFolder(settings),
    runId: run.runId,
    files,
    facts,
    counts: manifestCounts(input),
    signal: step.signal,
  });
  if (published.movedAside !== null) {
    step.notice(`Files of an earlier run of the same name were moved to ${published.movedAside}.`);
  }
  store.transaction(() => markDone(step, 'export', workKey(step.inputs))).immediate();
  return { documents: countDocuments(store) };
}

// ---------------------------------------------------------------------------------------------

/** An adapted model belongs to the shipped model it came from, the seed, and the stage version that made it. */
function adaptedRole(inputs: StageInputs): string {
  return `embed ${workKey([inputs.version, inputs.models, inputs.seed])}`;
}

/** The models that the stored entities and vectors were made by; an adapted one under its own hash. */
function modelsUsed(step: Step, states: Map<StageName, StageState>): RunFacts['models'] {
  const models: RunFacts['models'] = [];
  for (const role of ['entities', 'embed'] as const) {
    const inputs = states.get(role)?.inputs;
    if (inputs === undefined) continue;
    for (const [reference, hash] of Object.entries(inputs.models)) {
      const adapts = role === 'embed' && step.settings.sections.embed.adapt;
      const pin = adapts
        ? readPin(step.store, adaptedRole(inputs), dirname(databasePath(step.settings)))
        : null;
      models.push(
        pin === null
          ? { role, reference, hash }
          : { role, reference: `${reference} (adapted)`, hash: pin.hash },
      );
    }
  }
  return models;
}

function jobOf<Name extends StageName & keyof Sections>(step: Step, name: Name): Job<Sections[Name]> {
  const { run, ...sections } = step.settings.sections;
  return {
    config: sections[name],
    seed: run.seed,
    threads: run.threads,
    baseFolder: step.settings.baseFolder,
    model: (reference) => findModel(reference, placesOf(step.settings), precisionFor(step.settings, name)),
    signal: step.signal,
    progress: step.progress,
    notice: step.notice,
  };
}

function precisionFor(settings: Settings, name: StageName): Precision {
  return name === 'entities' || name === 'embed' ? precisionOf(settings, name) : 'auto';
}

/** The settings that results depend on: not the number of threads, nor where the database lies. */
function shownConfig(settings: Settings): Record<string, unknown> {
  const { run, ...sections } = settings.sections;
  return {
    run: { seed: run.seed, refresh: run.refresh },
    ...sections,
    ingest: resultSettings(settings, 'ingest'),
    export: resultSettings(settings, 'export'),
  };
}

function keptFor(step: Step, adapted: ModelPin | null) {
  return { adapted, modelsFolder: modelsFolder(step.settings), documents: () => readDocuments(step.store) };
}

/** Where models adapted to this corpus are kept: beside the database, with which they move. */
function modelsFolder(settings: Settings): string {
  return join(dirname(databasePath(settings)), 'models');
}

function markDone(step: Step, stage: StageName, output: string): void {
  writeState(step.store, {
    stage,
    runNumber: step.run.runNumber,
    inputs: step.inputs,
    output,
    notices: step.notices,
  });
}

/** Nothing of the stage is stored once it was asked to stop: the next run does it again. */
function checkSignal(step: Step): void {
  if (step.signal.aborted) throw new Interrupted('Interrupted.');
}
