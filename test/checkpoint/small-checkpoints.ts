/** Writes small checkpoints piece by piece, right ones and wrong ones. */

const { concat } = Buffer;

export function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function uint64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

export function floats(...values: number[]): Buffer {
  return Buffer.from(Float32Array.from(values).buffer);
}

// Safetensors ----------------------------------------------------------------------------------

/** @param header An object, or the header's very text. */
export function safetensors(header: object | string, data: Buffer = Buffer.alloc(0)): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  return concat([uint64(text.length), text, data]);
}

// Pickles --------------------------------------------------------------------------------------

/** The instructions that tests write, each as its bytes. */
export const op = {
  protocol: (version: number) => Buffer.of(0x80, version),
  stop: Buffer.from('.'),
  none: Buffer.from('N'),
  true: Buffer.of(0x88),
  false: Buffer.of(0x89),
  mark: Buffer.from('('),
  tuple: Buffer.from('t'),
  emptyTuple: Buffer.from(')'),
  emptyList: Buffer.from(']'),
  append: Buffer.from('a'),
  appends: Buffer.from('e'),
  emptyDict: Buffer.from('}'),
  setItem: Buffer.from('s'),
  setItems: Buffer.from('u'),
  reduce: Buffer.from('R'),
  build: Buffer.from('b'),
  persistentId: Buffer.from('Q'),
  stackGlobal: Buffer.of(0x93),
  memoize: Buffer.of(0x94),
  put: (index: number) => concat([Buffer.from('r'), uint32(index)]),
  get: (index: number) => concat([Buffer.from('j'), uint32(index)]),
  global: (module: string, name: string) => Buffer.from(`c${module}\n${name}\n`),
  text: (text: string) => concat([Buffer.from('X'), uint32(Buffer.byteLength(text)), Buffer.from(text)]),
  /** Any whole number, as LONG1 of nine bytes. */
  integer: (value: number | bigint) => {
    const bytes = Buffer.alloc(11);
    bytes[0] = 0x8a;
    bytes[1] = 9;
    bytes.writeBigInt64LE(BigInt(value), 2);
    bytes[10] = value < 0 ? 255 : 0;
    return bytes;
  },
};

/** A pickle of protocol 2. */
export function pickle(...instructions: Buffer[]): Buffer {
  return concat([op.protocol(2), ...instructions, op.stop]);
}

export function tuple(...items: Buffer[]): Buffer {
  return concat([op.mark, ...items, op.tuple]);
}

export function dictionary(entries: Record<string, Buffer>): Buffer {
  const items = Object.entries(entries).flatMap(([key, value]) => [op.text(key), value]);
  return concat([op.emptyDict, op.mark, ...items, op.setItems]);
}

export interface TensorPickle {
  type?: string;
  key?: string;
  /** Elements of the storage. */
  length: number | bigint;
  offset?: number;
  dims: (number | bigint)[];
  strides: (number | bigint)[];
  /** In the stream, what part of the storage is meant. */
  view?: Buffer;
}

/** A tensor as torch.save pickles it. */
export function tensor(options: TensorPickle): Buffer {
  const { type = 'FloatStorage', key = '0', length, offset = 0, dims, strides, view } = options;
  return concat([
    op.global('torch._utils', '_rebuild_tensor_v2'),
    tuple(
      concat([
        tuple(
          op.text('storage'),
          op.global('torch', type),
          op.text(key),
          op.text('cpu'),
          op.integer(length),
          ...(view === undefined ? [] : [view]),
        ),
        op.persistentId,
      ]),
      op.integer(offset),
      tuple(...dims.map(op.integer)),
      tuple(...strides.map(op.integer)),
      op.false,
      concat([op.global('collections', 'OrderedDict'), op.emptyTuple, op.reduce]),
    ),
    op.reduce,
  ]);
}

// Zip archives ---------------------------------------------------------------------------------

export interface ZipFile {
  name: string;
  bytes: Buffer;
  /** What the directory says instead of the truth. */
  claims?: {
    method?: number;
    flags?: number;
    size?: number;
    stored?: number;
    header?: number;
    extra?: Buffer;
  };
}

export interface ZipEnd {
  count?: number;
  bytes?: number;
  position?: number;
  disk?: number;
  comment?: Buffer;
}

/** Without CRC-32 sums. @param end What the end record says instead of the truth. */
export function zip(files: readonly ZipFile[], end: ZipEnd = {}): Buffer {
  const parts: Buffer[] = [];
  const entries: Buffer[] = [];
  let at = 0;
  for (const { name, bytes, claims = {} } of files) {
    const path = Buffer.from(name);
    const { method = 0, flags = 0, size = bytes.length, stored = size, header = at } = claims;
    const { extra = Buffer.alloc(0) } = claims;
    const common = [uint16(flags), uint16(method), uint32(0), uint32(0), uint32(stored), uint32(size)];
    const local = [uint32(0x04034b50), uint16(20), ...common, uint16(path.length), uint16(0), path, bytes];
    parts.push(...local);
    entries.push(uint32(0x02014b50), uint16(20), uint16(20), ...common, uint16(path.length));
    entries.push(
      uint16(extra.length),
      uint16(0),
      uint16(0),
      uint16(0),
      uint32(0),
      uint32(header),
      path,
      extra,
    );
    at += concat(local).length;
  }
  const directory = concat(entries);
  const { count = files.length, bytes = directory.length, position = at, disk = 0 } = end;
  const { comment = Buffer.alloc(0) } = end;
  const last = [uint32(0x06054b50), uint16(disk), uint16(0), uint16(count), uint16(count)];
  last.push(uint32(bytes), uint32(position), uint16(comment.length), comment);
  return concat([...parts, directory, ...last]);
}

/** A PyTorch archive. @param storages By key. */
export function torchArchive(
  content: Buffer,
  storages: Record<string, Buffer> = {},
  more: ZipFile[] = [],
): Buffer {
  return zip([
    { name: 'archive/data.pkl', bytes: content },
    ...Object.entries(storages).map(([key, bytes]) => ({ name: `archive/data/${key}`, bytes })),
    ...more,
  ]);
}

// Streams --------------------------------------------------------------------------------------

export const magic = pickle(Buffer.from('8a0a6cfc9c46f9206aa85019', 'hex'));
export const streamVersion = pickle(op.integer(1001));
export const littleEndian = pickle(dictionary({ little_endian: op.true }));

/** A stream of PyTorch before 1.6. @param storages By key, each with its count before it. */
export function torchStream(
  content: Buffer,
  storages: Record<string, [count: number | bigint, data: Buffer]>,
): Buffer {
  const keys = pickle(op.emptyList, op.mark, ...Object.keys(storages).map(op.text), op.appends);
  const data = Object.values(storages).flatMap(([count, bytes]) => [uint64(count), bytes]);
  return concat([magic, streamVersion, littleEndian, content, keys, ...data]);
}
