/**
 * Turns a title or an abstract as publishers' feeds hold it into plain running text: no tags, no entities,
 * no control or invisible characters, Unicode NFC, single spaces. Linear in the length of the text.
 */

import { hasLatex, readLatex } from './latex-text.ts';
import { stripMarkup } from './markup.ts';

/** What calls for work: anything but printable ASCII, markup, LaTeX, doubled or outer spaces. Most have none. */
const unclean = /[^ -%'-;=-[\]-_a-z|}]| {2}|^ | $/;

/** Half of a character pair without its other half: not writable as UTF-8. */
const loneSurrogate = /\p{Surrogate}/gu;

/**
 * Windows-1252 quotes, dashes and letters that were taken for Latin-1 controls, 0x80 to 0x9f: by the source,
 * or by Node 20's own TextDecoder('windows-1252'), which decodes Latin-1.
 */
const misreadControl = /[\x80-\x9f]/g;
const windowsLetters = '€_‚ƒ„…†‡ˆ‰Š‹Œ_Ž__‘’“”•–—˜™š›œ_žŸ';

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is its purpose
const control = /[\x00-\x08\x0e-\x1f\x7f]/g;

/** Zero-width, direction and tag characters, soft hyphens, annotation marks: invisible, and split words. */
const invisible =
  /\u034f|[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffc\u{e0000}-\u{e007f}]/gu;

/** More marks on one letter than any script has (UAX 15, D3): ordering them costs quadratic time. */
const markRun = /(\p{M}{30})\p{M}+/gu;

/** Letters that PDF readers leave joined. */
const ligature = /[\ufb00-\ufb06]/g;
const ligatureLetters = ['ff', 'fi', 'fl', 'ffi', 'ffl', 'st', 'st'];

/** "Abstract" as a heading in front of the text; not the first word of "Abstract Meaning Representation". */
const headings = [
  /^(?:abstract|summary)\s*[:.—–-]+\s+(?=\S)/i,
  /^abstract:(?=\S)/i,
  /^ABSTRACT\s+(?=[A-Z][a-z]|A )/,
  /^Abstract(?=[A-Z][a-z])/,
  new RegExp(
    '^Abstract\\s+(?=(?:This|These|We|In|The|An?|Our|Here|It|For|To|With|On|As|At|By|Recent|Many|Most|There|' +
      'Although|While|Background|Purpose|Objectives?|Introduction|Aims?|Motivation|Context)\\b)',
  ),
];

/** What exports write where there is no abstract. */
const placeholder =
  /^[[(]?(?:no abstract(?: (?:is )?(?:available|provided|present))?|abstract(?: is)? (?:not available|unavailable)|not available|n\/?a|nan|null|none|undefined|abstract|summary|[-–—.?*]+)[\])]?[.:]?$/i;

/**
 * The text of a title or an abstract, cleaned; empty where it holds nothing but a placeholder.
 */
export function cleanText(text: string): string {
  const clean = unclean.test(text) ? cleanCharacters(resolveMarks(text)) : text;
  if (clean.length < 40 && placeholder.test(clean)) return '';
  return clean;
}

/** As cleanText, for an abstract: a heading "Abstract" goes. */
export function cleanAbstract(text: string): string {
  const clean = cleanText(text);
  if (!/^(?:abstract|summary)/i.test(clean)) return clean;
  const heading = headings.find((pattern) => pattern.test(clean));
  return heading === undefined ? clean : clean.replace(heading, '');
}

/** Characters alone: for ids and columns that are passed on as they are. */
export function cleanCharacters(text: string): string {
  return text
    .replace(loneSurrogate, '\ufffd')
    .replace(misreadControl, readWindowsLetter)
    .replace(control, '')
    .replace(invisible, '')
    .replace(markRun, '$1')
    .replace(ligature, (character) => ligatureLetters[character.charCodeAt(0) - 0xfb00])
    .normalize('NFC')
    .replace(/\s+/g, ' ')
    .trim();
}

function readWindowsLetter(character: string): string {
  const letter = windowsLetters[character.charCodeAt(0) - 0x80];
  return letter === '_' ? '' : letter;
}

function resolveMarks(text: string): string {
  const plain = text.includes('<') || text.includes('&') ? stripMarkup(text) : text;
  return hasLatex(plain) ? readLatex(plain) : plain;
}
