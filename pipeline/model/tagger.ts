/**
 * Finds entities with a tagger from its folder, in sentences of tokens or in running text. Converted
 * transformers are served by bert-tagger.ts. The kinds that `train ner` makes give log scores per token and
 * label (convolution-tagger.ts), and everything after that is here: cutting, decoding, probabilities, offsets.
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { UserError } from '../errors.ts';
import type { Aggregation } from './aggregation.ts';
import { openBertTagger } from './bert-tagger.ts';
import { type ScoredSpan, spansOf, typesOf } from './bio.ts';
import { isConverted, readConversion } from './converted-model.ts';
import { openConvolutionTagger } from './convolution-tagger.ts';
import {
  bestLabels,
  type Crf,
  createCrf,
  createLattice,
  fillLattice,
  spanProbability,
  transitionCount,
} from './crf.ts';
import { splitSentences } from './sentences.ts';
import type { SessionOptions } from './session.ts';
import { tokenize, tokenTexts } from './words.ts';

export interface TaggedSentence {
  /** BIO, one per token. */
  labels: string[];
  spans: ScoredSpan[];
}

/** An entity in running text; start and end in UTF-16 code units, end exclusive. */
export interface TextEntity {
  start: number;
  end: number;
  text: string;
  type: string;
  score: number;
}

/** Results depend on each sentence alone, never on what is tagged beside it. */
export interface Tagger {
  /** The network's labels, by index. */
  labels: string[];
  types: string[];
  /**
   * Sentences longer than the network's window are cut. With the kinds that `train ner` makes, an entity
   * across a cut becomes two; a transformer's windows overlap, and its entities stay whole.
   */
  tag(sentences: readonly (readonly string[])[]): Promise<TaggedSentence[]>;
  tagText(text: string): Promise<TextEntity[]>;
  /** As tagText, for many texts at once: short texts share a run of the network. */
  tagTexts(texts: readonly string[]): Promise<TextEntity[][]>;
  close(): Promise<void>;
}

/** What a kind of network does: log scores for packed sentences. */
export interface EmissionModel {
  /** @returns Log scores [tokens × labels], sentences end to end. */
  emissions(sentences: readonly (readonly string[])[]): Promise<ArrayLike<number>>;
  close(): Promise<void>;
}

/** Tokens that the network sees at once; memory stays flat whatever the text. */
const maxPieceTokens = 256;

/** Tokens scored in one run. Larger runs gain nothing and leave the processor's caches. */
const runTokens = 512;

const configSchema = z.looseObject({
  model_type: z.string(),
  id2label: z
    .record(z.string().regex(/^\d+$/), z.string())
    .refine((labels) => Object.keys(labels).length > 0, 'expected at least one label'),
  crf_transitions: z.array(z.number()).optional(),
});

/** config.json as far as all kinds share it. */
export type TaggerConfig = z.infer<typeof configSchema>;

export interface TaggerOptions extends SessionOptions {
  /** How a transformer's pieces of words become labels of words; `average` when left out. */
  aggregation?: Aggregation;
}

/**
 * Opens a tagger.
 *
 * @param folder Model folder with config.json, model.onnx, and vocab.txt or tokenizer.json.
 * @throws UserError when a file is missing or does not fit, or the kind is unknown.
 */
export async function openTagger(folder: string, options: TaggerOptions = {}): Promise<Tagger> {
  const config = readConfig(folder);
  const labels = readLabels(config, folder);
  if (isConverted(config)) return openBertTagger(folder, config, labels, options);
  if (config.model_type !== 'scinertopic-convolution') {
    throw new UserError(
      `tagger: expected model_type scinertopic-convolution or a converted model in ${join(folder, 'config.json')}, got "${config.model_type}". ` +
        'Name a folder made by "train ner", or convert this one with "models convert".',
    );
  }
  const crf = crfOf(config, labels, folder);
  return createTagger(labels, crf, await openConvolutionTagger(folder, config, options));
}

