/** What passes in and out of ONNX graphs: flat data with its dimensions; the element type follows the array. */

export type TensorData = Float32Array | Float64Array | Int8Array | Uint8Array | Int32Array | BigInt64Array;

export interface TensorValue {
  dims: readonly number[];
  /** Row-major; as many elements as the product of dims. */
  data: TensorData;
}

export type ElementType = 'float32' | 'float64' | 'int8' | 'uint8' | 'int32' | 'int64';

/** The ONNX element type that an array stands for. */
export function elementTypeOf(data: TensorData): ElementType {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  if (data instanceof Int8Array) return 'int8';
  if (data instanceof Uint8Array) return 'uint8';
  if (data instanceof Int32Array) return 'int32';
  return 'int64';
}

/** Number of elements that dims ask for; 1 for a scalar. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}
