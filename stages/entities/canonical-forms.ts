/**
 * From the keys of all mentions in a corpus to the names that are shown: keys that mean the same form a group,
 * and the group takes its commonest surface.
 */

import type { FormColumns, SurfaceCounts } from '../../pipeline/contract.ts';
import { isGenericForm } from './generic-mentions.ts';
import { cleanSurface, formKey, isAcronym } from './surface-forms.ts';

/** An acronym belongs to one long form when at least this share of the documents defining it agree … */
const LONG_FORM_SHARE = 0.6;
/** … and at least so many do; acronyms of two letters mean too many things to trust fewer than this. */
const MIN_DEFINITIONS = 2;
const MIN_DEFINITIONS_OF_TWO_LETTERS = 4;

/** The acronym is shown in place of the long form when it is at least so many times as common ("BERT"). */
const ACRONYM_PREFERENCE = 4;

/** A group is generic when more than this share of its mentions were tagged so. */
const GENERIC_SHARE = 0.5;
const GENERIC_TYPE = 'Generic';

/**
 * Canonical names of a corpus. Depends on the counts alone, not on the order of their rows.
 *
 * @returns One row per form key, in code-unit order.
 */
export function canonicalForms(counts: SurfaceCounts): FormColumns {
  const { surfaces } = counts;
  const { form, formOfSurface } = distinctForms(surfaces.form);
  const groups = createGroups(form.length);
  joinSpellings(form, groups);
  joinCapitals(form, surfaces, formOfSurface, groups);
  const shortKeys = joinAcronyms(form, counts, groups);
  return { form, ...describeGroups(form, surfaces, formOfSurface, groups, shortKeys) };
}

/** Forms in code-unit order, and the place of each surface's form among them. */
function distinctForms(forms: readonly string[]): { form: string[]; formOfSurface: Int32Array } {
  // Places are sorted, not strings put into maps: a large corpus has millions of forms, and a map of so many takes
  // more memory than they do. Surfaces mostly come in order already.
  const order = Int32Array.from(forms.keys()).sort((a, b) => byCodeUnit(forms[a], forms[b]));
  const form: string[] = [];
  const formOfSurface = new Int32Array(forms.length);
  for (const surface of order) {
    if (form.length === 0 || form[form.length - 1] !== forms[surface]) form.push(forms[surface]);
    formOfSurface[surface] = form.length - 1;
  }
  return { form, formOfSurface };
}

/** Place of a key among the forms, −1 where it is none. */
function placeOf(form: readonly string[], key: string): number {
  let low = 0;
  let high = form.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (form[middle] < key) low = middle + 1;
    else high = middle;
  }
  return form[low] === key ? low : -1;
}

// ---------------------------------------------------------------------------------------------
// Groups: disjoint sets over the rows of the forms; the least row stands for its group.

interface Groups {
  of(row: number): number;
  join(a: number, b: number): void;
}

function createGroups(n: number): Groups {
  const parent = Int32Array.from({ length: n }, (_, i) => i);
  const of = (row: number): number => {
    let at = row;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]];
      at = parent[at];
    }
    return at;
  };
  return {
    of,
    join: (a, b) => {
      const [x, y] = [of(a), of(b)];
      if (x < y) parent[y] = x;
      else parent[x] = y;
    },
  };
}

/** "fine tuning" and "finetuning". */
function joinSpellings(form: readonly string[], groups: Groups): void {
  // Open addressing over the keys without spaces, at most half full; a place of −1 is free.
  const capacity = 2 ** Math.ceil(Math.log2(2 * form.length + 2));
  const places = new Int32Array(capacity).fill(-1);
  const hashes = new Int32Array(capacity);
  for (const [row, key] of form.entries()) {
    const hash = collapsedHash(key);
    let slot = hash & (capacity - 1);
    while (
      places[slot] >= 0 &&
      !(hashes[slot] === hash && collapsed(form[places[slot]]) === collapsed(key))
    ) {
      slot = (slot + 1) & (capacity - 1);
    }
    if (places[slot] >= 0) groups.join(places[slot], row);
    else {
      places[slot] = row;
      hashes[slot] = hash;
    }
  }
}

function collapsed(key: string): string {
  return key.includes(' ') ? key.replaceAll(' ', '') : key;
}

/** FNV-1a over the key's code units but spaces. */
function collapsedHash(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) {
    const unit = key.charCodeAt(at);
    if (unit !== 0x20) hash = Math.imul(hash ^ unit, 0x01000193);
  }
  return hash ^ (hash >>> 15);
}

/**
 * Names in capitals and the same in small letters: "ELMO" and "ELMo", "WORDNET" and "WordNet", a title set in
 * capitals; not "IT" and "it", "CAT" and "cat".
 */
