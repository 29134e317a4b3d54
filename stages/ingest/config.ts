/**
 * The `ingest` section of config.yaml: where papers come from, and which fields mean what. One source, or a
 * list of them.
 */

import { z } from 'zod';
import type { Section } from '../../pipeline/contract.ts';

/** The name of a column (csv) or of a field, dots leading inward (jsonl); null where the file has none. */
const columnName = (meaning: string) =>
  z
    .string()
    .trim()
    .min(1)
    .nullable()
    .optional()
    .describe(`${meaning}; null when the file has none. Default: recognised by its name`);

/** A day as YAML leaves it: text. */
const day = z.string().regex(/^\d{4}-\d\d-\d\d$/);

/** Sources read as a whole whenever one of their files changed. */
const wholeSources = ['csv', 'jsonl', 'bibtex', 'ris'] as const;

/** Sources whose records the database keeps, and which are asked for what is new. */
const keptSources = ['acl', 'openalex', 'arxiv', 'pubmed'] as const;

const fields = z.strictObject({
  source: z
    .enum([...wholeSources, ...keptSources])
    .default('csv')
    .describe(
      'Format of the file: csv (commas, tabs, semicolons or bars, told apart by the file), jsonl, bibtex or ris; acl for the XML files of the ACL Anthology, openalex, arxiv and pubmed for their web services, pubmed for its files as well',
    ),
  name: z
    .string()
    .regex(/^[\w .-]{1,64}$/)
    .optional()
    .describe('What the database calls this source, where its format does not say enough; 64 characters'),
  path: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .optional()
    .describe(
      'The file, or a list of files, relative to this config file; plain or gzip. For acl and pubmed folders as well',
    ),
  query: z
    .string()
    .trim()
    .min(1)
    .max(4000)
    .optional()
    .describe('Words to search for (openalex, arxiv, pubmed)'),
  filter: z
    .string()
    .trim()
    .min(1)
    .max(4000)
    .optional()
    .describe(
      'Filter of OpenAlex, as in the address of a search: topics.id:T10181,publication_year:2020-2025',
    ),
  set: z
    .string()
    .regex(/^[\w:.-]{1,100}$/)
    .optional()
    .describe('Part of arXiv, as cs or cs:cs:CL: all of its papers, then what changes'),
  from: day.optional().describe('Papers that arXiv added or changed from this day on, 2024-01-31'),
  until: day.optional().describe('Papers that arXiv added or changed up to this day'),
  url: z
    .string()
    .refine(isWebAddress, 'an address that starts with https:// or http://, without user name and query')
    .optional()
    .describe('Address of the service, where it is not the usual one'),
  mailto: z
    .string()
    .regex(/^[^\s@<>()]{1,64}@[^\s@<>()]{1,190}$/)
    .optional()
    .describe(
      'Your e-mail address, told to the service so that it can reach you; services are faster to those who do',
    ),
  api_key: z
    .string()
    .regex(/^env:\w+$/)
    .optional()
    .describe('env:NAME, the variable that holds the key of your account with the service'),
  requests_per_second: z
    .number()
    .gt(0)
    .max(100)
    .optional()
    .describe("Most requests a second, above 0 and up to 100. Default: the service's own bound"),
  update: z
    .boolean()
    .optional()
    .describe(
      'Whether each run asks a service for what is new (default), or works with what was fetched before',
    ),
  columns: z
    .strictObject({
      id: columnName('Column with the id of a paper, unique and stable from night to night'),
      doi: columnName('Column with the DOI, with or without https://doi.org/'),
      title: columnName('Column with the title'),
      abstract: columnName('Column with the abstract'),
      year: columnName('Column with the year or date of publication'),
      arxiv: columnName('Column with the arXiv id'),
      pmid: columnName('Column with the PubMed id'),
      authors: columnName('Column with the authors, separated by semicolons, bars or as a list'),
      institutions: columnName('Column with the institutions, likewise'),
      venue: columnName('Column with the journal or proceedings'),
      citations: columnName('Column with the number of citations'),
      published: columnName('Column with the date of publication'),
      retracted: columnName('Column that says whether a paper was retracted'),
    })
    .prefault({})
    .describe(
      'Names of the columns. Those of OpenAlex, Scopus, Web of Science, Dimensions, Lens, Zotero, Semantic Scholar and plain tables are known',
    ),
  delimiter: z
    .enum(['auto', ',', ';', '|', '\t', 'tab'])
    .default('auto')
    .describe('What stands between the columns of a csv file: auto , ; | tab'),
  encoding: z
    .string()
    .refine(isEncoding, 'Expected auto or an encoding of the WHATWG list, such as utf-8 or windows-1252')
    .default('auto')
    .describe('Encoding of the file, such as windows-1252; auto is UTF-8, or UTF-16 where the file shows it'),
  retracted: z
    .enum(['leave_out', 'keep'])
    .optional()
    .describe('What becomes of papers that a source calls retracted: leave_out (default) or keep'),
  min_text_length: z
    .int()
    .min(1)
    .max(10_000)
    .default(15)
    .describe(
      'Fewest letters and digits in title and abstract together, 1 to 10000; shorter rows are left out',
    ),
  max_text_length: z
    .int()
    .min(1_000)
    .max(10_000_000)
    .default(100_000)
    .describe('Most characters in a title or an abstract, 1000 to 10000000; longer rows are left out'),
});

