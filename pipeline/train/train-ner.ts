/**
 * A tagger folder from labelled sentences: what `train ner` runs. In order: where texts without labels are
 * given, guessing hidden words; a pass over a related, larger labelled set where one is given; one or several
 * taggers on the sentences themselves; with texts, one tagger distilled from them all; then weights to whole
 * numbers, files and card.
 *
 * Every step keeps its state beside the folder to be made; the same call goes on where it was stopped, and an
 * undisturbed run gives the same bytes.
 */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../errors.ts';
import { createRandom } from '../math/random.ts';
import { bioLabels } from '../model/bio.ts';
import { fileSha256 } from '../model/card.ts';
import { openTagger } from '../model/tagger.ts';
import { createWordLookup, type WordLookup } from '../model/word-features.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { findParts, type LabelledSentence, readConll } from './conll.ts';
import { beliefsOf, ensembleScores } from './distil.ts';
import { maskedWords } from './masked-words.ts';
import { replaceModelFolder } from './model-folder.ts';
import type { WordTable } from './network-feeds.ts';
import {
  type EncodedSentences,
  encodeSentences,
  joinSentences,
  type Labelling,
  labelIndices,
  type SpanScores,
  scoreSpans,
} from './tagger-data.ts';
import { measureReach, taggerConfig, taggerModel } from './tagger-model.ts';
import {
  createNetwork,
  createTaggerParameters,
  type NetworkShape,
  type Parameters,
  type TaggerShape,
} from './tagger-network.ts';
import {
  type NetworkTraining,
  type TrainedNetwork,
  type TrainingOptions,
  type TrainingProgress,
  trainNetwork,
} from './train-network.ts';
import { openScorer, parameterCount, trainTagger, withFreshOutputs, withLabels } from './train-tagger.ts';
import { sampleSentences } from './unlabelled.ts';
import { readWordTable } from './word-table.ts';

export interface NerTraining {
  /** CoNLL file, or a folder with train and, better, dev parts. */
  data: string;
  /** Folder to make or to replace. */
  out: string;
  /** A file of word vectors, or the folder of a tagger whose vectors are taken. */
  wordVectors: string;
  /** Words kept of them, commonest first. */
  maxWords?: number;
  /** Labelled set to train on first; its types need not be the same. */
  pretrain?: string;
  /** Taggers trained, with seeds seed, seed + 1, …; more than one only with unlabelled texts. */
  ensemble?: number;
  /** JSONL files with title and abstract, on which networks learn to read and one tagger learns from the ensemble. */
  unlabelled?: readonly string[];
  /** Sentences taken from them for that, as many from each. */
  unlabelledSentences?: number;
  /** Sentences taken from them to learn on by guessing hidden words, before all else; 0 leaves this out. */
  maskedSentences?: number;
  /** Passes over the labelled sentences. */
  epochs?: number;
  /** Passes over the unlabelled ones. */
  distilEpochs?: number;
  seed?: number;
  /** What the card says beyond what is measured: name, description, licences, command. */
  card?: Readonly<Record<string, unknown>>;
  signal?: AbortSignal;
  onProgress?: (progress: NerProgress) => void;
}

export interface NerProgress extends TrainingProgress {
  /** 'reading', 'pretraining', 'training 2 of 4', 'distilling'. */
  step: string;
}

export interface NerResult {
  folder: string;
  /** Of the finished folder, whole numbers and all, on the dev part; null without one. */
  dev: SpanScores | null;
  /** The trained taggers' own, in order of their seeds. */
  ensemble: number[];
}

/** Sizes of every tagger trained here. */
const sizes = {
  markBuckets: 16_384,
  markDimensions: 48,
  hidden: 256,
  dilations: [1, 1, 2, 4],
};

/** For labelled sentences, which are few: much is left out at random. */
const labelledOptions = {
  patience: 4,
  batchSentences: 16,
  rate: 2e-3,
  warmupSteps: 0,
  weightDecay: 0.01,
  inputDropout: 0.4,
  hiddenDropout: 0.4,
  wordDropout: 0.02,
  averageDecay: 0.998,
};

