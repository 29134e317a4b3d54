import { describe, expect, it } from 'vitest';
import { parseBertConfig } from '../../pipeline/checkpoint/bert-config.ts';
import { tinySettings } from './small-models.ts';

const parse = (change: Readonly<Record<string, unknown>>) =>
  parseBertConfig({ ...tinySettings, ...change }, 'config.json');

describe('parseBertConfig', () => {
  it('reads the sizes of BERT', () => {
    expect(parse({ hidden_act: 'gelu_new', layer_norm_eps: 1e-5 })).toEqual({
      modelType: 'bert',
      task: 'document-embedding',
      architecture: 'BertModel',
      vocabulary: 12,
      positions: 8,
      tokenTypes: 2,
      hidden: 8,
      heads: 2,
      layers: 2,
      intermediate: 12,
      activation: 'gelu_tanh',
      epsilon: 1e-5,
      labels: [],
    });
  });

  it('takes what an old file leaves out from the architecture, and from the defaults of its time', () => {
    const old = parseBertConfig(
      { architectures: ['BertForTokenClassification'], vocab_size: 31116, id2label: { 0: 'O', 1: 'B-DNA' } },
      'config.json',
    );
    expect(old).toMatchObject({
      modelType: 'bert',
      task: 'token-classification',
      hidden: 768,
      layers: 12,
      heads: 12,
      intermediate: 3072,
      positions: 512,
      tokenTypes: 2,
      activation: 'gelu',
      epsilon: 1e-12,
      labels: ['O', 'B-DNA'],
    });
    expect(parseBertConfig({ vocab_size: 9, num_hidden_layers: 1 }, '').modelType).toBe('bert');
    expect(parseBertConfig({ vocab_size: 9, n_layers: 1 }, '').modelType).toBe('distilbert');
  });

  it('numbers labels where none are named, as transformers does', () => {
    const tagger = { architectures: ['BertForTokenClassification'] };
    expect(parse(tagger).labels).toEqual(['LABEL_0', 'LABEL_1']);
    expect(parse({ ...tagger, num_labels: 3 }).labels).toEqual(['LABEL_0', 'LABEL_1', 'LABEL_2']);
  });

  it.each([
    [{ model_type: 'roberta' }, /model_type roberta is not supported.*tokenizer.*Supported: BERT and Distil/],
    [{ model_type: 'llama' }, /model_type "llama" is not supported/],
    [{ model_type: 7 }, /model_type 7/],
    [{ architectures: ['BertForQuestionAnswering'] }, /BertForQuestionAnswering is not supported.*BertModel/],
    [{ model_type: undefined, architectures: ['XLNetModel'] }, /expected model_type, found none.*XLNetModel/],
    [{ position_embedding_type: 'relative_key' }, /position_embedding_type "relative_key".*only "absolute"/],
    [{ hidden_act: 'mish' }, /hidden_act "mish" is not supported. Supported: gelu/],
    [{ hidden_act: 'toString' }, /hidden_act "toString" is not supported/],
    [{ is_decoder: true }, /is_decoder true/],
    [{ quantization_config: { bits: 4 } }, /quantization_config/],
    [{ pruned_heads: { 0: [1] } }, /pruned_heads/],
    [{ num_attention_heads: 3 }, /multiple of the number of attention heads, got 8 and 3/],
    [{ hidden_size: 0 }, /hidden_size/],
    [{ num_hidden_layers: 1e9 }, /num_hidden_layers/],
    [{ vocab_size: undefined }, /vocab_size/],
    [{ layer_norm_eps: 'small' }, /layer_norm_eps/],
    [{ architectures: 'BertModel' }, /architectures to be a list/],
    [{ architectures: ['BertForTokenClassification'], id2label: { 0: 'O', 2: 'B' } }, /none for 1/],
    [{ architectures: ['BertForTokenClassification'], id2label: {} }, /at least one label/],
  ])('refuses %j', (change, message) => {
    expect(() => parse(change)).toThrow(message);
  });

  it('refuses what is no object', () => {
    for (const value of [null, [], 'bert', 3]) {
      expect(() => parseBertConfig(value, 'config.json')).toThrow(/JSON object/);
    }
  });
});
