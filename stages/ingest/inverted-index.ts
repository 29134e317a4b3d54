/** OpenAlex's abstract_inverted_index, from words with their positions back to running text. */

/** Positions beyond this are no abstract. */
const maxPosition = 100_000;

/** Nor are texts of more characters: one long word at many positions would not fit in memory. */
const maxLength = 20_000_000;

/**
 * @param index { word: [positions] }, or the same as JSON text.
 * @returns The text, words in order of position; null when it is no such index.
 */
export function rebuildAbstract(index: unknown): string | null {
  const object = typeof index === 'string' ? parseObject(index) : index;
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return null;
  const words: string[] = [];
  let length = 0;
  for (const [word, positions] of Object.entries(object)) {
    if (!Array.isArray(positions)) return null;
    for (const position of positions) {
      if (!Number.isInteger(position) || position < 0 || position > maxPosition) return null;
      length += word.length + 1;
      if (length > maxLength) return null;
      words[position] = word;
    }
  }
  // A position that no word claims is a hole in the array, which filter passes over.
  return words.filter(() => true).join(' ');
}

function parseObject(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