/** For hidden words, of which there is no end. */
const maskedOptions = {
  ...labelledOptions,
  patience: Number.POSITIVE_INFINITY,
  batchSentences: 48,
  warmupSteps: 100,
  inputDropout: 0.1,
  hiddenDropout: 0.1,
  wordDropout: 0,
};

/** For an ensemble's beliefs: smooth and many, they leave little to be guarded against. */
const distilOptions = {
  ...labelledOptions,
  patience: Number.POSITIVE_INFINITY,
  batchSentences: 32,
  inputDropout: 0.2,
  hiddenDropout: 0.1,
};

/** Longer sentences of a pretraining set are tables and references gone astray. */
const longestPretrainSentence = 100;
/** Sentences with entities taken from it. */
const pretrainSentences = 24_000;

/**
 * Trains and writes a tagger folder.
 *
 * @throws UserError when a file is missing or does not fit; Interrupted when the signal is raised.
 */
export async function trainNer(training: NerTraining): Promise<NerResult> {
  const { out, ensemble = 1, unlabelled = [] } = training;
  if (ensemble > 1 && unlabelled.length === 0) {
    throw new UserError(
      'train ner: an ensemble becomes one tagger on texts without labels; name them with --unlabelled.',
    );
  }
  const course = await openCourse(training);
  const start = await firstWeights(course);
  const members: TrainedNetwork[] = [];
  for (let member = 0; member < ensemble; member++) {
    const which = ensemble === 1 ? '' : ` ${member + 1} of ${ensemble}`;
    members.push(
      await takeStep(course, `member-${member + 1}`, `training${which}`, start, course.train, {
        ...labelledOptions,
        epochs: training.epochs ?? 8,
        seed: course.seed + member,
      }),
    );
  }
  const parameters =
    unlabelled.length === 0
      ? members[0].parameters
      : await distil(
          course,
          start,
          members.map((member) => member.parameters),
        );
  const scores = members.map((member) => member.score);
  const dev = await writeFolder(course, parameters, scores);
  rmSync(course.work, { recursive: true, force: true });
  return { folder: out, dev, ensemble: scores };
}

// ---------------------------------------------------------------------------------------------
// Steps

/** Everything that the steps of one training share. */
interface Course {
  training: NerTraining;
  seed: number;
  words: string[];
  table: WordTable;
  lookup: WordLookup;
  shape: TaggerShape;
  train: EncodedSentences;
  dev: EncodedSentences | undefined;
  devSentences: LabelledSentence[] | null;
  devFile: string | null;
  /** Folder that keeps what is done. */
  work: string;
}

async function openCourse(training: NerTraining): Promise<Course> {
  const parts = findParts(training.data);
  const { sentences, types } = await readConll(parts.train);
  const devSentences = parts.dev === null ? null : (await readConll(parts.dev)).sentences;
  const { words, table } = readWordTable(training.wordVectors, training.maxWords ?? 54_000);
  const rows = new Map(words.map((word, row) => [word, row]));
  const lookup = createWordLookup(rows, words.length, sizes.markBuckets);
  const labels = bioLabels(types);
  return {
    training,
    seed: training.seed ?? 1,
    words,
    table,
    lookup,
    shape: { ...sizes, wordDimensions: table.d, outputs: labels.length, labels },
    train: encodeGold(lookup, sentences, labels),
    // Types that training never saw are no goal to train towards; `evaluate` counts them as missed.
    dev: devSentences === null ? undefined : encodeGold(lookup, knownTypes(devSentences, types), labels),
    devSentences,
    devFile: parts.dev,
    work: await workFolder(training, parts.train),
  };
}

