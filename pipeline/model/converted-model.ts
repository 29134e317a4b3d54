/** What a conversion adds to a Hugging Face config.json, under `scinertopic`: how the graph beside it is fed. */

import * as z from 'zod';
import { UserError } from '../errors.ts';
import type { Device } from './session.ts';

const conversionSchema = z.looseObject({
  /** Weights in the graph. */
  precision: z.enum(['int8', 'fp32']),
  /** The model's window: longest sequence, [CLS] and [SEP] included. */
  max_tokens: z.int().min(3),
  /** Which of the last layer's rows make a document's vector; encoders only. */
  pooling: z.enum(['cls', 'mean', 'max']).optional(),
  /** Whether the graph scales vectors to length 1. */
  normalize: z.boolean().optional(),
  /** Adapters in the graph; input `task` is 1 for the first, 0 for the bare base. */
  tasks: z.array(z.string().min(1)).optional(),
  /** Put before every document, such as E5's "passage: ". */
  prefix: z.string().optional(),
  /**
   * How title and abstract become one text. separator: `title [SEP] abstract`, as the SPECTER family and BERT
   * itself were trained, and the default. text: `title abstract`, as benchmarks feed sentence-transformers models.
   */
  join: z.enum(['separator', 'text']).optional(),
});

export type Conversion = z.infer<typeof conversionSchema>;

/**
 * Int8 products exist for processors only; on a graphics card onnxruntime would quietly compute them elsewhere.
 *
 * @throws UserError when the model's weights do not suit the device.
 */
export function checkPrecision({ precision }: Conversion, device: Device, folder: string): void {
  if (precision === 'fp32' || device === 'cpu') return;
  throw new UserError(
    `Expected float32 weights to run on ${device}, got ${precision} in ${folder}. Convert the model with --precision fp32, or set precision: fp32 for one from the hub.`,
  );
}

/** Names in model.onnx. */
export const idsInput = 'input_ids';
export const taskInput = 'task';
export const vectorOutput = 'vector';
export const logitsOutput = 'logits';

/** Whether a config.json is that of a converted model. */
export function isConverted(config: unknown): boolean {
  return typeof config === 'object' && config !== null && 'scinertopic' in config;
}

/**
 * @param config Content of config.json.
 * @param path Named in errors.
 * @throws UserError when the model was not converted, or by a version that said other things.
 */
export function readConversion(config: unknown, path: string): Conversion {
  const parsed = z.looseObject({ scinertopic: conversionSchema }).safeParse(config);
  if (!parsed.success) {
    throw new UserError(`${path}: ${z.prettifyError(parsed.error)}\nConvert the model again.`);
  }
  return parsed.data.scinertopic;
}