/** A tagger around any source of emissions. */
export function createTagger(labels: string[], crf: Crf, model: EmissionModel): Tagger {
  const lattice = createLattice();
  const indexOf = new Map(labels.map((label, i) => [label, i]));

  const decode = (emissions: ArrayLike<number>, first: number, n: number): TaggedSentence => {
    const names = Array.from(bestLabels(crf, emissions, first, n), (label) => labels[label]);
    const spans = spansOf(names);
    if (spans.length > 0) fillLattice(lattice, crf, emissions, first, n);
    return {
      labels: names,
      spans: spans.map((span) => {
        const beginning = indexOf.get(`B-${span.type}`) ?? -1;
        const inside = indexOf.get(`I-${span.type}`) ?? -1;
        return { ...span, score: spanProbability(lattice, crf, span.start, span.end, beginning, inside) };
      }),
    };
  };

  const tag = async (sentences: readonly (readonly string[])[]): Promise<TaggedSentence[]> => {
    const results = sentences.map((): TaggedSentence => ({ labels: [], spans: [] }));
    const pieces = piecesOf(sentences);
    for (let p = 0; p < pieces.length; ) {
      const from = p;
      let tokens = 0;
      while (p < pieces.length && (p === from || tokens + pieces[p].tokens.length <= runTokens)) {
        tokens += pieces[p++].tokens.length;
      }
      const group = pieces.slice(from, p);
      const emissions = await model.emissions(group.map((piece) => piece.tokens));
      let first = 0;
      for (const { sentence, offset, tokens: piece } of group) {
        const found = decode(emissions, first, piece.length);
        for (const label of found.labels) results[sentence].labels.push(label);
        for (const span of found.spans) {
          results[sentence].spans.push({ ...span, start: span.start + offset, end: span.end + offset });
        }
        first += piece.length;
      }
    }
    return results;
  };

  const tagTexts = async (texts: readonly string[]): Promise<TextEntity[][]> => {
    const sentences: string[][] = [];
    const places: { text: number; starts: Int32Array; ends: Int32Array }[] = [];
    texts.forEach((text, i) => {
      const words = tokenize(text);
      const tokens = tokenTexts(text, words);
      const split = splitSentences(text, words, maxPieceTokens);
      for (let s = 0; s < split.n; s++) {
        const [first, end] = [split.firsts[s], split.firsts[s + 1]];
        sentences.push(tokens.slice(first, end));
        places.push({
          text: i,
          starts: words.starts.subarray(first, end),
          ends: words.ends.subarray(first, end),
        });
      }
    });
    const results = texts.map((): TextEntity[] => []);
    (await tag(sentences)).forEach(({ spans }, s) => {
      const { text, starts, ends } = places[s];
      for (const span of spans) {
        const [start, end] = [starts[span.start], ends[span.end - 1]];
        results[text].push({
          start,
          end,
          text: texts[text].slice(start, end),
          type: span.type,
          score: span.score,
        });
      }
    });
    return results;
  };

  return {
    labels,
    types: typesOf(labels),
    tag,
    tagText: async (text) => (await tagTexts([text]))[0],
    tagTexts,
    close: () => model.close(),
  };
}

interface Piece {
  sentence: number;
  /** First token of the piece in its sentence. */
  offset: number;
  tokens: readonly string[];
}

/** Sentences cut into pieces; where the cuts fall depends on the sentence alone. Empty ones give none. */
function piecesOf(sentences: readonly (readonly string[])[]): Piece[] {
  const pieces: Piece[] = [];
  sentences.forEach((tokens, sentence) => {
    for (let offset = 0; offset < tokens.length; offset += maxPieceTokens) {
      pieces.push({ sentence, offset, tokens: tokens.slice(offset, offset + maxPieceTokens) });
    }
  });
  return pieces;
}

function readConfig(folder: string): TaggerConfig {
  const path = join(folder, 'config.json');
  if (!existsSync(path))
    throw new UserError(`tagger: expected a model's config.json in ${folder}, found none.`);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new UserError(`tagger: expected JSON in ${path}: ${(cause as Error).message}`, { cause });
  }
  if (isEncoder(value, path)) {
    throw new UserError(
      `tagger: expected a model that labels tokens in ${folder}, found a document encoder, which belongs into embed.model.`,
    );
  }
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) throw new UserError(`tagger: ${path}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function isEncoder(config: unknown, path: string): boolean {
  return (
    z.looseObject({ model_type: z.literal('static') }).safeParse(config).success ||
    (isConverted(config) && readConversion(config, path).pooling !== undefined)
  );
}

/** id2label as a list without gaps. */
function readLabels({ id2label }: TaggerConfig, folder: string): string[] {
  const count = Object.keys(id2label).length;
  return Array.from({ length: count }, (_, i) => {
    const label = id2label[String(i)];
    if (label === undefined || label === '') {
      throw new UserError(
        `tagger: expected id2label to name the labels 0 to ${count - 1}, got ${JSON.stringify(label)} for ${i} (${join(folder, 'config.json')}).`,
      );
    }
    return label;
  });
}

/** Without transitions in the config all legal ones score alike. */
function crfOf(config: TaggerConfig, labels: string[], folder: string): Crf {
  for (const [i, label] of labels.entries()) {
    if (/^(?:O|[BI]-.+)$/.test(label)) continue;
    throw new UserError(
      `tagger: expected label ${i} of id2label to be O, B-TYPE or I-TYPE, got ${JSON.stringify(label)} (${join(folder, 'config.json')}).`,
    );
  }
  const wanted = transitionCount(labels.length);
  const weights = config.crf_transitions ?? new Array<number>(wanted).fill(0);
  if (weights.length !== wanted) {
    throw new UserError(
      `tagger: expected ${wanted} numbers in crf_transitions for ${labels.length} labels, got ${weights.length} (${join(folder, 'config.json')}).`,
    );
  }
  return createCrf(labels, weights);
}
