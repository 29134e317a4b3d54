/** Vocabularies as they stand in files: a JSON object of piece to id, or a piece a line. */

import { UserError } from '../errors.ts';
import { characterFlags, SPACE } from './bert-characters.ts';

/** Far above the largest vocabulary of any BERT (LaBSE, 501,153), and small enough to hold. */
const maxPieces = 2 ** 22;

/**
 * @param value As JSON.parse gave it. A piece named like a property of all objects is a piece like any other.
 * @param where Named in errors: file and field.
 * @returns Piece to id; ids are distinct and may have gaps.
 * @throws UserError when it is no such object.
 */
export function readVocabulary(value: unknown, where: string): Map<string, number> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UserError(`${where}: expected an object of pieces and ids, got ${describe(value)}.`);
  }
  const vocabulary = new Map<string, number>();
  const taken = new Set<number>();
  for (const [piece, id] of Object.entries(value)) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= maxPieces || taken.has(id)) {
      throw new UserError(
        `${where}: expected each piece to have an id of its own, a whole number from 0 to ${maxPieces - 1}, got ${describe(id)} for ${describe(piece)}.`,
      );
    }
    checkWellFormed(piece, where);
    vocabulary.set(piece, id);
    taken.add(id);
  }
  return vocabulary;
}

/**
 * Reads vocab.txt as the library does: white space at a line's end is no part of the piece, a blank line takes
 * an id too, and of a piece that stands there twice the last line counts.
 *
 * @throws UserError when it is empty, not UTF-8 or too long.
 */
export function readVocabularyLines(bytes: Uint8Array, where: string): Map<string, number> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new UserError(`${where}: expected text in UTF-8. Fetch the file again.`, { cause: error });
  }
  const lines = text.split('\n');
  if (lines[lines.length - 1] === '') lines.pop();
  if (lines.length === 0)
    throw new UserError(`${where}: expected a piece a line, the file is empty. Fetch it again.`);
  if (lines.length > maxPieces) {
    throw new UserError(`${where}: expected ${maxPieces} pieces at most, got ${lines.length} lines.`);
  }
  const vocabulary = new Map<string, number>();
  for (const [id, line] of lines.entries()) {
    let end = line.length;
    while (end > 0 && characterFlags[line.charCodeAt(end - 1)] & SPACE) end--;
    vocabulary.set(line.slice(0, end), id);
  }
  return vocabulary;
}

/** Refuses half a surrogate pair, which JSON can spell and no text file can hold. */
export function checkWellFormed(text: string, where: string): void {
  if (/\p{Surrogate}/u.test(text)) {
    throw new UserError(
      `${where}: expected whole characters, got half a surrogate pair in ${describe(text)}.`,
    );
  }
}

/** What stands in a file, short enough for a message. */
export function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
