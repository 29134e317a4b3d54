/**
 * Takes HTML, JATS and MathML tags out of running text and decodes entities. Only what is surely markup
 * goes: a known name, well-formed attributes, a closing bracket. "p < 0.05 and x > 3", "a<b and c>d" and
 * "<unk>" stay, which an HTML parser, bound to read any "<letter" as a tag, would swallow. Agrees with
 * htmlparser2 12.0.0 on markup without such text (test/stages/ingest/markup.test.ts).
 */

import { decodeHTMLStrict } from 'entities';

/** Tags that separate words: they become a space. All others vanish, so that H<sub>2</sub>O stays one word. */
const blockTags = new Set(
  (
    'p div br hr li ul ol dl dt dd table thead tbody tfoot tr td th caption h1 h2 h3 h4 h5 h6 section sec article ' +
    'header footer nav aside main blockquote pre title subtitle label list list-item def-list def-item def term ' +
    'disp-formula disp-quote boxed-text statement fig figure figcaption body html head abstract abstracttext ' +
    'trans-abstract para simple-para break'
  ).split(' '),
);

const inlineTags = new Set(
  (
    'i b em strong italic bold sub sup inf u sc span font a small big tt code kbd samp var cite abbr acronym dfn mark ' +
    'del ins strike center img bdi bdo ruby rt rp wbr roman sans-serif monospace underline overline ' +
    'named-content styled-content xref ext-link uri email inline-formula inline-graphic graphic media tex-math tex ' +
    'formula alternatives math mi mo mn mrow msub msup msubsup mfrac msqrt mroot mover munder munderover mtext ' +
    'mspace mstyle mtable mtr mtd mfenced mmultiscripts mprescripts mpadded mphantom merror menclose semantics ' +
    'annotation annotation-xml script style fn ref prefix suffix institution'
  ).split(' '),
);

/** Prefixes under which every name is markup. */
const knownPrefixes = new Set(['jats', 'mml', 'm', 'ce', 'sb', 'xhtml', 'html', 'tp', 'oasis', 'svg']);

/** Tags whose content is no text: programs, styles, and the second spelling of a formula. */
const hiddenTags = new Set(['script', 'style', 'annotation', 'annotation-xml']);

/** Whole headings that repeat what the field is. */
const ownHeading = /<((?:jats:)?title)\b[^<>]*>\s*(?:abstract|summary)\s*[:.]?\s*<\/\1\s*>/giu;

// Every repetition excludes "<", so a scan from one "<" ends before the next: linear on any input.
const markup =
  /<!--|<!\[CDATA\[|\]\]>|<\?[a-z][^<>]*\?>|<(\/?)(?:([a-z][a-z0-9]*):)?([a-z][a-z0-9-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'|[^\s"'<>=`]+))*)\s*\/?>/giu;

/** How often text may be encoded: publishers' feeds hold &amp;lt;p&amp;gt;, which is three layers. */
const maxLayers = 4;

/** The text without tags and entities; tags that only appear once entities are decoded go as well. */
export function stripMarkup(text: string): string {
  let current = text;
  for (let layer = 0; layer < maxLayers; layer++) {
    const stripped = current.includes('<') ? removeTags(current) : current;
    const decoded = stripped.includes('&') ? decodeHTMLStrict(stripped) : stripped;
    if (decoded === stripped) return stripped;
    current = decoded;
  }
  return current.includes('<') ? removeTags(current) : current;
}

function removeTags(source: string): string {
  const text = source.replace(ownHeading, ' ');
  let result = '';
  let copied = 0;
  /** Closing marks that were looked for in vain: not looked for again. */
  const absent = new Set<string>();
  markup.lastIndex = 0;
  for (let match = markup.exec(text); match !== null; match = markup.exec(text)) {
    const [whole, slash, prefix, rawName] = match;
    const name = rawName?.toLowerCase();
    let end = match.index + whole.length;
    let replacement = '';
    if (name === undefined) {
      if (whole === '<!--') {
        const close = findOnce(text, '-->', end, absent);
        if (close < 0) continue;
        end = close + 3;
      }
    } else {
      if (!isMarkupName(prefix?.toLowerCase(), name)) continue;
      if (blockTags.has(name)) replacement = ' ';
      if (hiddenTags.has(name) && slash === '' && !whole.endsWith('/>')) {
        const close = findOnce(text, `</${prefix === undefined ? '' : `${prefix}:`}${rawName}`, end, absent);
        const closeEnd = close < 0 ? -1 : text.indexOf('>', close);
        if (closeEnd >= 0) end = closeEnd + 1;
        replacement = ' ';
      }
    }
    result += text.slice(copied, match.index);
    // 10<sup>5</sup> must not become 105.
    const digitBefore = /[0-9]/.test(text[match.index - 1] ?? '');
    if (name === 'sup' && slash === '' && digitBefore && /^[-−–+]?[0-9]/.test(text.slice(end, end + 2))) {
      replacement = '^';
    }
    result += replacement;
    copied = end;
    markup.lastIndex = end;
  }
  return copied === 0 ? text : result + text.slice(copied);
}

function isMarkupName(prefix: string | undefined, name: string): boolean {
  if (prefix !== undefined) return knownPrefixes.has(prefix);
  return blockTags.has(name) || inlineTags.has(name);
}

function findOnce(text: string, mark: string, from: number, absent: Set<string>): number {
  if (absent.has(mark)) return -1;
  const at = text.indexOf(mark, from);
  if (at < 0) absent.add(mark);
  return at;
}
