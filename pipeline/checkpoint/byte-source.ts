/**
 * Bytes of a file at any position, and a cursor over a stretch of them. Nothing is read or allocated
 * before the wish has been held against what the file really has.
 */

import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { UserError } from '../errors.ts';

/** A file open for reading. */
export interface ByteSource {
  /** For messages. */
  readonly path: string;
  readonly bytes: number;
  /**
   * Fills the target with the bytes from a position on.
   *
   * @throws UserError when the file ends before.
   */
  read(target: Uint8Array, position: number): void;
  close(): void;
}

/** One system call reads less than 2 GiB; this is well below. */
const bytesPerCall = 2 ** 30;

/**
 * Opens a regular file.
 *
 * @throws UserError when there is none, or it cannot be read.
 */
export function openByteSource(path: string): ByteSource {
  let file: number;
  try {
    // Looked at before it is opened: opening a named pipe would wait for a writer.
    const status = statSync(path);
    if (!status.isFile()) {
      const found = status.isDirectory() ? 'a folder' : 'a pipe or a device';
      throw new UserError(`${path}: expected a file of weights, found ${found}.`);
    }
    file = openSync(path, 'r');
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`${path}: expected a readable file of weights: ${reason}.`, { cause });
  }
  const { size } = fstatSync(file);
  return {
    path,
    bytes: size,
    read: (target, position) => {
      for (let done = 0; done < target.length; ) {
        const wanted = Math.min(bytesPerCall, target.length - done);
        const got = readSync(file, target, done, wanted, position + done);
        if (got === 0) {
          throw new UserError(
            `${path}: expected ${target.length} bytes from byte ${position} on, the file ends after ${done} of them. Fetch it again.`,
          );
        }
        done += got;
      }
    },
    close: () => closeSync(file),
  };
}

/** A complaint about a file's content. */
export function fault(source: ByteSource, message: string): UserError {
  return new UserError(`${source.path}: ${message}`);
}

/** For messages: in quotes, control characters escaped, cut off where it gets long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}

/** Bytes that a cursor reads ahead. */
const windowBytes = 65536;

/** Reads forwards through bytes [start, end) of a source, a window at a time. */
export class Cursor {
  readonly source: ByteSource;
  /** Of the next byte, from the start of the file. */
  position: number;
  readonly #end: number;
  /** What is being read, for messages: "the pickle". */
  readonly #what: string;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;

  /** @param end At most the source's size. */
  constructor(source: ByteSource, start: number, end: number, what: string) {
    this.source = source;
    this.position = start;
    this.#end = end;
    this.#what = what;
  }

  /** Bytes left. */
  get left(): number {
    return this.#end - this.position;
  }

  /** A complaint that says where. */
  fault(message: string): UserError {
    return fault(this.source, `${message} (${this.#what}, byte ${this.position} of the file).`);
  }

  byte(): number {
    this.#reach(1);
    return this.#window[this.position++ - this.#windowStart];
  }

  /** The next bytes; a view that holds until the next call. */
  take(count: number): Uint8Array {
    this.#reach(count);
    const at = this.position - this.#windowStart;
    this.position += count;
    return this.#window.subarray(at, at + count);
  }

  uint16(): number {
    return this.byte() + 256 * this.byte();
  }

  uint32(): number {
    return this.uint16() + 65536 * this.uint16();
  }

  /** @throws UserError above 2^53 − 1, where no size of ours can be. */
  uint64(): number {
    const low = this.uint32();
    const value = low + 4294967296 * this.uint32();
    if (!Number.isSafeInteger(value)) throw this.fault(`expected a size below 2^53, found ${value}`);
    return value;
  }

  /** Makes the window hold the next `count` bytes. */
  #reach(count: number): void {
    if (count > this.left) {
      throw this.fault(
        `expected ${count} more bytes, found ${this.left}; it is cut off, damaged, or longer than what is read`,
      );
    }
    if (this.position + count <= this.#windowStart + this.#window.length) return;
    this.#window = new Uint8Array(Math.min(Math.max(windowBytes, count), this.left));
    this.#windowStart = this.position;
    this.source.read(this.#window, this.position);
  }
}
