import { expect, it } from 'vitest';
import { UserError } from '../../pipeline/errors.ts';
import { float, GraphBuilder, readModel } from '../../pipeline/model/onnx.ts';
import { openSession } from '../../pipeline/model/session.ts';

function affine(): Uint8Array {
  const graph = new GraphBuilder('affine');
  const x = graph.input('x', 'float32', ['n', 2]);
  const w = graph.initializer({ dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) }, 'w');
  const b = graph.initializer({ dims: [2], data: Float32Array.of(10, 20) }, 'b');
  const y = graph.node('Gemm', [x, w, b], { alpha: float(0.5), transB: 1 });
  graph.output(y, 'float32', ['n', 2], 'y');
  graph.metadata('made_by', 'hand');
  return graph.encode();
}

it('runs a graph that the builder wrote, for any number of rows', async () => {
  const session = await openSession(affine());
  expect(session.inputs).toEqual(['x']);
  expect(session.outputs).toEqual(['y']);
  const { y } = await session.run({ x: { dims: [3, 2], data: Float32Array.of(1, 0, 0, 1, 2, 2) } });
  expect(y.dims).toEqual([3, 2]);
  expect([...y.data]).toEqual([10.5, 21.5, 11, 22, 13, 27]);
  const none = await session.run({ x: { dims: [0, 2], data: new Float32Array(0) } });
  expect(none.y.dims).toEqual([0, 2]);
  await session.close();
  await expect(session.run({})).rejects.toThrow('after close');
});

it('refuses unknown, missing and mistyped feeds by name', async () => {
  const session = await openSession(affine());
  const x = { dims: [1, 2], data: Float32Array.of(1, 1) };
  await expect(session.run({ x, z: x })).rejects.toThrow('"z" is no input');
  await expect(session.run({})).rejects.toThrow('"x" is missing');
  await expect(session.run({ x: { dims: [1, 2], data: Float64Array.of(1, 1) } })).rejects.toThrow(
    'as float32, got float64',
  );
  await expect(session.run({ x: { dims: [1, 3], data: Float32Array.of(1, 1, 1) } })).rejects.toThrow(
    'x [1,3]',
  );
  await expect(session.run({ x }, ['w'])).rejects.toThrow('"w" is no output');
  await session.close();
});

it('tells the user about absent and broken model files', async () => {
  await expect(openSession('/nowhere/model.onnx')).rejects.toThrow(UserError);
  await expect(openSession(new Uint8Array([1, 2, 3]))).rejects.toThrow(UserError);
});

it('reads back what was written', () => {
  const content = readModel(affine());
  expect(content.inputs).toEqual(['x']);
  expect(content.outputs).toEqual(['y']);
  expect(content.operators).toEqual(['Gemm', 'Identity']);
  expect(content.metadata).toEqual(new Map([['made_by', 'hand']]));
  expect(content.initializers.get('w')).toEqual({ dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) });
  expect(() => readModel(affine().subarray(0, 60))).toThrow('ends inside');
});

it('keeps every element type and negative whole numbers', () => {
  const graph = new GraphBuilder('types');
  const tensors = {
    a: { dims: [2], data: Float64Array.of(0.1, -0) },
    b: { dims: [1, 2], data: Int8Array.of(-128, 127) },
    c: { dims: [], data: Int32Array.of(-7) },
    d: { dims: [2], data: BigInt64Array.of(-1n, 1n << 40n) },
    e: { dims: [0], data: new Uint8Array(0) },
  };
  for (const [name, tensor] of Object.entries(tensors)) graph.initializer(tensor, name);
  const axes = graph.int64([-1, 300]);
  expect(graph.int64([-1, 300])).toBe(axes);
  const { initializers } = readModel(graph.encode());
  for (const [name, tensor] of Object.entries(tensors)) expect(initializers.get(name)).toEqual(tensor);
  expect(initializers.get(axes)?.data).toEqual(BigInt64Array.of(-1n, 300n));
});

it('refuses a graph that reads what nothing makes, or names a value twice', () => {
  const graph = new GraphBuilder('wrong');
  expect(() => graph.node('Relu', ['x'])).toThrow('reads "x"');
  graph.input('x', 'float32', ['n']);
  expect(() => graph.input('x', 'float32', ['n'])).toThrow('twice');
  expect(() => graph.node('LeakyRelu', ['x'], { alpha: 0.1 })).toThrow('float(0.1)');
});
