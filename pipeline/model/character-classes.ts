/** Which kind of character stands at a place of a text, as far as cutting it into words needs to know. */

/** Punctuation and symbols. */
export const OTHER = 0;
export const SPACE = 1;
/** Letters without upper case too, combining marks, and the underscore. */
export const LOWER = 2;
export const UPPER = 3;
export const DIGIT = 4;
/** Scripts written without spaces: each character is a token. Emoji too. */
export const SINGLE = 5;
const SURROGATE = 6;

const CLASSES = buildClasses();

function buildClasses(): Uint8Array {
  const classes = new Uint8Array(65536);
  const letter = /[\p{L}\p{M}]/u;
  const upper = /[\p{Lu}\p{Lt}]/u;
  const digit = /\p{N}/u;
  const single = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
  const space = /[\s\p{Cc}\p{Cf}\p{Zs}]/u;
  for (let code = 0; code < 65536; code++) {
    if (code >= 0xd800 && code <= 0xdfff) {
      classes[code] = SURROGATE;
      continue;
    }
    const character = String.fromCharCode(code);
    if (space.test(character)) classes[code] = SPACE;
    else if (single.test(character)) classes[code] = SINGLE;
    else if (upper.test(character)) classes[code] = UPPER;
    else if (letter.test(character)) classes[code] = LOWER;
    else if (digit.test(character)) classes[code] = DIGIT;
  }
  // The underscore holds names together (conv4_3); Cyrillic, Greek and the rest are letters like any other.
  classes[0x5f] = LOWER;
  return classes;
}

/** Class of the character at a position, by either half where it is a surrogate pair; white space past the end. */
export function classAt(text: string, at: number): number {
  if (at >= text.length) return SPACE;
  const kind = CLASSES[text.charCodeAt(at)];
  return kind === SURROGATE ? surrogateClass(text, at) : kind;
}

/** Letters beyond the basic plane (mathematical alphabets) are words; emoji and the rest stand alone. */
function surrogateClass(text: string, at: number): number {
  const code = text.codePointAt(at) ?? 0;
  if (code >= 0x1d400 && code <= 0x1d7cb) return LOWER;
  if (code >= 0x1d7ce && code <= 0x1d7ff) return DIGIT;
  // Second half of a pair that belongs to such a letter.
  if (code >= 0xdc00 && code <= 0xdfff && at > 0) {
    const whole = text.codePointAt(at - 1) ?? 0;
    if (whole >= 0x1d400 && whole <= 0x1d7ff) return LOWER;
  }
  return SINGLE;
}

/** UTF-16 code units of the character at a position: 1 or 2. */
export function unitsAt(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

export function isWord(kind: number): boolean {
  return kind === LOWER || kind === UPPER || kind === DIGIT;
}

export function isLetter(kind: number): boolean {
  return kind === LOWER || kind === UPPER;
}
