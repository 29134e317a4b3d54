/**
 * BERT's arithmetic in plain code and double precision, written from the model's definition and sharing
 * nothing with the ONNX graph but the checkpoint: what a converted model is checked against. Weights are read
 * layer by layer, and all sentences pass a layer together.
 *
 * Matrices are flat and row-major; n tokens of all sentences end to end, d the hidden size.
 */

import type { Adapter, AdapterPlace } from './adapter.ts';
import type { Activation, BertConfig } from './bert-config.ts';
import type { BertModel, Head, Pooling } from './bert-model.ts';

/** One sentence on its way through the model. */
export interface ReferenceCase {
  /** Token ids with the special tokens; at least one. */
  ids: Int32Array;
  /** 0 for the bare base, i for adapter i - 1. */
  task: number;
}

/**
 * @param turn Called after every layer, for others to have a turn and for the caller to stop.
 * @returns Per case the head's output: the vector [d], the logits [tokens × labels], or the hidden states
 *   [tokens × d].
 */
export async function referenceOutputs(
  model: BertModel,
  head: Head,
  cases: readonly ReferenceCase[],
  turn?: () => Promise<void>,
): Promise<Float64Array[]> {
  const { config } = model;
  const spans = spansOf(cases);
  let states = embed(model, cases, spans);
  for (let layer = 0; layer < config.layers; layer++) {
    states = runLayer(model, layer, states, spans);
    await turn?.();
  }
  return spans.map((span) => headOutput(model, head, rowsOf(states, span, config.hidden)));
}

/** Rows [first, end) of the joined tokens that belong to one case. */
interface Span {
  first: number;
  end: number;
  task: number;
}

function spansOf(cases: readonly ReferenceCase[]): Span[] {
  let end = 0;
  return cases.map(({ ids, task }) => {
    const first = end;
    end += ids.length;
    return { first, end, task };
  });
}

const rowsOf = (matrix: Float64Array, { first, end }: Span, d: number): Float64Array =>
  matrix.subarray(first * d, end * d);

/** Word + position + token type 0, normalized. */
function embed(
  { config, weights }: BertModel,
  cases: readonly ReferenceCase[],
  spans: readonly Span[],
): Float64Array {
  const { hidden: d } = config;
  const words = weights.read('embeddings.word_embeddings.weight');
  const positions = weights.read('embeddings.position_embeddings.weight');
  const type =
    config.tokenTypes > 0
      ? weights.read('embeddings.token_type_embeddings.weight').subarray(0, d)
      : new Float32Array(d);
  const states = new Float64Array(spans[spans.length - 1].end * d);
  cases.forEach(({ ids }, c) => {
    for (let t = 0; t < ids.length; t++) {
      const row = (spans[c].first + t) * d;
      for (let j = 0; j < d; j++) states[row + j] = words[ids[t] * d + j] + positions[t * d + j] + type[j];
    }
  });
  return normalized(states, readNorm(weights, 'embeddings.LayerNorm', config));
}

function runLayer(
  model: BertModel,
  layer: number,
  states: Float64Array,
  spans: readonly Span[],
): Float64Array {
  const { config, weights } = model;
  const name = `encoder.layer.${layer}`;
  const linear = (part: string, x: Float64Array): Float64Array => {
    const y = product(x, weights.read(`${name}.${part}.weight`), x.length / inputs(part, config));
    return withBias(y, weights.read(`${name}.${part}.bias`));
  };
  const queries = linear('attention.self.query', states);
  const keys = linear('attention.self.key', states);
  const values = linear('attention.self.value', states);
  const context = attention(queries, keys, values, spans, config);
  const attended = closeBlock(
    model,
    layer,
    'attention',
    linear('attention.output.dense', context),
    states,
    spans,
  );
  const inner = activated(linear('intermediate.dense', attended), config.activation);
  return closeBlock(model, layer, 'output', linear('output.dense', inner), attended, spans);
}

const inputs = (part: string, { hidden, intermediate }: BertConfig): number =>
  part === 'output.dense' ? intermediate : hidden;

