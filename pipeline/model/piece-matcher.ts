/**
 * Cuts one normalised word into the pieces of a WordPiece vocabulary, greedy and longest first; normalising
 * and finding words is left to others.
 *
 * Source: Wu et al. 2016. Agrees with `WordPiece` of Hugging Face tokenizers 0.23.
 */

export interface PieceMatcher {
  /**
   * @param ids Receives the pieces' ids in place of what it held.
   * @param ends Receives, for each piece, the code unit of the word it ends before.
   * @returns False when the word is unknown as a whole: one piece cannot be found, or it is too long.
   */
  match(word: string, ids: number[], ends: number[]): boolean;
}

/**
 * @param vocabulary Piece to id.
 * @param prefix A piece that continues a word starts with this; it may be empty.
 * @param maxCharacters Longer words, in code points, are unknown.
 */
export function createPieceMatcher(
  vocabulary: ReadonlyMap<string, number>,
  { prefix, maxCharacters }: { prefix: string; maxCharacters: number },
): PieceMatcher {
  const tailIds = new Map<string, number>();
  let longest = 1;
  for (const [piece, id] of vocabulary) {
    longest = Math.max(longest, piece.length);
    if (piece.length > prefix.length && piece.startsWith(prefix)) tailIds.set(piece.slice(prefix.length), id);
  }

  return {
    match(word, ids, ends) {
      ids.length = 0;
      ends.length = 0;
      if (word.length > maxCharacters && countCharacters(word) > maxCharacters) return false;
      let start = 0;
      while (start < word.length) {
        const pieces = start === 0 ? vocabulary : tailIds;
        let end = Math.min(word.length, start + longest);
        let id: number | undefined;
        for (; end > start; end--) {
          id = pieces.get(word.slice(start, end));
          if (id !== undefined) break;
        }
        if (id === undefined) return false;
        ids.push(id);
        ends.push(end);
        start = end;
      }
      return true;
    },
  };
}

function countCharacters(word: string): number {
  let characters = word.length;
  for (let at = 1; at < word.length; at++) {
    const unit = word.charCodeAt(at);
    if (unit >= 0xdc00 && unit <= 0xdfff) characters--;
  }
  return characters;
}
