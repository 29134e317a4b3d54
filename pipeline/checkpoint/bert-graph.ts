/**
 * BERT as an ONNX graph for one unpadded sequence: no mask and no token types, so that a document's numbers
 * depend on the document alone. Operators are those that were measured to be fastest on onnxruntime's CPU
 * kernels; some are its own (com.microsoft).
 */

import { idsInput, logitsOutput, taskInput, vectorOutput } from '../model/converted-model.ts';
import { type EncodedModel, float, GraphBuilder } from '../model/onnx.ts';
import type { Adapter, AdapterPlace, Bottleneck } from './adapter.ts';
import type { Activation } from './bert-config.ts';
import type { BertModel, Head } from './bert-model.ts';
import {
  float32Linear,
  type InputRange,
  int8Linear,
  type LinearBuilder,
  type Rows,
  transposed,
  vector,
} from './linear.ts';

export const hiddenOutput = 'last_hidden_state';

/**
 * @returns The model: `input_ids` int64 [1, sequence] and, where there are adapters, `task` int64 [1], to
 *   `vector` float32 [1, d], `logits` float32 [sequence, labels] or `last_hidden_state` float32 [1, sequence, d].
 */
export function encodeBertGraph(model: BertModel, head: Head, precision: 'fp32' | 'int8'): EncodedModel {
  return new BertGraph(model, head, precision === 'int8' ? int8Linear : float32Linear).build();
}

/** A layer's input: its value, and how large its channels get. */
interface States {
  name: string;
  range: InputRange;
}

/** A layer normalization's own numbers, and how large they let its channels get. */
interface Norm {
  scale: string;
  shift: string;
  range: InputRange;
}

class BertGraph {
  readonly #graph = new GraphBuilder('bert');
  readonly #model: BertModel;
  readonly #head: Head;
  readonly #linear: LinearBuilder;
  readonly #ids: string;
  /** Scalar; null without adapters. */
  readonly #task: string | null;
  /** The sequence's length, as a vector of one number. */
  readonly #length: string;
  readonly #allRows: Rows;

  constructor(model: BertModel, head: Head, linear: LinearBuilder) {
    this.#model = model;
    this.#head = head;
    this.#linear = linear;
    this.#ids = this.#graph.input(idsInput, 'int64', [1, 'sequence']);
    this.#task =
      model.adapters.length === 0
        ? null
        : this.#graph.node('Squeeze', [this.#graph.input(taskInput, 'int64', [1])]);
    this.#length = this.#graph.node('Shape', [this.#ids], { start: 1, end: 2 });
    this.#allRows = this.#rows(this.#length);
  }

  build(): EncodedModel {
    const { layers } = this.#model.config;
    let states = this.#embeddings();
    for (let layer = 0; layer < layers; layer++) {
      // Only the first row of the last layer is read: its keys and values need every token, the rest does not.
      const firstRowOnly =
        layer === layers - 1 && this.#head.kind === 'vector' && this.#head.pooling === 'cls';
      states = this.#layer(layer, states, firstRowOnly);
    }
    this.#output(states.name);
    return this.#graph.finish();
  }

