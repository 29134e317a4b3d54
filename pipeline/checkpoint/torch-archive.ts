/**
 * PyTorch's files since version 1.6: a zip archive with one folder, in it data.pkl (the pickle) and
 * data/KEY (one storage each, as it is).
 *
 * Source: torch/serialization.py (_save, _load) and caffe2/serialize/inline_container.h of PyTorch 2.x.
 */

import { type ByteSource, Cursor, fault, quoted } from './byte-source.ts';
import { bytesPerElement } from './float-formats.ts';
import { readPickle } from './pickle.ts';
import { placeStateDict } from './state-dict.ts';
import type { StoredTensors } from './stored-tensor.ts';
import { type TorchStorage, torchHost } from './torch-objects.ts';
import { readZipDirectory, type ZipEntry } from './zip-directory.ts';

/** Longest pickle that is read; BERT-base's has 20 kB. */
const maxPickleBytes = 2 ** 25;

/** Longest byteorder file; it says little or big. */
const maxByteOrderBytes = 16;

/**
 * Finds the tensors of a PyTorch zip archive.
 *
 * The archive's CRC-32 sums are not looked at: PyTorch can write files without valid ones.
 *
 * @throws UserError when the archive is damaged, is none of PyTorch's, or is TorchScript, or the pickle asks for
 *   more than tensors.
 */
export function readTorchArchive(source: ByteSource): StoredTensors {
  const files = readZipDirectory(source);
  const folder = findFolder(source, files);
  const pickle = files.get(`${folder}data.pkl`);
  if (pickle === undefined) throw new Error(`${source.path}: data.pkl is gone.`);
  if (
    files.has(`${folder}constants.pkl`) ||
    [...files.keys()].some((name) => name.startsWith(`${folder}code/`))
  ) {
    throw fault(
      source,
      'the archive is a TorchScript program, not weights. Save the weights by themselves, with torch.save(model.state_dict(), …).',
    );
  }
  refuseCompressed(source, files);
  checkByteOrder(source, files.get(`${folder}byteorder`));

  if (pickle.bytes > maxPickleBytes) {
    throw fault(source, `expected data.pkl to have at most ${maxPickleBytes} bytes, found ${pickle.bytes}.`);
  }
  const { host, storages } = torchHost();
  const root = readPickle(
    new Cursor(source, pickle.position, pickle.position + pickle.bytes, 'data.pkl'),
    host,
  );
  const positions = new Map<string, number>();
  for (const storage of storages.values()) {
    positions.set(storage.key, storagePosition(source, storage, files.get(`${folder}data/${storage.key}`)));
  }
  const tensors = placeStateDict(source, root, positions);
  return { format: 'PyTorch archive', tensors };
}

/** The archive's folder with its slash. Its name is the file's at the time of saving, or "archive". */
function findFolder(source: ByteSource, files: ReadonlyMap<string, ZipEntry>): string {
  const folders = [...files.keys()].flatMap((name) => {
    const [folder, file, ...rest] = name.split('/');
    return file === 'data.pkl' && rest.length === 0 ? [`${folder}/`] : [];
  });
  if (folders.length === 1) return folders[0];
  const found = folders.length === 0 ? [...files.keys()].slice(0, 5) : folders;
  throw fault(
    source,
    `expected a PyTorch archive, with one FOLDER/data.pkl, found a zip archive with ${found.length === 0 ? 'nothing' : found.map(quoted).join(', ')}.`,
  );
}

/** PyTorch never compresses; whoever does may want a small file to grow large. */
function refuseCompressed(source: ByteSource, files: ReadonlyMap<string, ZipEntry>): void {
  for (const [name, { compressed }] of files) {
    if (!compressed) continue;
    throw fault(
      source,
      `the file ${quoted(name)} in the archive is compressed; PyTorch stores weights as they are. Save them again with torch.save.`,
    );
  }
}

/** Archives from before PyTorch 2.1 do not say; they are little-endian. */
function checkByteOrder(source: ByteSource, entry: ZipEntry | undefined): void {
  if (entry === undefined) return;
  const bytes = new Uint8Array(Math.min(entry.bytes, maxByteOrderBytes));
  source.read(bytes, entry.position);
  const order = Buffer.from(bytes).toString('latin1');
  if (order !== 'little') {
    throw fault(source, `expected little-endian numbers, the archive's byteorder says ${quoted(order)}.`);
  }
}

function storagePosition(source: ByteSource, storage: TorchStorage, entry: ZipEntry | undefined): number {
  const { key, type, length } = storage;
  if (entry === undefined) throw fault(source, `the archive has no file data/${key} for its storage.`);
  if (entry.bytes !== length * bytesPerElement[type]) {
    throw fault(
      source,
      `expected ${length} × ${type} in data/${key}, ${length * bytesPerElement[type]} bytes, found ${entry.bytes}.`,
    );
  }
  return entry.position;
}