/** Weights that the taggers start from: fresh, or after hidden words, or after another labelled set, or both. */
async function firstWeights(course: Course): Promise<Parameters> {
  const { training, seed, shape, table, lookup } = course;
  const { unlabelled = [], maskedSentences = 100_000 } = training;
  let start = createTaggerParameters(shape, createRandom(seed));
  if (unlabelled.length > 0 && maskedSentences > 0) {
    const guessing: NetworkShape = { ...sizes, wordDimensions: table.d, outputs: table.d };
    const texts = await sampleSentences(unlabelled, maskedSentences, seed + 1);
    const data = encodeSentences(lookup, texts, noLabels);
    const { parameters } = await keep(course, 'masked', 'reading', async (shared) =>
      trainNetwork({
        ...shared,
        shape: guessing,
        start: createNetwork(guessing, createRandom(seed)),
        data,
        objective: await maskedWords(data, table),
        options: { ...maskedOptions, epochs: 1, seed },
      }),
    );
    start = withFreshOutputs(parameters, start);
  }
  if (training.pretrain !== undefined) {
    const { data, labels } = await pretrainSet(training.pretrain, lookup);
    const related: TaggerShape = { ...shape, outputs: labels.length, labels };
    const { parameters } = await keep(course, 'pretrained', 'pretraining', (shared) =>
      trainTagger({
        ...shared,
        shape: related,
        start: withFreshOutputs(start, createTaggerParameters(related, createRandom(seed))),
        data,
        options: { ...labelledOptions, epochs: 1, seed },
      }),
    );
    start = withLabels(parameters, related, shape, start);
  }
  return start;
}

/** One tagger that has learnt what the ensemble believes of texts without labels, beside the gold labels. */
async function distil(
  course: Course,
  start: Parameters,
  members: readonly Parameters[],
): Promise<Parameters> {
  const { training, seed, shape, table, lookup, train } = course;
  const { unlabelled = [], unlabelledSentences = 24_000, distilEpochs = 2 } = training;
  const texts = await sampleSentences(unlabelled, unlabelledSentences, seed);
  const data = encodeSentences(lookup, texts, noLabels);
  const scorer = await openScorer(shape, table);
  const scores = await ensembleScores(scorer, members, data);
  await scorer.close();
  data.labellings = [{ from: 0, labelling: beliefsOf(scores, shape.labels) }];
  const whole = joinSentences([data, train]);
  const options = { ...distilOptions, epochs: distilEpochs, seed };
  return (await takeStep(course, 'distilled', 'distilling', start, whole, options)).parameters;
}

/** Trains the tagger itself on some sentences. */
function takeStep(
  course: Course,
  file: string,
  step: string,
  start: Parameters,
  data: EncodedSentences,
  options: TrainingOptions,
): Promise<TrainedNetwork> {
  const { shape, dev } = course;
  return keep(course, file, step, (shared) =>
    trainTagger({ ...shared, shape, start, data, options, ...(dev === undefined ? {} : { dev }) }),
  );
}

/** Does a step, or takes up what an earlier call left of it. */
async function keep(
  course: Course,
  file: string,
  step: string,
  train: (
    shared: Pick<NetworkTraining, 'table' | 'checkpoint' | 'signal' | 'onProgress'>,
  ) => Promise<TrainedNetwork>,
): Promise<TrainedNetwork> {
  const { training, table, work } = course;
  const finished = join(work, `${file}.onnx`);
  const checkpoint = join(work, `${file}.state.onnx`);
  const done = readCheckpoint(finished);
  if (done !== undefined) {
    return { parameters: done.arrays, score: done.numbers.score, epoch: done.numbers.epoch };
  }
  const trained = await train({
    table,
    checkpoint,
    ...(training.signal === undefined ? {} : { signal: training.signal }),
    onProgress: (progress) => training.onProgress?.({ step, ...progress }),
  });
  const { parameters, score, epoch } = trained;
  writeCheckpoint(finished, { arrays: parameters, numbers: { score, epoch } });
  rmSync(checkpoint, { force: true });
  return trained;
}

// ---------------------------------------------------------------------------------------------
// What comes in

const noLabels: Labelling = { kind: 'gold', labels: new Uint8Array(0) };