type Fields = z.infer<typeof fields>;

/** Settings that only some sources have; for each source those that it has, and of which groups it needs one. */
const special = [
  ...(['path', 'query', 'filter', 'set', 'from', 'until', 'url', 'mailto', 'api_key'] as const),
  ...(['requests_per_second', 'update'] as const),
] as const;

type Special = (typeof special)[number];

const service = ['url', 'mailto', 'api_key', 'requests_per_second', 'update'] as const;

const files = { has: ['path'], needsOneOf: ['path'] } as const;

const ownSettings: Record<Fields['source'], { has: readonly Special[]; needsOneOf: readonly Special[] }> = {
  csv: files,
  jsonl: files,
  bibtex: files,
  ris: files,
  acl: files,
  openalex: { has: ['query', 'filter', ...service], needsOneOf: ['filter', 'query'] },
  pubmed: { has: ['path', 'query', ...service], needsOneOf: ['path', 'query', 'url'] },
  arxiv: { has: ['query', 'set', 'from', 'until', ...service], needsOneOf: ['set', 'query'] },
};

/** One source. */
export const source = fields.superRefine((given, context) => {
  const { has, needsOneOf } = ownSettings[given.source];
  if (given.source === 'arxiv' && given.set !== undefined && given.query !== undefined) {
    context.addIssue({ code: 'custom', path: ['query'], message: 'left out where ingest.set is given' });
  }
  if (given.source === 'pubmed' && given.path !== undefined && given.query !== undefined) {
    context.addIssue({ code: 'custom', path: ['query'], message: 'left out where ingest.path is given' });
  }
  const missing = needsOneOf.every((name) => given[name] === undefined);
  if (missing) context.addIssue({ code: 'custom', path: [needsOneOf[0]], message: 'a value' });
  for (const name of special) {
    if (given[name] === undefined || has.includes(name)) continue;
    const message = `left out: ${given.source} has no use for it`;
    context.addIssue({ code: 'custom', path: [name], message });
  }
});

/** Checked settings of one source. */
export type SourceConfig = z.infer<typeof source>;

export type IngestConfig = SourceConfig | SourceConfig[];

/** The five meanings that a paper's text and identity come from. */
export type Role = 'id' | 'doi' | 'title' | 'abstract' | 'year';

/** What else a column can mean. */
export type FactRole = Exclude<keyof SourceConfig['columns'], Role>;

export const section: Section<IngestConfig> = {
  schema: z.union([source, z.array(source).min(1).max(100)]),
};

export type WholeSource = (typeof wholeSources)[number];

/** Whether a source's files are read as a whole; the records of others are kept. */
export function isWhole(config: SourceConfig): config is SourceConfig & { source: WholeSource } {
  return wholeSources.some((name) => name === config.source);
}

export function sourcesOf(config: IngestConfig): SourceConfig[] {
  return Array.isArray(config) ? config : [config];
}

function isWebAddress(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return (
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    `${url.username}${url.password}${url.search}${url.hash}` === ''
  );
}

function isEncoding(label: string): boolean {
  if (label === 'auto') return true;
  try {
    new TextDecoder(label);
    return true;
  } catch {
    return false;
  }
}