function joinCapitals(
  form: readonly string[],
  surfaces: SurfaceCounts['surfaces'],
  formOfSurface: Int32Array,
  groups: Groups,
): void {
  const capitals = [...form.keys()].filter((row) => CAPITAL.test(form[row]));
  // First form of each small writing that a name in capitals asks for.
  const asked = new Map(capitals.map((row) => [collapsed(form[row]).toLowerCase(), -1]));
  for (const [row, key] of form.entries()) {
    if (asked.get(collapsed(key)) === -1 && !CAPITAL.test(key)) asked.set(collapsed(key), row);
  }
  const pairs: { capital: number; small: number; longName: boolean }[] = [];
  for (const row of capitals) {
    const name = collapsed(form[row]);
    const other = asked.get(name.toLowerCase()) ?? -1;
    if (other < 0) continue;
    const longName = name.length >= LONG_NAME_UNITS || (form[row].includes(' ') && name.length > 4);
    pairs.push({ capital: row, small: other, longName });
  }

  // Mentions of the small forms, and of these the ones with a capital behind the first letter of a word.
  const wanted = new Set(pairs.map((pair) => pair.small));
  const mentions = new Float64Array(form.length);
  const inner = new Float64Array(form.length);
  for (let i = 0; i < formOfSurface.length; i++) {
    const row = formOfSurface[i];
    if (!wanted.has(row)) continue;
    mentions[row] += surfaces.mentions[i];
    if (INNER_CAPITAL.test(surfaces.text[i])) inner[row] += surfaces.mentions[i];
  }
  for (const pair of pairs) {
    if (pair.longName || inner[pair.small] * 2 > mentions[pair.small]) groups.join(pair.small, pair.capital);
  }
}

const CAPITAL = /\p{Lu}/u;
const INNER_CAPITAL = /[\p{Ll}\p{Lu}]\p{Lu}/u;
/** Acronyms this long are names or words set in capitals. */
const LONG_NAME_UNITS = 6;

/**
 * Acronyms and the long form that most documents define them by.
 *
 * @returns Keys of all short forms that were tied.
 */
function joinAcronyms(form: readonly string[], counts: SurfaceCounts, groups: Groups): Set<string> {
  const { short, long, documents } = counts.acronyms;
  // Definitions of each short form, by the group of the long form, else by its collapsed key.
  const definitions = new Map<string, Map<string | number, { documents: number; row: number }>>();
  for (let i = 0; i < short.length; i++) {
    const shortKey = formKey(short[i]);
    const longKey = formKey(long[i]);
    if (shortKey === longKey) continue;
    const row = placeOf(form, longKey);
    const place = row >= 0 ? groups.of(row) : longKey.replaceAll(' ', '');
    let places = definitions.get(shortKey);
    if (places === undefined) {
      places = new Map();
      definitions.set(shortKey, places);
    }
    const found = places.get(place);
    if (found === undefined) places.set(place, { documents: documents[i], row });
    else found.documents += documents[i];
  }

  const tied = new Set<string>();
  const joins: [number, number][] = [];
  for (const [shortKey, places] of definitions) {
    let total = 0;
    let best = { documents: 0, row: -1 };
    for (const place of places.values()) {
      total += place.documents;
      if (place.documents > best.documents) best = place;
    }
    const enough = shortKey.length <= 2 ? MIN_DEFINITIONS_OF_TWO_LETTERS : MIN_DEFINITIONS;
    // A share above one half has no tie, so the order of rows cannot matter.
    if (best.row < 0 || best.documents < enough || best.documents < LONG_FORM_SHARE * total) continue;
    tied.add(shortKey);
    const row = placeOf(form, shortKey);
    if (row >= 0) joins.push([row, best.row]);
  }
  // Groups change only after all decisions are made.
  for (const [a, b] of joins) groups.join(a, b);
  return tied;
}

// ---------------------------------------------------------------------------------------------
// Names

interface Description {
  canonical: string[];
  generic: Uint8Array;
}