function encodeGold(
  lookup: WordLookup,
  sentences: readonly LabelledSentence[],
  labels: readonly string[],
): EncodedSentences {
  return encodeSentences(
    lookup,
    sentences.map((sentence) => sentence.tokens),
    {
      kind: 'gold',
      labels: labelIndices(
        labels,
        sentences.map((sentence) => sentence.labels),
      ),
    },
  );
}

function knownTypes(sentences: readonly LabelledSentence[], types: readonly string[]): LabelledSentence[] {
  return sentences.map(({ tokens, labels }) => ({
    tokens,
    labels: labels.map((label) => (label === 'O' || types.includes(label.slice(2)) ? label : 'O')),
  }));
}

async function pretrainSet(
  path: string,
  lookup: WordLookup,
): Promise<{ data: EncodedSentences; labels: string[] }> {
  const { sentences, types } = await readConll(findParts(path).train);
  const labels = bioLabels(types);
  const chosen = sentences
    .filter(
      ({ tokens, labels: its }) =>
        tokens.length <= longestPretrainSentence && its.some((label) => label !== 'O'),
    )
    .slice(0, pretrainSentences);
  return { data: encodeGold(lookup, chosen, labels), labels };
}

// ---------------------------------------------------------------------------------------------
// What goes out

/** Writes model, words, config and card; returns the scores that the card tells. */
async function writeFolder(
  course: Course,
  parameters: Parameters,
  memberScores: readonly number[],
): Promise<SpanScores | null> {
  const { training, shape, table, words, train, dev, devSentences, devFile } = course;
  const { out } = training;
  const reach = await measureReach(shape, table, parameters, train);
  const files = {
    'model.onnx': taggerModel(shape, table, parameters, reach),
    'config.json': taggerConfig(shape, parameters),
    'vocab.txt': `${words.join('\n')}\n`,
  };
  const inputs = [training.wordVectors, training.data, training.pretrain, ...(training.unlabelled ?? [])];
  const card = {
    name: 'tagger',
    task: 'token-classification' as const,
    description: `Finds ${course.shape.labels
      .filter((label) => label.startsWith('B-'))
      .map((label) => label.slice(2))
      .join(', ')}.`,
    trained_on: inputs.filter((input) => input !== undefined),
    seed: course.seed,
    weights: parameterCount(shape),
    ensemble_dev_f1: memberScores.map((score) => Number(score.toFixed(4))),
    ...training.card,
  };
  replaceModelFolder(out, files, card);
  if (devSentences === null || dev === undefined) return null;

  // Scored as it will be used: the folder as written, whole numbers and all.
  const tagger = await openTagger(out);
  const tagged = await tagger.tag(devSentences.map((sentence) => sentence.tokens));
  await tagger.close();
  const found = labelIndices(
    tagger.labels,
    tagged.map(({ labels }) => labels),
  );
  const score = scoreSpans(dev, found, tagger.labels);
  const command = `scinertopic evaluate ner --model ${out} --data ${devFile}`;
  replaceModelFolder(out, files, { ...card, scores: [{ part: 'dev', ...score, command }] });
  return score;
}

// ---------------------------------------------------------------------------------------------
// State

/** Folder for the state of this very training: other options or data have another, and start anew. */
async function workFolder(training: NerTraining, trainFile: string): Promise<string> {
  const { out, signal: _signal, onProgress: _onProgress, card: _card, ...rest } = training;
  const options = { ...rest, sizes, labelledOptions, maskedOptions, distilOptions };
  const hash = createHash('sha256').update(JSON.stringify(options));
  for (const path of [trainFile, training.wordVectors, ...(training.unlabelled ?? [])]) {
    if (existsSync(path) && !existsSync(join(path, 'model.onnx'))) hash.update(await fileSha256(path));
  }
  const name = `${basename(out)}.training-${hash.digest('hex').slice(0, 12)}`;
  const folder = join(dirname(out), name);
  mkdirSync(folder, { recursive: true });
  return folder;
}
