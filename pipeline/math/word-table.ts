/**
 * Words of texts as whole numbers: runs of two or more letters, digits and underscores, in lower case, as
 * scikit-learn's CountVectorizer cuts them (`(?u)\b\w\w+\b`).
 */

export interface WordTable {
  /** Calls back for each word of a text, in order, with its number; numbers are given in order of first use. */
  read(text: string, onWord: (word: number) => void): void;
  size(): number;
  textOf(word: number): string;
}

const OTHER = 0;
const LETTER = 1;
/** Half of a character beyond 16 bits. */
const HALF = 2;

/** Class of every UTF-16 code unit. */
const CLASS_OF = characterClasses();

function characterClasses(): Uint8Array {
  const classes = new Uint8Array(65536);
  for (let unit = 0; unit < 65536; unit++) {
    if (unit >= 0xd800 && unit <= 0xdfff) classes[unit] = HALF;
    else if (isLetter(String.fromCharCode(unit))) classes[unit] = LETTER;
  }
  return classes;
}

function isLetter(character: string): boolean {
  return /[\p{L}\p{N}_]/u.test(character);
}

/** The letters of all words stand one after the other, so that a word costs its letters and twenty bytes. */
export function createWordTable(): WordTable {
  let letters = new Uint16Array(1 << 14);
  let starts = new Float64Array(1 << 11);
  let hashes = new Int32Array(1 << 11);
  // Open addressing, linear probing, at most half full; −1 is free.
  let slots = new Int32Array(1 << 12).fill(-1);
  let size = 0;

  const grow = (): void => {
    starts = enlarged(starts, new Float64Array(2 * starts.length));
    hashes = enlarged(hashes, new Int32Array(2 * hashes.length));
    slots = new Int32Array(2 * hashes.length).fill(-1);
    const mask = slots.length - 1;
    for (let word = 0; word < size; word++) {
      let slot = hashes[word] & mask;
      while (slots[slot] !== -1) slot = (slot + 1) & mask;
      slots[slot] = word;
    }
  };
  const isWord = (word: number, text: string, start: number, length: number): boolean => {
    const from = starts[word];
    if (starts[word + 1] - from !== length) return false;
    for (let x = 0; x < length; x++) if (letters[from + x] !== text.charCodeAt(start + x)) return false;
    return true;
  };
  const add = (text: string, start: number, length: number, hash: number): void => {
    const from = starts[size];
    while (from + length > letters.length) letters = enlarged(letters, new Uint16Array(2 * letters.length));
    for (let x = 0; x < length; x++) letters[from + x] = text.charCodeAt(start + x);
    hashes[size] = hash;
    starts[++size] = from + length;
    if (size + 1 === starts.length) grow();
  };
  const numberOf = (text: string, start: number, end: number, hash: number): number => {
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (; slots[slot] !== -1; slot = (slot + 1) & mask) {
      const word = slots[slot];
      if (hashes[word] === hash && isWord(word, text, start, end - start)) return word;
    }
    slots[slot] = size;
    add(text, start, end - start, hash);
    return size - 1;
  };

  return {
    read(text, onWord) {
      const lower = text.toLowerCase();
      const { length } = lower;
      let at = 0;
      while (at < length) {
        const start = at;
        let hash = 0x811c9dc5;
        let characters = 0;
        for (let width = letterAt(lower, at); width > 0; width = at < length ? letterAt(lower, at) : 0) {
          characters++;
          // FNV-1a over code units.
          for (const end = at + width; at < end; at++)
            hash = Math.imul(hash ^ lower.charCodeAt(at), 0x01000193);
        }
        if (characters > 1) onWord(numberOf(lower, start, at, hash ^ (hash >>> 15)));
        // What ended the word, a single letter aside.
        if (at < length) at++;
      }
    },
    size: () => size,
    textOf: (word) => String.fromCharCode(...letters.subarray(starts[word], starts[word + 1])),
  };
}

/** How many code units the letter here takes; 0 where there is none. */
function letterAt(text: string, at: number): number {
  const kind = CLASS_OF[text.charCodeAt(at)];
  if (kind !== HALF) return kind === OTHER ? 0 : 1;
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
  return character.length === 2 && isLetter(character) ? 2 : 0;
}

function enlarged<Numbers extends Uint16Array | Int32Array | Float64Array>(
  from: Numbers,
  to: Numbers,
): Numbers {
  to.set(from);
  return to;
}