function describeGroups(
  form: readonly string[],
  surfaces: SurfaceCounts['surfaces'],
  formOfSurface: Int32Array,
  groups: Groups,
  shortKeys: ReadonlySet<string>,
): Description {
  // Surfaces in the order of their groups.
  const n = formOfSurface.length;
  const starts = new Int32Array(form.length + 1);
  for (let i = 0; i < n; i++) starts[groups.of(formOfSurface[i]) + 1]++;
  for (let row = 0; row < form.length; row++) starts[row + 1] += starts[row];
  const order = new Int32Array(n);
  const next = starts.slice();
  for (let i = 0; i < n; i++) order[next[groups.of(formOfSurface[i])]++] = i;

  const canonical = new Array<string>(form.length);
  const generic = new Uint8Array(form.length);
  for (let group = 0; group < form.length; group++) {
    if (groups.of(group) !== group) continue;
    const members = order.subarray(starts[group], starts[group + 1]);
    canonical[group] = nameOf(members, surfaces, shortKeys);
    generic[group] = isGeneric(members, surfaces) || isGenericForm(form[group]) ? 1 : 0;
  }
  for (let row = 0; row < form.length; row++) {
    const group = groups.of(row);
    canonical[row] = canonical[group];
    generic[row] = generic[group];
  }
  return { canonical, generic };
}

/** The commonest surface of a group: of its long forms, or of its acronyms where those are far commoner. */
function nameOf(
  members: Int32Array,
  surfaces: SurfaceCounts['surfaces'],
  shortKeys: ReadonlySet<string>,
): string {
  if (members.length === 1) return shown(surfaces.text[members[0]]);
  const mentions = new Map<string, number>();
  for (const i of members) {
    const text = shown(surfaces.text[i]);
    mentions.set(text, (mentions.get(text) ?? 0) + surfaces.mentions[i]);
  }
  if (mentions.size === 1) return shown(surfaces.text[members[0]]);

  let shortMentions = 0;
  let longMentions = 0;
  const acronyms = new Set<string>();
  for (const [text, count] of mentions) {
    if (isAcronymText(text, surfaces, members, shortKeys)) {
      acronyms.add(text);
      shortMentions += count;
    } else {
      longMentions += count;
    }
  }
  const wantAcronym = longMentions === 0 || shortMentions >= ACRONYM_PREFERENCE * longMentions;
  for (const text of mentions.keys()) {
    if (acronyms.size > 0 && acronyms.has(text) !== wantAcronym) mentions.delete(text);
  }
  return commonest(mentions);
}

/**
 * The commonest text, case aside, and of its writings the commonest; small letters throughout are preferred
 * to the capitals that titles and beginnings of sentences put on.
 */
function commonest(mentions: ReadonlyMap<string, number>): string {
  const folded = new Map<string, number>();
  for (const [text, count] of mentions) {
    const lower = text.toLowerCase();
    folded.set(lower, (folded.get(lower) ?? 0) + count);
  }
  const lower = most(folded);
  const writings = new Map([...mentions].filter(([text]) => text.toLowerCase() === lower));
  const best = most(writings);
  const small = writings.get(lower) ?? 0;
  return small * SMALL_LETTER_PREFERENCE >= (writings.get(best) ?? 0) ? lower : best;
}

/** How many times as common a writing with capitals must be to be shown in place of the one without. */
const SMALL_LETTER_PREFERENCE = 4;

function most(counts: ReadonlyMap<string, number>): string {
  let best = '';
  let bestCount = -1;
  for (const [text, count] of counts) {
    if (count > bestCount || (count === bestCount && comesFirst(text, best))) {
      best = text;
      bestCount = count;
    }
  }
  return best;
}

/** Whether a surface is the short form of a group that has long ones too. */
function isAcronymText(
  text: string,
  surfaces: SurfaceCounts['surfaces'],
  members: Int32Array,
  shortKeys: ReadonlySet<string>,
): boolean {
  if (text.length > MAX_ACRONYM_UNITS || !/\p{Lu}/u.test(text)) return false;
  const key = formKey(text);
  // Tied over the whole corpus, or in its document: then the form it stands under is not its own key.
  if (shortKeys.has(key)) return true;
  return (
    !text.includes(' ') && (isAcronym(text) || INNER_CAPITAL.test(text)) && hasLonger(key, surfaces, members)
  );
}

function hasLonger(key: string, surfaces: SurfaceCounts['surfaces'], members: Int32Array): boolean {
  for (const i of members) if (surfaces.form[i].length > 2 * key.length) return true;
  return false;
}

const MAX_ACRONYM_UNITS = 14;

function shown(text: string): string {
  return cleanSurface(text) || text.trim() || text;
}

/** Equal counts: small letters before capitals, then code points. */
function comesFirst(a: string, b: string): boolean {
  const [smallA, smallB] = [a === a.toLowerCase(), b === b.toLowerCase()];
  return smallA !== smallB ? smallA : a < b;
}

function isGeneric(members: Int32Array, surfaces: SurfaceCounts['surfaces']): boolean {
  let total = 0;
  let tagged = 0;
  for (const i of members) {
    total += surfaces.mentions[i];
    if (surfaces.type[i] === GENERIC_TYPE) tagged += surfaces.mentions[i];
  }
  return tagged > GENERIC_SHARE * total;
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
