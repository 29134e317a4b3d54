/** What a source of any format gives for one row: raw values by meaning, before cleaning and checks. */

import type { SkippedRow, Withdrawal } from '../../pipeline/contract.ts';
import type { FactRole, Role } from './config.ts';

export interface SourceRow {
  /** Line of the file where the row starts, from 1; 0 where there are no lines. */
  line: number;
  /** As the file has them: a string, a number, a list of strings; undefined where the row has nothing. */
  values: Partial<Record<Role, unknown>>;
  /** The same for what is told of a paper beside its text. */
  facts?: Partial<Record<FactRole, unknown>>;
  /** Set where the source itself says that the paper is void. */
  withdrawn?: Withdrawal;
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
