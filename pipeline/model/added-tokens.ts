/**
 * Finds the tokens that a tokenizer looks for before it looks for words: `[SEP]` typed in a text is that
 * token, and so are words that were added to a vocabulary after training.
 *
 * Agrees with `AddedVocabulary` of Hugging Face tokenizers 0.23, its overlaps included.
 */

import { characterFlags, codeAt, isWordCharacter, SPACE } from './bert-characters.ts';

export interface AddedToken {
  id: number;
  content: string;
  /** Found only where no letter, digit or mark stands beside it. */
  singleWord: boolean;
  /** Takes the white space before it along. */
  leftStrip: boolean;
  /** Takes the white space behind it along. */
  rightStrip: boolean;
  /** Found in the normalised text, as its content reads there; otherwise in the text as it is. */
  normalized: boolean;
  special: boolean;
}

/**
 * Visits a text from end to end: what lies between tokens with null, and each token, in order.
 * Places are code units; a token's include the white space it takes along.
 */
export type TokenFinder = (
  text: string,
  visit: (token: AddedToken | null, start: number, end: number) => void,
) => void;

/**
 * @param splitSpecialTokens Special tokens are text like any other.
 * @param patterns What stands for each token in a text, never empty. Of equal patterns the last counts; the library's
 *   choice among them changes from run to run.
 * @returns Null when there is nothing to look for.
 */
export function createTokenFinder(
  patterns: readonly { pattern: string; token: AddedToken }[],
  { splitSpecialTokens }: { splitSpecialTokens: boolean },
): TokenFinder | null {
  if (patterns.length === 0) return null;
  const tokens = new Map(patterns.map(({ pattern, token }) => [pattern, token]));
  // At one place the longest wins, since it comes first.
  const expression = [...tokens.keys()]
    .sort((a, b) => b.length - a.length)
    .map((pattern) => pattern.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
    .join('|');
  const search = new RegExp(expression, 'g');

  return (text, visit) => {
    let done = 0;
    search.lastIndex = 0;
    for (let found = search.exec(text); found !== null; found = search.exec(text)) {
      const token = tokens.get(found[0]);
      if (token === undefined) throw new Error(`added-tokens: no token for "${found[0]}".`);
      if (splitSpecialTokens && token.special) continue;
      let start = found.index;
      let end = start + found[0].length;
      if (token.singleWord && (wordEndsAt(text, start) || wordStartsAt(text, end))) continue;
      // White space that an earlier token took is gone.
      if (token.leftStrip) start = Math.max(spaceBefore(text, start), done);
      if (token.rightStrip) end = spaceAfter(text, end);
      if (done < start) visit(null, done, start);
      visit(token, start, end);
      done = end;
    }
    if (done < text.length) visit(null, done, text.length);
  };
}

function wordEndsAt(text: string, at: number): boolean {
  if (at === 0) return false;
  const pairs = at >= 2 && codeAt(text, at - 2) > 0xffff;
  return isWordCharacter(codeAt(text, pairs ? at - 2 : at - 1));
}

function wordStartsAt(text: string, at: number): boolean {
  return at < text.length && isWordCharacter(codeAt(text, at));
}

/** All white space is in the basic plane. */
function spaceBefore(text: string, at: number): number {
  let start = at;
  while (start > 0 && characterFlags[text.charCodeAt(start - 1)] & SPACE) start--;
  return start;
}

function spaceAfter(text: string, at: number): number {
  let end = at;
  while (end < text.length && characterFlags[text.charCodeAt(end)] & SPACE) end++;
  return end;
}
