/**
 * PubMed's baseline and daily update files, from a folder or from where they are offered. They are a log: files
 * are read once, in the order of their numbers, and later ones change and delete what earlier ones brought.
 */

import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeptSource, SourceName } from '../../pipeline/contract.ts';
import { UserError } from '../../pipeline/errors.ts';
import type { WebService } from '../../pipeline/http/web-service.ts';
import type { SourceConfig } from './config.ts';
import { changesOfFiles, filesAt, type PartFile } from './kept-files.ts';
import { identityOf } from './kept-records.ts';
import { createPubmedScanner, type PubmedPiece } from './pubmed-articles.ts';
import { openService } from './services.ts';
import { readText } from './text-stream.ts';

/** Between two requests for a file of many megabytes. */
const intervalMilliseconds = 500;

const maxIndexBytes = 16 << 20;

/** The largest file so far has some 100 MB. */
const maxFileBytes = 1 << 30;

const isLog = { isLog: true };

export function pubmedFolderSource(config: SourceConfig, baseFolder: string, name: SourceName): KeptSource {
  const paths = typeof config.path === 'string' ? [config.path] : (config.path ?? []);
  return {
    ...name,
    identity: identityOf(config, { paths }),
    changes(cursor, job) {
      const files = [...filesAt(paths, baseFolder, /\.xml(?:\.gz)?$/)].map(
        ([fileName, path]): PartFile => ({
          name: fileName,
          // Files of gigabytes in all, which never change once they are out: their content is not read to know them.
          fingerprint: async () => {
            const { size, mtimeMs } = statSync(path);
            return `${size} ${mtimeMs}`;
          },
          read: () => readArticles(path, config),
        }),
      );
      return changesOfFiles(files, cursor, config, isLog, job);
    },
  };
}

/** @param config Its `url` is the folder with the files, or the one with baseline/ and updatefiles/ in it. */
export function pubmedUrlSource(config: SourceConfig, name: SourceName): KeptSource {
  return {
    ...name,
    identity: identityOf(config, { url: config.url }),
    changes: async function* (cursor, job) {
      const service = openService(config, name.name, intervalMilliseconds, job);
      const folder = mkdtempSync(join(tmpdir(), 'scinertopic-pubmed-'));
      try {
        const files = (await listedFiles(service, config)).map(
          (address): PartFile => ({
            name: fileName(address),
            fingerprint: async () => 'listed',
            read: () => readFetched(service, address, folder, config),
          }),
        );
        yield* changesOfFiles(files, cursor, config, isLog, job);
      } finally {
        rmSync(folder, { recursive: true, force: true });
        await service.close();
      }
    },
  };
}

async function* readArticles(path: string, config: SourceConfig): AsyncGenerator<PubmedPiece> {
  const scanner = createPubmedScanner(path);
  for await (const text of readText(path, config.encoding)) yield scanner.push(text);
  yield scanner.end();
}

/** Brings a file here, compares it with its checksum, reads it and lets it go. */
async function* readFetched(
  service: WebService,
  address: URL,
  folder: string,
  config: SourceConfig,
): AsyncGenerator<PubmedPiece> {
  const path = join(folder, fileName(address));
  const sumAddress = new URL(`${address.href}.md5`);
  const wanted = await service.page(sumAddress, 4096, (text) =>
    /\b[0-9a-f]{32}\b/i.exec(text)?.[0].toLowerCase(),
  );
  await service.download(address, maxFileBytes, path);
  const found = await md5(path);
  if (wanted !== undefined && wanted !== found) {
    throw new UserError(
      `ingest: expected ${fileName(address)} to have the checksum ${wanted}, got ${found}. Run again; something on the way changes it where it stays so.`,
    );
  }
  try {
    yield* readArticles(path, config);
  } finally {
    rmSync(path, { force: true });
  }
}

async function md5(path: string): Promise<string> {
  const sum = createHash('md5');
  for await (const piece of createReadStream(path)) sum.update(piece as Buffer);
  return sum.digest('hex');
}

/** Addresses of all files, in the order of their numbers. */
async function listedFiles(service: WebService, { url }: SourceConfig): Promise<URL[]> {
  const base = new URL(`${(url ?? '').replace(/\/*$/, '')}/`);
  const names = await linksAt(service, base);
  const folders = names.filter((name) => name === 'baseline/' || name === 'updatefiles/');
  const addresses = addressesOf(names, base);
  for (const folder of folders) {
    const inner = new URL(folder, base);
    addresses.push(...addressesOf(await linksAt(service, inner), inner));
  }
  if (addresses.length === 0) {
    throw new UserError(
      `ingest: expected files named as pubmed24n0001.xml.gz at ${base.href} (ingest.url), found none.`,
    );
  }
  return addresses.sort((a, b) => (fileName(a) < fileName(b) ? -1 : 1));
}

/** What a listing of a folder links to. */
function linksAt(service: WebService, address: URL): Promise<string[]> {
  return service.page(address, maxIndexBytes, (text) =>
    [...text.matchAll(/\bhref\s*=\s*"([^"<>]{1,300})"/gi)].map(([, link]) => link.replace(/^\.\//, '')),
  );
}

function addressesOf(names: readonly string[], base: URL): URL[] {
  const files = names.filter((name) => /^pubmed\d\dn\d{4,5}\.xml\.gz$/.test(name));
  return [...new Set(files)].map((name) => new URL(name, base));
}

function fileName(address: URL): string {
  return address.pathname.split('/').at(-1) ?? '';
}
