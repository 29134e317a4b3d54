/**
 * Which columns of a file mean id, DOI, title, abstract and year: by the user's mapping, else by the names
 * that OpenAlex, Scopus, Web of Science, Zotero and plain tables give them.
 */

import { distance } from 'fastest-levenshtein';
import { UserError } from '../../pipeline/errors.ts';
import type { FactRole, Role, SourceConfig } from './config.ts';

export const roles: readonly Role[] = ['id', 'doi', 'title', 'abstract', 'year'];

export const factRoles: readonly FactRole[] = [
  ...(['arxiv', 'pmid', 'authors', 'institutions', 'venue', 'citations', 'published', 'retracted'] as const),
];

/** Known names, best first, in lower case with letters and digits only: "UT (Unique WOS ID)" is utuniquewosid. */
const knownNames: Record<Role, readonly string[]> = {
  id: [
    ...['id', 'openalexid', 'workid', 'paperid', 'documentid', 'docid', 'articleid', 'recordid', 'itemid'],
    ...['eid', 'ut', 'utuniquewosid', 'uniquewosid', 'uniqueid', 'accessionnumber', 'corpusid'],
    ...['publicationid', 'lensid', 'pmid', 'pubmedid', 'pmcid', 'arxivid', 'aclid', 'anthologyid', 'bibcode'],
    ...['identifier', 'key'],
  ],
  doi: ['doi', 'di', 'doilink', 'doiurl', 'articledoi'],
  title: [
    'title',
    'articletitle',
    'papertitle',
    'documenttitle',
    'worktitle',
    'ti',
    'displayname',
    'primarytitle',
  ],
  abstract: [
    ...['abstract', 'abstracttext', 'paperabstract', 'articleabstract', 'abstractnote', 'abstracts', 'ab'],
    ...['summary', 'abstractinvertedindex'],
  ],
  year: [
    ...['year', 'publicationyear', 'pubyear', 'py', 'yearpublished', 'publishedyear', 'yearofpublication'],
    ...['publicationdate', 'datepublished', 'publisheddate', 'published', 'coverdate', 'pubdate', 'date'],
  ],
};

/** The same for what is told beside the text; these columns stay in `extra` as well. */
const knownFactNames: Record<FactRole, readonly string[]> = {
  arxiv: ['arxivid', 'arxiv', 'eprint'],
  pmid: ['pmid', 'pubmedid', 'pm', 'idspmid'],
  authors: [
    ...['authorfullnames', 'af', 'authorshipsauthordisplayname', 'authors', 'author', 'authornames', 'au'],
    ...['authorships'],
  ],
  institutions: [
    ...['authorshipsinstitutionsdisplayname', 'institutions', 'researchorganizationsstandardized', 'c3'],
    ...['affiliations', 'authorsaffiliations', 'affiliation'],
  ],
  venue: [
    ...['venue', 'journal', 'sourcetitle', 'so', 'primarylocationsourcedisplayname', 'publicationtitle'],
    ...['containertitle', 'booktitle', 'journalref', 'sourcedisplayname'],
  ],
  citations: [
    ...['citedbycount', 'citedby', 'citations', 'citationcount', 'timescitedwoscore', 'timescited', 'tc'],
    ...['citingworkscount', 'ncitation'],
  ],
  published: [
    'publicationdate',
    'datepublished',
    'publisheddate',
    'coverdate',
    'pubdate',
    'published',
    'date',
  ],
  retracted: ['isretracted', 'retracted', 'documenttype', 'publicationtype', 'publicationtypes', 'dt'],
};

/** Exports recognised by columns that only they have together. */
const knownFormats: [name: string, columns: string[]][] = [
  ['Web of Science (field tags)', ['ti', 'ab', 'ut']],
  ['Web of Science (field tags)', ['ti', 'ab', 'pt']],
  ['Web of Science', ['articletitle', 'utuniquewosid']],
  ['Dimensions', ['publicationid', 'title', 'pubyear']],
  ['Lens', ['lensid', 'title']],
  ['Semantic Scholar', ['corpusid', 'externalids']],
  ['Scopus', ['title', 'eid']],
  ['Scopus', ['title', 'sourcetitle', 'citedby']],
  ['OpenAlex', ['id', 'publicationyear', 'displayname']],
  ['OpenAlex', ['id', 'publicationyear', 'doi']],
  ['OpenAlex', ['id', 'abstractinvertedindex']],
  ['Zotero', ['key', 'itemtype', 'abstractnote']],
];

/** What a column's name is compared by. */
function foldName(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '');
}

/** Place of a name among the known ones of a role, from 0; −1 when it is none. */
export function rankOf(role: Role, name: string): number {
  return knownNames[role].indexOf(foldName(name));
}

/** The same for what is told beside the text. */
export function rankOfFact(role: FactRole, name: string): number {
  return knownFactNames[role].indexOf(foldName(name));
}

/** Whose export a file is; null for a table of anybody's. */
function recogniseFormat(names: readonly string[]): string | null {
  const folded = new Set(names.map(foldName));
  for (const [format, columns] of knownFormats)
    if (columns.every((column) => folded.has(column))) return format;
  return null;
}

