/**
 * A tagger folder from labelled sentences: what `train ner` runs. In order: word vectors, one or several
 * taggers (each first on a related, larger labelled set where one is given), and, where texts without labels
 * are given, one tagger distilled from them all; then weights to whole numbers, files and card.
 *
 * Every step keeps its state beside the folder to be made; the same call goes on where it was stopped, and an
 * undisturbed run gives the same bytes.
 */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { createRandom } from '../math/random.ts';
import { bioLabels } from '../model/bio.ts';
import { fileSha256 } from '../model/card.ts';
import { readVocabulary } from '../model/convolution-tagger.ts';
import { readModel } from '../model/onnx.ts';
import { openTagger } from '../model/tagger.ts';
import { createWordLookup, type WordLookup } from '../model/word-features.ts';
import { readWordVectors } from '../model/word-vectors.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { findParts, type LabelledSentence, readConll } from './conll.ts';
import { beliefsOf, ensembleScores } from './distil.ts';
import { replaceModelFolder } from './model-folder.ts';
import {
  type EncodedSentences,
  encodeSentences,
  joinSentences,
  labelIndices,
  type SpanScores,
  scoreSpans,
} from './tagger-data.ts';
import { measureReach, taggerModel } from './tagger-model.ts';
import { createParameters, type Parameters, type TaggerShape } from './tagger-network.ts';
import {
  openScorer,
  parameterCount,
  type TrainingOptions,
  type TrainingProgress,
  trainTagger,
  type WordTable,
  withLabels,
} from './train-tagger.ts';
import { sampleSentences } from './unlabelled.ts';

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
  /** Sentences with entities taken from it. */
  pretrainSentences?: number;
  /** Taggers trained, with seeds seed, seed + 1, …; more than one only with unlabelled texts. */
  ensemble?: number;
  /** JSONL files with title and abstract, on which one tagger learns from the ensemble. */
  unlabelled?: readonly string[];
  /** Sentences taken from them, as many from each. */
  unlabelledSentences?: number;
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
  /** 'pretraining 2 of 4', 'training 2 of 4', 'distilling'. */
  step: string;
}

export interface NerResult {
  folder: string;
  /** Of the finished folder, whole numbers and all, on the dev part; null without one. */
  dev: SpanScores | null;
  /** The trained taggers' own, in order of their seeds. */
  ensemble: number[];
}

/** Sizes of every tagger trained here. FACTS of the choice are in the shipped model's card. */
const network = {
  markBuckets: 16_384,
  markDimensions: 48,
  hidden: 256,
  dilations: [1, 1, 2, 4],
};

const memberOptions = {
  patience: 4,
  batchSentences: 16,
  rate: 2e-3,
  weightDecay: 0.01,
  inputDropout: 0.4,
  hiddenDropout: 0.4,
  wordDropout: 0.02,
  averageDecay: 0.998,
};

/** Beliefs are smooth and many: hardly anything is left to be guarded against by dropout. */
const distilOptions = {
  ...memberOptions,
  patience: Number.POSITIVE_INFINITY,
  batchSentences: 32,
  inputDropout: 0.2,
  hiddenDropout: 0.1,
};

/** Longer sentences of a pretraining set are tables and references gone astray. */
const longestPretrainSentence = 100;

/**
 * Trains and writes a tagger folder.
 *
 * @throws UserError when a file is missing or does not fit; Interrupted when the signal is raised.
 */