/** Softmax(Q Kᵀ / √size) V for every head of every sentence. */
function attention(
  queries: Float64Array,
  keys: Float64Array,
  values: Float64Array,
  spans: readonly Span[],
  { hidden: d, heads }: BertConfig,
): Float64Array {
  const size = d / heads;
  const context = new Float64Array(queries.length);
  for (const { first, end } of spans) {
    const weights = new Float64Array(end - first);
    for (let h = 0; h < heads; h++) {
      for (let q = first; q < end; q++) {
        const query = q * d + h * size;
        let largest = -Infinity;
        for (let k = first; k < end; k++) {
          let sum = 0;
          for (let j = 0; j < size; j++) sum += queries[query + j] * keys[k * d + h * size + j];
          weights[k - first] = sum / Math.sqrt(size);
          largest = Math.max(largest, weights[k - first]);
        }
        let total = 0;
        for (let k = 0; k < weights.length; k++) total += weights[k] = Math.exp(weights[k] - largest);
        for (let k = first; k < end; k++) {
          const weight = weights[k - first] / total;
          for (let j = 0; j < size; j++) context[query + j] += weight * values[k * d + h * size + j];
        }
      }
    }
  }
  return context;
}

/** The end of a block: LN(h + input), or with an adapter what adapter.ts says. */
function closeBlock(
  { config, weights, adapters }: BertModel,
  layer: number,
  place: AdapterPlace,
  h: Float64Array,
  input: Float64Array,
  spans: readonly Span[],
): Float64Array {
  const { hidden: d } = config;
  const block = `encoder.layer.${layer}.${place === 'attention' ? 'attention.output' : 'output'}`;
  const norm = readNorm(weights, `${block}.LayerNorm`, config);
  const sum = h.map((value, i) => value + input[i]);
  const plain = normalized(sum, norm);
  for (const [index, adapter] of adapters.entries()) {
    const mine = spans.filter(({ task }) => task === index + 1);
    if (mine.length === 0) continue;
    const found = adapter.bottleneck(layer, place)?.read();
    if (found === undefined) continue;
    const source = sourceOf(adapter, plain, h, input);
    for (const span of mine) {
      const rows = rowsOf(source, span, d);
      const down = activated(
        withBias(product(rows, found.down, rows.length / d), found.downBias),
        adapter.activation,
      );
      const up = withBias(product(down, found.up, rows.length / d), found.upBias);
      const through = up.map((value, i) => value + sum[span.first * d + i]);
      plain.set(normalized(through, norm), span.first * d);
    }
  }
  return plain;
}

function sourceOf(adapter: Adapter, plain: Float64Array, h: Float64Array, input: Float64Array): Float64Array {
  switch (adapter.source) {
    case 'normalized':
      return plain;
    case 'raw':
      return h;
    case 'input':
      return input;
  }
}

function headOutput({ config, weights }: BertModel, head: Head, states: Float64Array): Float64Array {
  const { hidden: d } = config;
  const n = states.length / d;
  switch (head.kind) {
    case 'hidden':
      return states;
    case 'logits':
      return withBias(product(states, weights.read('classifier.weight'), n), weights.read('classifier.bias'));
    case 'vector': {
      const vector = pooled(states, d, head.pooling);
      if (!head.normalize) return vector;
      const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
      return vector.map((value) => value / Math.max(length, 1e-12));
    }
  }
}

function pooled(states: Float64Array, d: number, pooling: Pooling): Float64Array {
  const n = states.length / d;
  const vector = states.slice(0, d);
  if (pooling === 'cls') return vector;
  for (let t = 1; t < n; t++) {
    for (let j = 0; j < d; j++) {
      const value = states[t * d + j];
      vector[j] = pooling === 'max' ? Math.max(vector[j], value) : vector[j] + value;
    }
  }
  return pooling === 'max' ? vector : vector.map((value) => value / n);
}

// Operators ------------------------------------------------------------------------------------

interface Norm {
  scale: Float32Array;
  shift: Float32Array;
  epsilon: number;
}

const readNorm = (weights: BertModel['weights'], name: string, { epsilon }: BertConfig): Norm => ({
  scale: weights.read(`${name}.weight`),
  shift: weights.read(`${name}.bias`),
  epsilon,
});

function normalized(x: Float64Array, { scale, shift, epsilon }: Norm): Float64Array {
  const d = scale.length;
  const y = new Float64Array(x.length);
  for (let row = 0; row < x.length; row += d) {
    let mean = 0;
    for (let j = 0; j < d; j++) mean += x[row + j];
    mean /= d;
    let variance = 0;
    for (let j = 0; j < d; j++) variance += (x[row + j] - mean) ** 2;
    const deviation = Math.sqrt(variance / d + epsilon);
    for (let j = 0; j < d; j++) y[row + j] = ((x[row + j] - mean) / deviation) * scale[j] + shift[j];
  }
  return y;
}

