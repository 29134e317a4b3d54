/**
 * Finds entities with a converted BERT token classifier, as transformers' pipeline does: pieces to words,
 * words to entities (aggregation.ts). A text that fits into the model's window gives exactly what the pipeline
 * gives; where that would cut a longer one off, this reads on, window by window (token-windows.ts).
 */

import { join } from 'node:path';
import { UserError } from '../errors.ts';
import {
  type Aggregation,
  defaultAggregation,
  groupWords,
  labelWords,
  probabilitiesOf,
} from './aggregation.ts';
import { createBertTokenizer, type TokenizedText } from './bert-tokenizer.ts';
import { labelsOf, type ScoredSpan } from './bio.ts';
import { checkPrecision, idsInput, logitsOutput, readConversion } from './converted-model.ts';
import { toInt64 } from './int64.ts';
import { splitSentences } from './sentences.ts';
import { openSession, type TensorValue } from './session.ts';
import { readTagScheme } from './tag-scheme.ts';
import type { TaggedSentence, Tagger, TaggerConfig, TaggerOptions, TextEntity } from './tagger.ts';
import { insideWord, planWindows, sentenceStart, wordStart } from './token-windows.ts';
import { readTokenizerFiles, type TokenizerSettings } from './tokenizer-files.ts';
import { tokenize } from './words.ts';

/**
 * @param config Content of the folder's config.json.
 * @param labels Of the config's id2label, by index.
 * @throws UserError when a file is missing or does not fit, or the folder holds no token classifier.
 */
export async function openBertTagger(
  folder: string,
  config: TaggerConfig,
  labels: string[],
  { aggregation = defaultAggregation, ...machine }: TaggerOptions = {},
): Promise<Tagger> {
  const conversion = readConversion(config, join(folder, 'config.json'));
  const maxTokens = conversion.max_tokens;
  const scheme = readTagScheme(labels, join(folder, 'config.json'));
  const settings = readTokenizerFiles(folder);
  const tokenizer = createBertTokenizer(settings);
  const pieceLengths = pieceLengthsOf(settings);
  checkPrecision(conversion, machine.device ?? 'cpu', folder);
  const session = await openSession(join(folder, 'model.onnx'), machine);
  if (!session.outputs.includes(logitsOutput)) {
    await session.close();
    throw new UserError(
      `tagger: expected a model that labels tokens in ${folder}, found one that gives ${session.outputs.join(', ')}. ` +
        'A document encoder belongs into embed.model.',
    );
  }

  /** Probabilities [pieces × labels], each piece in the window that answers for it. */
  const probabilities = async (ids: Int32Array, breaks: Uint8Array): Promise<Float32Array> => {
    const logits = new Float32Array(ids.length * labels.length);
    for (const { first, end, keptFirst, keptEnd } of planWindows(breaks, maxTokens - 2)) {
      const sequence = new Int32Array(end - first + 2);
      sequence[0] = tokenizer.clsId;
      sequence.set(ids.subarray(first, end), 1);
      sequence[sequence.length - 1] = tokenizer.sepId;
      // One sequence a run, unpadded: no other text can touch its sums.
      const found = await session.run(
        { [idsInput]: { dims: [1, sequence.length], data: toInt64(sequence) } },
        [logitsOutput],
      );
      const rows = checkedLogits(found[logitsOutput], sequence.length, labels.length, folder);
      const at = (token: number): number => (token - first + 1) * labels.length;
      logits.set(rows.subarray(at(keptFirst), at(keptEnd)), keptFirst * labels.length);
    }
    return probabilitiesOf(logits, labels.length);
  };

  const tagText = async (text: string): Promise<TextEntity[]> => {
    const pieces = tokenizer.encode(text);
    if (pieces.ids.length === 0) return [];
    const breaks = wordBreaks(text, pieces, pieceLengths, tokenizer.unknownId);
    const firsts = firstsOf(breaks, aggregation);
    // Sentences matter only where the text is cut.
    if (pieces.ids.length > maxTokens - 2) markSentences(breaks, text, pieces.starts);
    const words = labelWords(await probabilities(pieces.ids, breaks), labels.length, firsts, aggregation);
    return groupWords(words, scheme).map((span) => {
      const start = pieces.starts[firsts[span.start]];
      const end = pieces.ends[firsts[span.end] - 1];
      return { start, end, text: text.slice(start, end), type: span.type, score: span.score };
    });
  };

  const tagSentence = async (tokens: readonly string[]): Promise<TaggedSentence> => {
    const ids: number[] = [];
    const firsts: number[] = [];
    /** Token of each word; a token without pieces (white space, control characters) is passed over. */
    const places: number[] = [];
    for (const [place, token] of tokens.entries()) {
      const pieces = tokenizer.encode(token).ids;
      if (pieces.length === 0) continue;
      firsts.push(ids.length);
      places.push(place);
      for (const id of pieces) ids.push(id);
    }
    if (ids.length === 0) return { labels: tokens.map(() => 'O'), spans: [] };
    const breaks = new Uint8Array(ids.length);
    for (const first of firsts) breaks[first] = wordStart;
    const rows = await probabilities(Int32Array.from(ids), breaks);
    const words = labelWords(rows, labels.length, Int32Array.from([...firsts, ids.length]), aggregation);
    const spans = groupWords(words, scheme).map(
      (span): ScoredSpan => ({ ...span, start: places[span.start], end: places[span.end - 1] + 1 }),
    );
    return { labels: labelsOf(spans, tokens.length), spans };
  };

  return {
    labels,
    types: scheme.types,
    async tag(sentences) {
      const results: TaggedSentence[] = [];
      for (const tokens of sentences) results.push(await tagSentence(tokens));
      return results;
    },
    tagText,
    async tagTexts(texts) {
      const results: TextEntity[][] = [];
      for (const text of texts) results.push(await tagText(text));
      return results;
    },
    close: () => session.close(),
  };
}