export async function trainNer(training: NerTraining): Promise<NerResult> {
  const { out, seed = 1, ensemble = 1, unlabelled = [], signal } = training;
  if (ensemble > 1 && unlabelled.length === 0) {
    throw new UserError(
      'train ner: an ensemble becomes one tagger on texts without labels; name them with --unlabelled.',
    );
  }
  const parts = findParts(training.data);
  const { sentences, types } = await readConll(parts.train);
  const devSentences = parts.dev === null ? null : (await readConll(parts.dev)).sentences;
  const { words, table } = readWordTable(training.wordVectors, training.maxWords ?? 54_000);
  const rows = new Map(words.map((word, row) => [word, row]));
  const lookup = createWordLookup(rows, words.length, network.markBuckets);
  const shape: TaggerShape = { ...network, wordDimensions: table.d, labels: bioLabels(types) };
  const train = encodeGold(lookup, sentences, shape.labels);
  // Types that training never saw are no goal to train towards; `evaluate` counts them as missed.
  const dev =
    devSentences === null ? undefined : encodeGold(lookup, knownTypes(devSentences, types), shape.labels);
  const work = await workFolder(training, parts.train);

  /** Trains one network, or takes up what an earlier call left of it. */
  const trainOne = async (
    name: string,
    step: string,
    start: Parameters,
    data: EncodedSentences,
    options: TrainingOptions,
    its: { shape: TaggerShape; dev: EncodedSentences | undefined },
  ): Promise<{ parameters: Parameters; f1: number }> => {
    const finished = join(work, `${name}.onnx`);
    const checkpoint = join(work, `${name}.state.onnx`);
    const done = readCheckpoint(finished);
    if (done !== undefined) return { parameters: done.arrays, f1: done.numbers.f1 };
    const { parameters, f1 } = await trainTagger({
      shape: its.shape,
      table,
      start,
      data,
      options,
      checkpoint,
      ...(its.dev === undefined ? {} : { dev: its.dev }),
      ...(signal === undefined ? {} : { signal }),
      onProgress: (progress) => training.onProgress?.({ step, ...progress }),
    });
    writeCheckpoint(finished, { arrays: parameters, numbers: { f1 } });
    rmSync(checkpoint, { force: true });
    return { parameters, f1 };
  };

  const pretraining =
    training.pretrain === undefined ? null : await pretrainSet(training, training.pretrain, lookup);
  const members: Parameters[] = [];
  const memberScores: number[] = [];
  for (let member = 0; member < ensemble; member++) {
    const ownSeed = seed + member;
    const which = ensemble === 1 ? '' : ` ${member + 1} of ${ensemble}`;
    let start = createParameters(shape, createRandom(ownSeed));
    if (pretraining !== null) {
      const wide = { ...shape, labels: pretraining.labels };
      const { parameters } = await trainOne(
        `pretrained-${member + 1}`,
        `pretraining${which}`,
        createParameters(wide, createRandom(ownSeed)),
        pretraining.data,
        { ...memberOptions, epochs: 1, seed: ownSeed },
        { shape: wide, dev: undefined },
      );
      start = withLabels(parameters, wide, shape, start);
    }
    const { parameters, f1 } = await trainOne(
      `member-${member + 1}`,
      `training${which}`,
      start,
      train,
      { ...memberOptions, epochs: training.epochs ?? 8, seed: ownSeed },
      { shape, dev },
    );
    members.push(parameters);
    memberScores.push(f1);
  }

  let parameters = members[0];
  if (unlabelled.length > 0) {
    const scorer = await openScorer(shape, table);
    const texts = await sampleSentences(unlabelled, training.unlabelledSentences ?? 24_000, seed);
    const without = encodeSentences(lookup, texts, { kind: 'gold', labels: new Uint8Array(0) });
    const scores = await ensembleScores(scorer, members, without);
    await scorer.close();
    without.labellings = [{ from: 0, labelling: beliefsOf(scores, shape.labels) }];
    const distilled = await trainOne(
      'distilled',
      'distilling',
      createParameters(shape, createRandom(seed, 1)),
      joinSentences([without, train]),
      { ...distilOptions, epochs: training.distilEpochs ?? 3, seed },
      { shape, dev },
    );
    parameters = distilled.parameters;
  }

  const reach = await measureReach(shape, table, parameters, train);
  const files = {
    'model.onnx': taggerModel(shape, table, parameters, reach),
    'config.json': configJson(shape, parameters),
    'vocab.txt': `${words.join('\n')}\n`,
  };
  const card = { name: 'tagger', task: 'token-classification' as const, description: '', ...training.card };
  const facts = await cardFacts(training, shape, memberScores);
  replaceModelFolder(out, files, { ...card, ...facts });
  const found = devSentences === null || dev === undefined ? null : await scoreFolder(out, dev, devSentences);
  if (found !== null) {
    const scores = [
      { part: 'dev', ...found, command: `scinertopic evaluate ner --model ${out} --data ${parts.dev}` },
    ];
    replaceModelFolder(out, files, { ...card, ...facts, scores });
  }
  rmSync(work, { recursive: true, force: true });
  return { folder: out, dev: found, ensemble: memberScores };
}

// ---------------------------------------------------------------------------------------------
// What comes in