function withBias(x: Float64Array, bias: Float32Array): Float64Array {
  for (let row = 0; row < x.length; row += bias.length) {
    for (let j = 0; j < bias.length; j++) x[row + j] += bias[j];
  }
  return x;
}

function activated(x: Float64Array, activation: Activation): Float64Array {
  return x.map(functionOf(activation));
}

function functionOf(activation: Activation): (x: number) => number {
  switch (activation) {
    case 'gelu':
      return (x) => 0.5 * x * (1 + errorFunction(x * Math.SQRT1_2));
    case 'gelu_tanh':
      return (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    case 'quick_gelu':
      return (x) => x / (1 + Math.exp(-1.702 * x));
    case 'relu':
      return (x) => Math.max(x, 0);
    case 'silu':
      return (x) => x / (1 + Math.exp(-x));
    case 'tanh':
      return Math.tanh;
  }
}

/**
 * erf(x) = 2/√π · exp(-x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1)), whose terms are all of one sign; to full double
 * precision. Source: Abramowitz and Stegun 7.1.6.
 */
export function errorFunction(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** Rows and columns of the result that one pass of the innermost loop computes: sixteen sums in registers. */
const tile = 4;

/**
 * X Wᵀ, in blocks.
 *
 * @param x Float64Array [n × k].
 * @param w Float32Array [m × k], as PyTorch keeps linear maps.
 * @returns Float64Array [n × m].
 */
function product(x: Float64Array, w: Float32Array, n: number): Float64Array {
  const k = x.length / n;
  const m = w.length / k;
  const y = new Float64Array(n * m);
  const wholeRows = n - (n % tile);
  const wholeColumns = m - (m % tile);
  const columns = new Float64Array(tile * k);
  for (let o = 0; o < wholeColumns; o += tile) {
    columns.set(w.subarray(o * k, (o + tile) * k));
    for (let t = 0; t < wholeRows; t += tile) multiplyTile(x, columns, k, t, y, t * m + o, m);
  }
  // What the tiles leave over: the last rows, and the last columns of the rows above them.
  for (let t = 0; t < n; t++) {
    for (let o = t < wholeRows ? wholeColumns : 0; o < m; o++) {
      let sum = 0;
      for (let i = 0; i < k; i++) sum += x[t * k + i] * w[o * k + i];
      y[t * m + o] = sum;
    }
  }
  return y;
}

/** Sixteen dot products at once: rows t to t + 3 of x by four columns [4 × k], to y from `at` on. */
function multiplyTile(
  x: Float64Array,
  columns: Float64Array,
  k: number,
  t: number,
  y: Float64Array,
  at: number,
  m: number,
): void {
  let [s00, s01, s02, s03, s10, s11, s12, s13] = [0, 0, 0, 0, 0, 0, 0, 0];
  let [s20, s21, s22, s23, s30, s31, s32, s33] = [0, 0, 0, 0, 0, 0, 0, 0];
  const row0 = t * k;
  const [row1, row2, row3] = [row0 + k, row0 + 2 * k, row0 + 3 * k];
  for (let i = 0; i < k; i++) {
    const x0 = x[row0 + i];
    const x1 = x[row1 + i];
    const x2 = x[row2 + i];
    const x3 = x[row3 + i];
    const w0 = columns[i];
    const w1 = columns[k + i];
    const w2 = columns[2 * k + i];
    const w3 = columns[3 * k + i];
    s00 += x0 * w0;
    s01 += x0 * w1;
    s02 += x0 * w2;
    s03 += x0 * w3;
    s10 += x1 * w0;
    s11 += x1 * w1;
    s12 += x1 * w2;
    s13 += x1 * w3;
    s20 += x2 * w0;
    s21 += x2 * w1;
    s22 += x2 * w2;
    s23 += x2 * w3;
    s30 += x3 * w0;
    s31 += x3 * w1;
    s32 += x3 * w2;
    s33 += x3 * w3;
  }
  y.set([s00, s01, s02, s03], at);
  y.set([s10, s11, s12, s13], at + m);
  y.set([s20, s21, s22, s23], at + 2 * m);
  y.set([s30, s31, s32, s33], at + 3 * m);
}