  /** @param count Name of a vector of one number. */
  #rows(count: string): Rows {
    const graph = this.#graph;
    const filled = (value: string): string => graph.node('Expand', [value, count]);
    return {
      ones: filled(graph.scalar(1)),
      zeros: filled(graph.scalar(0)),
      middles: filled(graph.byte(128)),
    };
  }

  /** Word + position + token type 0, normalized. */
  #embeddings(): States {
    const graph = this.#graph;
    const { config, weights } = this.#model;
    const d = config.hidden;
    const words = graph.deferred(
      {
        dims: [config.vocabulary, d],
        type: 'float32',
        read: () => weights.read('embeddings.word_embeddings.weight'),
      },
      'word_embeddings',
    );
    const positions = graph.deferred(
      { dims: [config.positions, d], type: 'float32', read: () => this.#positionRows() },
      'position_embeddings',
    );
    const used = graph.node('Slice', [positions, graph.int64([0]), this.#length, graph.int64([0])]);
    const sum = graph.node('Add', [graph.node('Gather', [words, this.#ids]), used]);
    return this.#normalize(sum, this.#norm('embeddings.LayerNorm'), this.#allRows);
  }

  /** Every token is of type 0, so that type's row is part of every position. */
  #positionRows(): Float32Array {
    const { config, weights } = this.#model;
    const rows = weights.read('embeddings.position_embeddings.weight');
    if (config.tokenTypes === 0) return rows;
    const type = weights.read('embeddings.token_type_embeddings.weight');
    return rows.map((value, i) => value + type[i % config.hidden]);
  }

  #layer(layer: number, states: States, firstRowOnly: boolean): States {
    const graph = this.#graph;
    const { config } = this.#model;
    const { hidden: d, intermediate, heads, activation } = config;
    const name = `encoder.layer.${layer}`;
    const self = (part: string): string => `${name}.attention.self.${part}`;

    let rows = this.#allRows;
    let queries: string;
    let keys: string;
    let values: string;
    let residual = states.name;
    if (firstRowOnly) {
      rows = this.#rows(graph.int64([1]));
      residual = graph.node('Slice', [states.name, graph.int64([0]), graph.int64([1]), graph.int64([1])]);
      queries = this.#project([self('query')], d, residual, rows, states.range);
      [keys, values] = this.#split(
        this.#project([self('key'), self('value')], d, states.name, this.#allRows, states.range),
        2,
      );
    } else {
      [queries, keys, values] = this.#split(
        this.#project([self('query'), self('key'), self('value')], d, states.name, rows, states.range),
        3,
      );
    }
    const context = graph.contributedNode('MultiHeadAttention', [queries, keys, values], {
      num_heads: heads,
    });
    const attended = this.#closeBlock(layer, 'attention', rows, context, d, residual, {});

    const inner = this.#linear(
      graph,
      attended.name,
      this.#map([`${name}.intermediate.dense`], intermediate, d),
      rows,
      attended.range,
    );
    const activated = activate(graph, inner.product, inner.bias, activation);
    const lowest = lowestOf(activation);
    return this.#closeBlock(
      layer,
      'output',
      rows,
      activated,
      intermediate,
      attended.name,
      lowest === undefined ? {} : { lowest },
    );
  }

  /** Maps that read the same input, side by side in one product, with their biases added. */
  #project(names: readonly string[], outputs: number, x: string, rows: Rows, range: InputRange): string {
    const { product, bias } = this.#linear(
      this.#graph,
      x,
      this.#map(names, outputs, this.#model.config.hidden),
      rows,
      range,
    );
    return this.#graph.node('Add', [product, bias]);
  }

  #split(value: string, parts: number): string[] {
    const names = this.#graph.names('Split', parts);
    this.#graph.node('Split', [value], { axis: 2, num_outputs: parts }, names);
    return names;
  }

  /** Linear maps stacked: `outputs` rows each. */
  #map(names: readonly string[], outputs: number, inputs: number) {
    const { weights } = this.#model;
    const read = (part: string, size: number): Float32Array => {
      if (names.length === 1) return weights.read(`${names[0]}.${part}`);
      const joined = new Float32Array(names.length * size);
      names.forEach((name, i) => {
        joined.set(weights.read(`${name}.${part}`), i * size);
      });
      return joined;
    };
    return {
      inputs,
      outputs: names.length * outputs,
      weight: () => read('weight', outputs * inputs),
      bias: () => read('bias', outputs),
    };
  }

  /** The end of a block: its last product, the adapters, the residual and the normalization. */
  #closeBlock(
    layer: number,
    place: AdapterPlace,
    rows: Rows,
    x: string,
    inputs: number,
    residual: string,
    range: InputRange,
  ): States {
    const graph = this.#graph;
    const { config, adapters } = this.#model;
    const block = `encoder.layer.${layer}.${place === 'attention' ? 'attention.output' : 'output'}`;
    const map = this.#map([`${block}.dense`], config.hidden, inputs);
    const { product, bias } = this.#linear(graph, x, map, rows, range);
    const norm = this.#norm(`${block}.LayerNorm`);
    const h = graph.node('Add', [product, bias]);
    const sum = graph.node('Add', [h, residual]);
    const stack = stackOf(adapters, layer, place, config.hidden);
    if (stack === null || this.#task === null) return this.#normalize(sum, norm, rows);

    const sources = {
      normalized: () => this.#normalize(sum, norm, rows).name,
      raw: () => h,
      input: () => residual,
    };
    const chosen = (data: Float32Array, ...dims: number[]): string =>
      graph.node('Gather', [
        graph.initializer({ dims: [adapters.length + 1, ...dims], data }),
        this.#task ?? '',
      ]);
    const { size } = stack;
    const down = graph.node('MatMul', [sources[stack.source](), chosen(stack.down, config.hidden, size)]);
    const inner = activate(graph, down, chosen(stack.downBias, size), stack.activation);
    const up = graph.node('MatMul', [inner, chosen(stack.up, size, config.hidden)]);
    const adapted = graph.node('Add', [up, chosen(stack.upBias, config.hidden)]);
    return this.#normalize(graph.node('Add', [adapted, sum]), norm, rows);
  }

  /**
   * Layer normalization, as an InstanceNormalization that takes tokens for channels: onnxruntime computes that
   * with vector instructions, its LayerNormalization and SkipLayerNormalization number by number (1.30, 192
   * tokens of 768: 0.11 ms against 0.60).
   */
  #normalize(sum: string, norm: Norm, rows: Rows): States {
    const graph = this.#graph;
    const normalized = graph.node('InstanceNormalization', [sum, rows.ones, rows.zeros], {
      epsilon: float(this.#model.config.epsilon),
    });
    const scaled = graph.node('Mul', [normalized, norm.scale]);
    return { name: graph.node('Add', [scaled, norm.shift]), range: norm.range };
  }

  #norm(name: string): Norm {
    const { weights } = this.#model;
    const scale = weights.read(`${name}.weight`);
    const shift = weights.read(`${name}.bias`);
    return {
      scale: vector(this.#graph, scale),
      shift: vector(this.#graph, shift),
      // Normalized numbers seldom pass three deviations.
      range: { channels: scale.map((value, j) => 3 * Math.abs(value) + Math.abs(shift[j])) },
    };
  }

  #output(states: string): void {
    const graph = this.#graph;
    const { config } = this.#model;
    const d = config.hidden;
    switch (this.#head.kind) {
      case 'hidden':
        graph.output(states, 'float32', [1, 'sequence', d], hiddenOutput);
        return;
      case 'logits': {
        // In float32 at either precision: few numbers, and the last word on every label.
        const map = this.#map(['classifier'], config.labels.length, d);
        const { product, bias } = float32Linear(graph, states, map, this.#allRows);
        const logits = graph.node('Squeeze', [graph.node('Add', [product, bias]), graph.int64([0])]);
        graph.output(logits, 'float32', ['sequence', config.labels.length], logitsOutput);
        return;
      }
      case 'vector': {
        const pooled = pool(graph, states, this.#head.pooling);
        const result = this.#head.normalize ? unitLength(graph, pooled) : pooled;
        graph.output(result, 'float32', [1, d], vectorOutput);
      }
    }
  }
}

/** @param states [1, sequence, d], of which 'cls' has been left the first row only. @returns [1, d]. */
function pool(graph: GraphBuilder, states: string, pooling: 'cls' | 'mean' | 'max'): string {
  const axis = graph.int64([1]);
  switch (pooling) {
    case 'cls':
      return graph.node('Squeeze', [states, axis]);
    case 'mean':
      return graph.node('ReduceMean', [states, axis], { keepdims: 0 });
    case 'max':
      return graph.node('ReduceMax', [states, axis], { keepdims: 0 });
  }
}

/** Length 1, as sentence-transformers' Normalize: a vector shorter than 1e-12 is divided by that. */
function unitLength(graph: GraphBuilder, rows: string): string {
  const lengths = graph.node('ReduceL2', [rows, graph.int64([1])], { keepdims: 1 });
  return graph.node('Div', [rows, graph.node('Max', [lengths, graph.scalar(1e-12)])]);
}

/** activation(x + bias). */
function activate(graph: GraphBuilder, x: string, bias: string, activation: Activation): string {
  if (activation === 'gelu') return graph.contributedNode('BiasGelu', [x, bias]);
  if (activation === 'gelu_tanh') return graph.contributedNode('FastGelu', [x, bias]);
  const sum = graph.node('Add', [x, bias]);
  switch (activation) {
    case 'quick_gelu':
      return graph.contributedNode('QuickGelu', [sum], { alpha: float(1.702) });
    case 'silu':
      return graph.node('Mul', [sum, graph.node('Sigmoid', [sum])]);
    case 'relu':
      return graph.node('Relu', [sum]);
    case 'tanh':
      return graph.node('Tanh', [sum]);
  }
}

/** Just below the smallest value of the function; undefined where it reaches as far down as up. */
function lowestOf(activation: Activation): number | undefined {
  switch (activation) {
    case 'gelu':
    case 'gelu_tanh':
      return -0.1701;
    case 'quick_gelu':
      return -0.1637;
    case 'silu':
      return -0.2785;
    case 'relu':
      return 0;
    case 'tanh':
      return undefined;
  }
}

/** The bottlenecks of all adapters at one place, the bare base's first: all zeros, which change nothing. */
interface BottleneckStack {
  source: Adapter['source'];
  activation: Activation;
  /** Of the largest; smaller ones are filled up with zeros. */
  size: number;
  /** [adapters + 1 × d × size], [adapters + 1 × size], [adapters + 1 × size × d], [adapters + 1 × d]. */
  down: Float32Array;
  downBias: Float32Array;
  up: Float32Array;
  upBias: Float32Array;
}

function stackOf(
  adapters: readonly Adapter[],
  layer: number,
  place: AdapterPlace,
  d: number,
): BottleneckStack | null {
  const bottlenecks = adapters.map((adapter) => adapter.bottleneck(layer, place));
  const size = Math.max(0, ...bottlenecks.map((bottleneck) => bottleneck?.size ?? 0));
  if (size === 0) return null;
  const { source, activation } = adapters[0];
  const n = adapters.length + 1;
  const stack: BottleneckStack = {
    source,
    activation,
    size,
    down: new Float32Array(n * d * size),
    downBias: new Float32Array(n * size),
    up: new Float32Array(n * size * d),
    upBias: new Float32Array(n * d),
  };
  bottlenecks.forEach((bottleneck: Bottleneck | null, i) => {
    if (bottleneck === null) return;
    const { size: own } = bottleneck;
    const { down, downBias, up, upBias } = bottleneck.read();
    const slot = i + 1;
    for (let j = 0; j < d; j++) {
      for (let s = 0; s < own; s++) stack.down[(slot * d + j) * size + s] = down[s * d + j];
    }
    stack.downBias.set(downBias, slot * size);
    stack.up.set(transposed(up, d, own), slot * size * d);
    stack.upBias.set(upBias, slot * d);
  });
  return stack;
}
