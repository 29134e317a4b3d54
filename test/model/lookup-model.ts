/** Model folders whose networks can be worked by hand, for tests of what stands around a network. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GraphBuilder } from '../../pipeline/model/onnx.ts';

export interface LookupTagger {
  vocabulary: readonly string[];
  lowerCase: boolean;
  labels: readonly string[];
  /** Logit of a label for a piece. */
  logit: (id: number, label: number) => number;
  maxTokens?: number;
  config?: Record<string, unknown>;
}

/** A tagger that looks the logits of each piece up, whatever stands around it. */
export function writeLookupTagger(folder: string, given: LookupTagger): string {
  const { vocabulary, lowerCase, labels, logit, maxTokens = 512, config = {} } = given;
  const graph = new GraphBuilder('lookup_tagger');
  const ids = graph.input('input_ids', 'int64', [1, 'sequence']);
  const table = Float32Array.from({ length: vocabulary.length * labels.length }, (_, at) =>
    logit(Math.floor(at / labels.length), at % labels.length),
  );
  const rows = graph.initializer({ dims: [vocabulary.length, labels.length], data: table });
  const flatIds = graph.node('Squeeze', [ids, graph.int64([0])]);
  const found = graph.node('Gather', [rows, flatIds]);
  // As a real network does, this one fails where a sequence is longer than its table of positions.
  const positions = graph.initializer({ dims: [maxTokens, 1], data: new Float32Array(maxTokens) });
  const length = graph.node('Squeeze', [graph.node('Shape', [flatIds]), graph.int64([0])]);
  const range = graph.node('Range', [graph.int64(0), length, graph.int64(1)]);
  const logits = graph.node('Add', [found, graph.node('Gather', [positions, range])]);
  graph.output(logits, 'float32', ['sequence', labels.length], 'logits');
  writeModel(folder, graph, vocabulary, lowerCase, {
    id2label: Object.fromEntries(labels.entries()),
    scinertopic: { precision: 'fp32', max_tokens: maxTokens },
    ...config,
  });
  return folder;
}

/** Writes what every converted model has: graph, config and tokenizer. */
export function writeModel(
  folder: string,
  graph: GraphBuilder,
  vocabulary: readonly string[],
  lowerCase: boolean,
  config: Record<string, unknown>,
): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.onnx'), graph.encode());
  writeFileSync(join(folder, 'vocab.txt'), `${vocabulary.join('\n')}\n`);
  writeFileSync(
    join(folder, 'tokenizer_config.json'),
    JSON.stringify({ tokenizer_class: 'BertTokenizer', do_lower_case: lowerCase, model_max_length: 512 }),
  );
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ model_type: 'bert', ...config }));
}

export interface LookupEncoder {
  vocabulary: readonly string[];
  conversion?: Record<string, unknown>;
  /** What config.json says; the graph always gives `lookupDimensions` numbers. */
  hiddenSize?: number;
  output?: string;
  /** Sends the ids through a matrix product, whose sums a batch could change. */
  mixing?: boolean;
  weight?: number;
}

/** Numbers per document of a lookup encoder: the task and the longest sequence it writes out. */
export const lookupDimensions = 33;

/**
 * An encoder that writes out what it is fed: the number of the task where it has tasks, then the ids, then −1
 * to the end.
 */
export function writeLookupEncoder(folder: string, given: LookupEncoder): string {
  const { vocabulary, conversion = {}, hiddenSize = lookupDimensions, output = 'vector' } = given;
  const graph = new GraphBuilder('lookup_encoder');
  const ids = graph.input('input_ids', 'int64', [1, 'sequence']);
  const parts = [graph.node('Squeeze', [ids, graph.int64([0])])];
  if (conversion.tasks !== undefined) parts.unshift(graph.input('task', 'int64', [1]));
  parts.push(
    graph.initializer({ dims: [lookupDimensions], data: new BigInt64Array(lookupDimensions).fill(-1n) }),
  );
  const fed = graph.node(
    'Cast',
    [
      graph.node('Slice', [
        graph.node('Concat', parts, { axis: 0 }),
        graph.int64([0]),
        graph.int64([lookupDimensions]),
      ]),
    ],
    { to: 1 },
  );
  let vector = graph.node('Unsqueeze', [fed, graph.int64([0])]);
  if (given.mixing) {
    const data = Float32Array.from(
      { length: lookupDimensions ** 2 },
      (_, i) => given.weight ?? Math.sin(i * i),
    );
    const matrix = graph.initializer({ dims: [lookupDimensions, lookupDimensions], data });
    vector = graph.node('MatMul', [vector, matrix]);
  }
  graph.output(vector, 'float32', [1, lookupDimensions], output);
  writeModel(folder, graph, vocabulary, true, {
    hidden_size: hiddenSize,
    scinertopic: { precision: 'fp32', max_tokens: 32, ...conversion },
  });
  return folder;
}
