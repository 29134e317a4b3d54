/** Where a text that is longer than a model's window is cut, and which window decides about which token. */

/** Tokens that the model sees together, and those of them that it decides about. */
export interface TokenWindow {
  first: number;
  end: number;
  /** The window answers for tokens keptFirst to keptEnd. */
  keptFirst: number;
  keptEnd: number;
}

/** What may begin at a token. */
export const insideWord = 0;
export const wordStart = 1;
export const sentenceStart = 2;

/** Share of a window that is seen by its neighbour too, so that every token is read with what stands around it. */
const overlapShare = 1 / 4;

/**
 * Cuts a text at its sentences. The kept ranges are the whole text, in order, without gap or repetition. A
 * sentence that fits into a window is decided by a window that holds all of it; one that does not is cut at
 * words, and each of its tokens is decided where it stands farther from a border.
 *
 * @param breaks Uint8Array [n]: what begins at each token.
 * @param room Tokens per window, at least 1.
 * @returns One window where the text fits; none where it is empty.
 */
export function planWindows(breaks: Uint8Array, room: number): TokenWindow[] {
  const n = breaks.length;
  const overlap = Math.floor(room * overlapShare);
  const windows: TokenWindow[] = [];
  let first = 0;
  let covered = 0;
  let kept = 0;
  while (covered < n) {
    const end = first + room >= n ? n : cutBefore(breaks, covered, first + room);
    const next = end === n ? n : nextFirst(breaks, first, end, room, overlap);
    const keptEnd = end === n ? n : switchPoint(breaks, Math.max(kept, next), end);
    // A window that decides nothing need not be run.
    if (keptEnd > kept) windows.push({ first, end, keptFirst: kept, keptEnd });
    kept = keptEnd;
    first = next;
    covered = end;
  }
  return windows;
}

/** The last sentence start in (after, limit]; else the last word start, else the limit itself. */
function cutBefore(breaks: Uint8Array, after: number, limit: number): number {
  let word = limit;
  let found = false;
  for (let at = limit; at > after; at--) {
    if (breaks[at] === sentenceStart) return at;
    if (!found && breaks[at] === wordStart) {
      word = at;
      found = true;
    }
  }
  return word;
}

/**
 * Where the window after one that ends at `end` begins: as far before as the overlap goes, but so that the
 * sentence at `end` fits in where it can; at a sentence where there is one, else at a word.
 */
function nextFirst(breaks: Uint8Array, first: number, end: number, room: number, overlap: number): number {
  let earliest = Math.max(first, end - overlap);
  if (breaks[end] === sentenceStart) {
    let sentenceEnd = end + 1;
    while (sentenceEnd < breaks.length && sentenceEnd - end <= room && breaks[sentenceEnd] !== sentenceStart)
      sentenceEnd++;
    if (sentenceEnd - end <= room) earliest = Math.max(earliest, sentenceEnd - room);
  }
  for (const wanted of [sentenceStart, wordStart]) {
    for (let at = earliest; at < end; at++) if (breaks[at] === wanted) return at;
  }
  return earliest;
}

/** Where in an overlap the later window takes over: the sentence start, else the word, nearest its middle. */
function switchPoint(breaks: Uint8Array, first: number, end: number): number {
  const middle = (first + end) / 2;
  for (const wanted of [sentenceStart, wordStart]) {
    let best = -1;
    for (let at = first; at <= end; at++) {
      if (breaks[at] === wanted && (best < 0 || Math.abs(at - middle) <= Math.abs(best - middle))) best = at;
    }
    if (best >= 0) return best;
  }
  return Math.floor(middle);
}
