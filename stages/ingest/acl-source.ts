/**
 * The ACL Anthology: its XML files, one per collection, as its repository holds them in data/xml. Markup within
 * titles and abstracts is read as text, formulas stay formulas.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { KeptSource, SourceName, Withdrawal } from '../../pipeline/contract.ts';
import type { SourceConfig } from './config.ts';
import { changesOfFiles, filesAt } from './kept-files.ts';
import { identityOf } from './kept-records.ts';
import type { SourceRow, SourceRows } from './source-row.ts';
import { readText } from './text-stream.ts';
import {
  childOf,
  childrenOf,
  createXmlScanner,
  type FoundElement,
  valueIn,
  type XmlElement,
} from './xml-elements.ts';
import { readableText } from './xml-text.ts';

export function aclSource(config: SourceConfig, baseFolder: string, name: SourceName): KeptSource {
  const paths = typeof config.path === 'string' ? [config.path] : (config.path ?? []);
  return {
    ...name,
    identity: identityOf(config, paths),
    changes(cursor, job) {
      const files = [...filesAt(paths, baseFolder, /\.xml(?:\.gz)?$/)].map(([fileName, path]) => ({
        name: fileName,
        fingerprint: () => sha256(path),
        read: () => readAcl(readText(path, config.encoding), path),
      }));
      return changesOfFiles(files, cursor, config, { isLog: false }, job);
    },
  };
}

async function sha256(path: string): Promise<string> {
  const sum = createHash('sha256');
  for await (const piece of createReadStream(path)) sum.update(piece as Buffer);
  return sum.digest('hex');
}

/** Rows of one collection. */
export async function* readAcl(texts: AsyncIterable<string>, path: string): AsyncGenerator<SourceRows> {
  const scanner = createXmlScanner(new Set(['meta', 'paper']), path);
  let meta: XmlElement | null = null;
  const convert = ({ elements, faults }: ReturnType<typeof scanner.push>): SourceRows => {
    const result: SourceRows = { rows: [], faulty: [] };
    for (const { line, detail } of faults)
      result.faulty.push({ line, id: null, reason: 'broken XML', detail });
    for (const element of elements) {
      if (element.name === 'meta') meta = element;
      else result.rows.push(toRow(element, meta));
    }
    return result;
  };
  for await (const text of texts) yield convert(scanner.push(text));
  yield convert(scanner.end());
}

function toRow(paper: FoundElement, meta: XmlElement | null): SourceRow {
  const authors = childrenOf(paper, 'author');
  const year = valueIn(paper, 'year') ?? valueIn(meta, 'year');
  const withdrawn = withdrawalOf(paper);
  return {
    line: paper.line,
    values: {
      id: anthologyId(paper),
      doi: valueIn(paper, 'doi'),
      title: readableText(childOf(paper, 'title')),
      abstract: readableText(childOf(paper, 'abstract')),
      year,
    },
    facts: {
      authors: authors.map((author) =>
        [valueIn(author, 'first'), valueIn(author, 'last')].filter((part) => part !== undefined).join(' '),
      ),
      institutions: authors.flatMap((author) => valueIn(author, 'affiliation') ?? []),
      venue: readableText(childOf(meta, 'booktitle')) || valueIn(meta, 'venue'),
      published: year,
    },
    ...(withdrawn === null ? {} : { withdrawn }),
    extra: ['pages', 'url', 'bibkey', 'language'].map((name) => [name, valueIn(paper, name)]),
  };
}

/** As 2020.acl-main.1 or P18-1001: its address says it, where it is the Anthology's own, else the numbers around it. */
function anthologyId(paper: FoundElement): string {
  const url = valueIn(paper, 'url');
  if (url !== undefined && /^[\w.-]{4,64}$/.test(url)) return url;
  const numberOf = (name: string): string =>
    paper.around.find((one) => one.name === name)?.attributes.id ?? '';
  const collection = numberOf('collection');
  const volume = numberOf('volume');
  const number = paper.attributes.id ?? '';
  if (!/^[A-Z]\d\d$/.test(collection)) return `${collection}-${volume}.${number}`;
  // Workshops count volumes with two digits, all others with one.
  const isWorkshop = collection.startsWith('W') || (collection === 'D19' && Number(volume) >= 5);
  const digits = isWorkshop ? 2 : 1;
  return `${collection}-${volume.padStart(digits, '0')}${number.padStart(4 - digits, '0')}`;
}

function withdrawalOf(paper: XmlElement): Withdrawal | null {
  for (const [name, reason] of [['retracted', 'retracted'] as const, ['removed', 'withdrawn'] as const]) {
    const element = childOf(paper, name);
    if (element === null) continue;
    const { date } = element.attributes;
    const why = valueIn(paper, name);
    const detail = `the ACL Anthology says so${date === undefined ? '' : ` on ${date}`}${why === undefined ? '' : `: ${why.slice(0, 200)}`}`;
    return { reason, detail };
  }
  return null;
}