/** Words and their vectors, scaled so that their entries have a mean square of 1. */
function readWordTable(path: string, maxWords: number): { words: string[]; table: WordTable } {
  if (!existsSync(path)) {
    throw new UserError(`train ner: expected word vectors or a tagger folder at ${path}, found nothing.`);
  }
  const fromFolder = existsSync(join(path, 'model.onnx'));
  const { words, d, values } = fromFolder ? vectorsOfTagger(path) : readWordVectors(path);
  const v = Math.min(words.length, maxWords);
  const kept = values.slice(0, v * d);
  let squares = 0;
  for (const value of kept) squares += value * value;
  const scale = Math.sqrt(squares / kept.length);
  for (let k = 0; k < kept.length; k++) kept[k] /= scale;
  return { words: words.slice(0, v), table: { d, values: kept } };
}

/** The vectors that a tagger made here carries, back to real numbers. */
function vectorsOfTagger(folder: string): { words: string[]; d: number; values: Float32Array } {
  const { initializers } = readModel(readFileSync(join(folder, 'model.onnx')));
  const numbers = initializers.get('words');
  const steps = initializers.get('words.steps');
  if (numbers === undefined || steps === undefined) {
    throw new UserError(
      `train ner: expected a tagger made by "train ner" in ${folder}; its model.onnx has no word vectors.`,
    );
  }
  const words = [...readVocabulary(join(folder, 'vocab.txt')).keys()];
  const d = numbers.dims[1];
  const values = Float32Array.from(
    { length: words.length * d },
    (_, k) => Number(numbers.data[k]) * Number(steps.data[Math.floor(k / d)]),
  );
  return { words, d, values };
}

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
  training: NerTraining,
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
    .slice(0, training.pretrainSentences ?? 24_000);
  return { data: encodeGold(lookup, chosen, labels), labels };
}

// ---------------------------------------------------------------------------------------------
// What goes out

function configJson(shape: TaggerShape, parameters: Parameters): string {
  const config = {
    architectures: ['ConvolutionTagger'],
    model_type: 'scinertopic-convolution',
    id2label: Object.fromEntries(shape.labels.map((label, i) => [i, label])),
    label2id: Object.fromEntries(shape.labels.map((label, i) => [label, i])),
    dilations: shape.dilations,
    hidden_size: shape.hidden,
    word_dimensions: shape.wordDimensions,
    mark_buckets: shape.markBuckets,
    mark_dimensions: shape.markDimensions,
    crf_transitions: [...(parameters.get('transitions') ?? [])],
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

async function cardFacts(training: NerTraining, shape: TaggerShape, memberScores: number[]) {
  const inputs = [training.wordVectors, training.data, training.pretrain, ...(training.unlabelled ?? [])];
  return {
    trained_on: inputs.filter((input) => input !== undefined),
    seed: training.seed ?? 1,
    weights: parameterCount(shape),
    ...(memberScores.length > 1 ? { ensemble_dev_f1: memberScores.map((f1) => Number(f1.toFixed(4))) } : {}),
  };
}

async function scoreFolder(
  folder: string,
  dev: EncodedSentences,
  sentences: readonly LabelledSentence[],
): Promise<SpanScores> {
  const tagger = await openTagger(folder);
  const tagged = await tagger.tag(sentences.map((sentence) => sentence.tokens));
  await tagger.close();
  return scoreSpans(
    dev,
    labelIndices(
      tagger.labels,
      tagged.map(({ labels }) => labels),
    ),
    tagger.labels,
  );
}

// ---------------------------------------------------------------------------------------------
// State

/** Folder for the state of this very training: other options or data have another, and start anew. */
async function workFolder(training: NerTraining, trainFile: string): Promise<string> {
  const { out, signal: _signal, onProgress: _onProgress, card: _card, ...rest } = training;
  const hash = createHash('sha256').update(
    JSON.stringify({ ...rest, network, memberOptions, distilOptions }),
  );
  for (const path of [trainFile, training.wordVectors, ...(training.unlabelled ?? [])]) {
    if (existsSync(path) && !existsSync(join(path, 'model.onnx'))) hash.update(await fileSha256(path));
  }
  const folder = `${out}.training-${hash.digest('hex').slice(0, 12)}`;
  mkdirSync(folder, { recursive: true });
  return folder;
}
