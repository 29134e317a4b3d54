/** What a source of any format gives for one row: raw values by meaning, before cleaning and checks. */

import type { SkippedRow } from '../../pipeline/contract.ts';
import type { Role } from './config.ts';

export interface SourceRow {
  /** Line of the file where the row starts, from 1. */
  line: number;
  /** As the file has them: a string, a number, a list of strings; undefined where the row has nothing. */
  values: Partial<Record<Role, unknown>>;
  /** Every other column, in the order of the file. */
  extra: [name: string, value: unknown][];
}

/** A row that could not be read. */
export type FaultyRow = SkippedRow;

/** Rows that were read from one piece of the file. */
export interface SourceRows {
  rows: SourceRow[];
  faulty: FaultyRow[];
}

/** What a source tells the user beside its rows. */
export interface SourceReport {
  /** Which format was recognised and which columns were taken; null before that is known. */
  recognised: string | null;
  /** Name of the column that abstracts were taken from. */
  abstractName: string;
  /** Line that reading has reached. */
  line: number;
}