/**
 * Where the pipeline sees a word begin: at an unknown piece, and at a piece that is as long as the text it
 * stands for; "##ing" is longer. So a piece whose text holds characters that the tokenizer drops (soft
 * hyphens, spaces without width) joins the word before it, there as here.
 *
 * @returns Uint8Array [pieces]: wordStart or insideWord.
 */
function wordBreaks(
  text: string,
  { ids, starts, ends }: TokenizedText,
  pieceLengths: Int32Array,
  unknownId: number,
): Uint8Array {
  return Uint8Array.from(ids, (id, i) =>
    i === 0 || id === unknownId || pieceLengths[id] === characters(text.slice(starts[i], ends[i]))
      ? wordStart
      : insideWord,
  );
}

/** Int32Array [vocabularySize]: characters of each piece, the mark of continuation counted. */
function pieceLengthsOf({ vocabulary, added, vocabularySize }: TokenizerSettings): Int32Array {
  const lengths = new Int32Array(vocabularySize);
  for (const [piece, id] of vocabulary) lengths[id] = characters(piece);
  for (const { content, id } of added) lengths[id] = characters(content);
  return lengths;
}

/** Length in Unicode characters, as Python counts. */
function characters(text: string): number {
  let count = text.length;
  for (let at = 0; at + 1 < text.length; at++) if ((text.codePointAt(at) ?? 0) > 0xffff) count--;
  return count;
}

/** First piece of each word, and the number of pieces at the end; `simple` takes each piece for a word. */
function firstsOf(breaks: Uint8Array, aggregation: Aggregation): Int32Array {
  const firsts: number[] = [];
  breaks.forEach((kind, i) => {
    if (aggregation === 'simple' || kind !== insideWord) firsts.push(i);
  });
  return Int32Array.from([...firsts, breaks.length]);
}

/** Marks the first piece of each sentence. */
function markSentences(breaks: Uint8Array, text: string, starts: Int32Array): void {
  let piece = 0;
  for (const start of splitSentences(text, tokenize(text)).starts) {
    while (piece < starts.length && starts[piece] < start) piece++;
    if (piece < starts.length) breaks[piece] = sentenceStart;
  }
}

/** @throws UserError when the graph gives other numbers than the config promises. */
function checkedLogits(
  { data, dims }: TensorValue,
  rows: number,
  labels: number,
  folder: string,
): Float32Array {
  if (!(data instanceof Float32Array) || data.length !== rows * labels) {
    throw new UserError(
      `${folder}: expected ${rows} × ${labels} float32 numbers as id2label in config.json says, got ${dims.join(' × ')}. Convert the model again.`,
    );
  }
  for (const value of data) {
    if (!Number.isFinite(value)) {
      throw new UserError(
        `${folder}: expected finite numbers, got ${value}: the model's weights are damaged.`,
      );
    }
  }
  return data;
}
