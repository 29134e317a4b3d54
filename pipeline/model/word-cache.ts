/** Remembers what was found out about words, up to a number of them. */

/** V8 makes slices shorter than this by copying. */
const shortestView = 13;

export class WordCache<Value> {
  readonly #size: number;
  #values = new Map<string, Value>();

  /** @param size Words at most. When it is full all are forgotten at once, since keeping an order costs more. */
  constructor(size: number) {
    this.#size = size;
  }

  get(word: string): Value | undefined {
    return this.#values.get(word);
  }

  set(word: string, value: Value): void {
    if (this.#values.size >= this.#size) this.#values = new Map();
    // A longer slice is a view that would keep the whole text it was cut from in memory.
    const key = word.length < shortestView ? word : Buffer.from(word, 'utf16le').toString('utf16le');
    this.#values.set(key, value);
  }
}
