/** Words the counts of what was mended or left empty, for the closing summary. */

import type { MendCounts } from './check-record.ts';

/**
 * @param kept Records of the file.
 * @returns One sentence for each count that is not zero.
 */
export function describeMends(counts: MendCounts, kept: number, name: string): string[] {
  const of = (count: number): string => `${name}: ${format(count)} of ${format(kept)} records`;
  const notices: [count: number, text: string][] = [
    [counts.withoutAbstract, 'have a title and no abstract; they are kept'],
    [counts.withoutYear, 'have no year; they are kept and left out of counts by year'],
    [counts.badYear, 'have a year that is none from 1500 to 2100; it is left empty'],
    [counts.badDoi, 'have a DOI that is none (10.…/…); it is left empty'],
    [
      counts.undecodable,
      'hold bytes that could not be decoded, shown as \ufffd; if the file is not UTF-8, set ingest.encoding, ' +
        'for instance windows-1252',
    ],
    [counts.madeId, 'have no id; theirs is made from the DOI, else from the title'],
    [counts.mendedId, 'have an id that was too long or held control characters; it was mended'],
    [counts.rebuiltAbstract, 'had their abstract rebuilt from its inverted index'],
    [
      counts.droppedExtra,
      'have other columns too large to keep (20,000 characters in all); the largest were dropped',
    ],
  ];
  return notices.filter(([count]) => count > 0).map(([count, text]) => `${of(count)} ${text}.`);
}

function format(count: number): string {
  return count.toLocaleString('en-US');
}
