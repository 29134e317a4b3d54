/** Tells from its first bytes what a file is, and says of files that are no weights what they are instead. */

import { type ByteSource, fault, quoted } from './byte-source.ts';

export type FileKind = 'safetensors' | 'zip' | 'pickle';

/** As far in as any format's mark stands: tar's, at byte 257. */
const headBytes = 512;

/** Other files that are found under a weights file's name: how they start, and what to say of them. */
const strangers: [starts: string | RegExp, message: string][] = [
  [
    'version https://git-lfs',
    'this is a Git LFS pointer, which only says where the weights are. Run "git lfs pull" in its folder, or download the file itself.',
  ],
  [
    /^\s*<(!doctype|html|\?xml|head|body)/i,
    'this is a web page, probably an error page that was saved in place of the weights. Fetch it again.',
  ],
  [
    '\x89HDF\r\n\x1a\n',
    'this is HDF5, as TensorFlow and Keras write weights. Expected PyTorch weights or safetensors.',
  ],
  ['GGUF', 'this is GGUF, as llama.cpp uses it. Expected PyTorch weights or safetensors.'],
  [
    /^[\s\S]{257}ustar/,
    'this is a tar archive, as the first versions of PyTorch wrote. Load it with PyTorch and save it again.',
  ],
  ['\x1f\x8b', 'this is compressed with gzip. Unpack it first.'],
  ['PK\x05\x06', 'this is a zip archive without files.'],
];

/**
 * @throws UserError when the file is none of the formats that hold weights.
 */
export function fileKindOf(source: ByteSource): FileKind {
  if (source.bytes === 0) throw fault(source, 'the file is empty. Fetch it again.');
  const bytes = new Uint8Array(Math.min(headBytes, source.bytes));
  source.read(bytes, 0);
  const head = Buffer.from(bytes).toString('latin1');
  // First: the length may begin with any byte, another format's mark among them (a header of 3,712 bytes with
  // a pickle's), but its upper half is zero and no other format has a brace behind it.
  if (head.slice(4, 9) === '\0\0\0\0{') return 'safetensors';
  if (head.startsWith('PK\x03\x04')) return 'zip';
  if (head.startsWith('\x80')) return 'pickle';
  for (const [starts, message] of strangers) {
    if (typeof starts === 'string' ? head.startsWith(starts) : starts.test(head)) {
      throw fault(source, message);
    }
  }
  // A length beyond all sense, then the header's brace; its reader says what is wrong with it.
  if (/^[\s\S]{8}\{/.test(head)) return 'safetensors';
  throw fault(
    source,
    `expected safetensors or a PyTorch file, found a file of ${source.bytes} bytes that starts with ${quoted(head.slice(0, 16))}.`,
  );
}
