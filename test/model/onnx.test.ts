import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../pipeline/model/onnx.ts';

function graphWith(store: (graph: GraphBuilder) => string): GraphBuilder {
  const graph = new GraphBuilder('sum');
  const x = graph.input('x', 'float32', ['n', 2]);
  graph.output(graph.node('Add', [x, store(graph)]), 'float32', ['n', 2], 'y');
  return graph;
}

describe('GraphBuilder', () => {
  it('writes a deferred tensor as it writes one that is given', () => {
    const data = Float32Array.of(1.5, -2);
    const given = graphWith((graph) => graph.initializer({ dims: [2], data }, 'w')).encode();
    const deferred = graphWith((graph) =>
      graph.deferred({ dims: [2], type: 'float32', read: () => data }, 'w'),
    );
    expect(Buffer.from(deferred.encode()).equals(Buffer.from(given))).toBe(true);
  });

  it('reads a deferred tensor only when the file is written', () => {
    let reads = 0;
    const read = (): Float32Array => {
      reads++;
      return Float32Array.of(1, 2);
    };
    const model = graphWith((graph) => graph.deferred({ dims: [2], type: 'float32', read })).finish();
    expect(reads).toBe(0);
    let bytes = 0;
    model.write((piece) => {
      bytes += piece.length;
    });
    expect(reads).toBe(1);
    expect(bytes).toBe(model.byteLength);
  });

  it('refuses a deferred tensor of another size or type than was promised', () => {
    const promised = { dims: [2], type: 'float32' } as const;
    for (const data of [Float32Array.of(1), Int32Array.of(1, 2)]) {
      const graph = graphWith((builder) => builder.deferred({ ...promised, read: () => data }));
      expect(() => graph.encode()).toThrow(/needs 8 bytes of float32/);
    }
  });

  it('stores equal constants once', () => {
    const graph = new GraphBuilder('constants');
    expect(graph.scalar(1)).toBe(graph.scalar(1));
    expect(graph.scalar(1)).not.toBe(graph.byte(1));
    expect(graph.int64([1])).toBe(graph.int64([1]));
    expect(graph.int64([1])).not.toBe(graph.int64(1));
  });
});