/**
 * Column of each role among a header's names; −1 where there is none.
 *
 * @throws UserError naming what is missing, what was found, and the lines of config.yaml that mend it.
 */
export function findColumns(
  names: readonly string[],
  mapping: SourceConfig['columns'],
  path: string,
): Record<Role, number> {
  const columns: Record<Role, number> = { id: -1, doi: -1, title: -1, abstract: -1, year: -1 };
  const missing: string[] = [];
  for (const role of roles) {
    const wanted = mapping[role];
    if (wanted === null) continue;
    columns[role] =
      wanted === undefined ? findBest(names, (name) => rankOf(role, name)) : findNamed(wanted, names);
    if (columns[role] >= 0) continue;
    if (wanted !== undefined) missing.push(`"${wanted}" (ingest.columns.${role})`);
    else if (role === 'title' || role === 'abstract') missing.push(role);
  }
  if (missing.length > 0) throw new UserError(missingColumns(missing, names, mapping, path));
  return columns;
}

/**
 * Column of each fact among a header's names; those that are in none are left out.
 *
 * @throws UserError for a name of the user's that the header does not have.
 */
export function findFacts(
  names: readonly string[],
  mapping: SourceConfig['columns'],
  path: string,
): [role: FactRole, column: number][] {
  return factRoles.flatMap((role): [FactRole, number][] => {
    const wanted = mapping[role];
    if (wanted === null) return [];
    const column =
      wanted === undefined ? findBest(names, (name) => rankOfFact(role, name)) : findNamed(wanted, names);
    if (column < 0 && wanted !== undefined) {
      throw new UserError(missingColumns([`"${wanted}" (ingest.columns.${role})`], names, mapping, path));
    }
    return column < 0 ? [] : [[role, column]];
  });
}

function findBest(names: readonly string[], rankOfName: (name: string) => number): number {
  let best = -1;
  let bestRank = Number.POSITIVE_INFINITY;
  for (let i = 0; i < names.length; i++) {
    const rank = rankOfName(names[i]);
    if (rank >= 0 && rank < bestRank) {
      best = i;
      bestRank = rank;
    }
  }
  return best;
}

/** The name as it is written, else the only one that differs in case or signs alone. */
function findNamed(wanted: string, names: readonly string[]): number {
  const exact = names.indexOf(wanted);
  if (exact >= 0) return exact;
  const folded = foldName(wanted);
  const alike = names.flatMap((name, i) => (folded !== '' && foldName(name) === folded ? [i] : []));
  return alike.length === 1 ? alike[0] : -1;
}

/** Words the error for columns that a file does not have. */
export function missingColumns(
  missing: readonly string[],
  names: readonly string[],
  mapping: SourceConfig['columns'],
  path: string,
): string {
  const found = names.slice(0, 60).map((name) => `"${shorten(name)}"`);
  if (names.length > found.length) found.push(`and ${names.length - found.length} more`);
  const lines: string[] = [];
  for (const role of ['title', 'abstract'] as const) {
    const wanted = mapping[role];
    if (wanted !== null) lines.push(`      ${role}: ${quoteName(nearest(wanted ?? role, names))}`);
  }
  for (const role of ['id', 'doi', 'year'] as const) {
    const wanted = mapping[role];
    if (typeof wanted === 'string') lines.push(`      ${role}: ${quoteName(nearest(wanted, names))}`);
  }
  return [
    `ingest: expected a column for ${missing.join(' and ')} in ${path}, found ${found.join(', ') || 'none'}.`,
    'The first line must name the columns. Say in the config which of them mean what, for instance',
    '  ingest:',
    '    columns:',
    ...lines,
    'and write null for one that the file does not have.',
  ].join('\n');
}

function nearest(wanted: string, names: readonly string[]): string {
  const folded = foldName(wanted);
  let best = wanted;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const name of names.slice(0, 200)) {
    const other = foldName(name.slice(0, 100));
    const d = other.includes(folded) && folded !== '' ? 0.5 : distance(folded, other);
    if (d < bestDistance) {
      best = name;
      bestDistance = d;
    }
  }
  return shorten(best);
}

function quoteName(name: string): string {
  return /^[\p{L}_][\p{L}\p{N}_ ().-]*$/u.test(name) && name !== 'null' ? name : JSON.stringify(name);
}

function shorten(name: string): string {
  return name.length > 60 ? `${name.slice(0, 60)}…` : name;
}

/** Says which format was recognised and what was taken from where. */
export function describeColumns(
  path: string,
  form: string,
  names: readonly string[],
  taken: Partial<Record<Role, string>>,
): string {
  const format = recogniseFormat(names);
  const pairs = roles.flatMap((role) => (taken[role] === undefined ? [] : [`${role} from "${taken[role]}"`]));
  const absent = roles.filter((role) => taken[role] === undefined);
  const none = absent.length > 0 ? `, no ${absent.join(', no ')}` : '';
  return `${path}: read as ${format === null ? '' : `${format}, `}${form}: ${pairs.join(', ')}${none}.`;
}
