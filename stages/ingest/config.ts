/** The `ingest` section of config.yaml: which file is read, and which of its columns mean what. */

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

const schema = z.strictObject({
  source: z
    .enum(['csv', 'jsonl'])
    .default('csv')
    .describe('Format of the file: csv (commas, tabs, semicolons or bars, told apart by the file) or jsonl'),
  path: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .describe('The file, or a list of files, relative to this config file; plain or gzip'),
  columns: z
    .strictObject({
      id: columnName('Column with the id of a paper, unique and stable from night to night'),
      doi: columnName('Column with the DOI, with or without https://doi.org/'),
      title: columnName('Column with the title'),
      abstract: columnName('Column with the abstract'),
      year: columnName('Column with the year or date of publication'),
    })
    .prefault({})
    .describe(
      'Names of the columns. Those of OpenAlex, Scopus, Web of Science, Zotero and plain tables are known',
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

export type IngestConfig = z.infer<typeof schema>;

/** The five meanings that a column can have. */
export type Role = keyof IngestConfig['columns'];

export const section: Section<IngestConfig> = { schema };

function isEncoding(label: string): boolean {
  if (label === 'auto') return true;
  try {
    new TextDecoder(label);
    return true;
  } catch {
    return false;
  }
}
