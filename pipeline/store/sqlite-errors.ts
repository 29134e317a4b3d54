/** What SQLite and the operating system say of a database that cannot be used, in words that tell what to do. */

import { UserError } from '../errors.ts';
import { restoreAdvice } from './backup-files.ts';

/** SQLite's faults that the user can mend, in words; anything else is passed on as it is. */
export function wordSqliteError(error: unknown, path: string): unknown {
  return worded(error, path, 'SQLITE_');
}

/** The same with the faults of making the database's folder. */
export function wordOpeningError(error: unknown, path: string): unknown {
  return worded(error, path, '');
}

/** @param kind Start of the codes that are the database's: a run meets other files' errors as well. */
function worded(error: unknown, path: string, kind: 'SQLITE_' | ''): unknown {
  if (error instanceof UserError) return error;
  const code = (error as { code?: string }).code ?? '';
  if (!code.startsWith(kind)) return error;
  const words: [string, string][] = [
    [
      'SQLITE_NOTADB',
      `${path} is not a SQLite database, or its start is damaged. If it was one: ${restoreAdvice(path)}
Else give run.database another name.`,
    ],
    ['SQLITE_CORRUPT', `${path} is damaged. ${restoreAdvice(path)}`],
    ['SQLITE_FULL', `The disk that holds ${path} is full; free some space and run the same command again.`],
    ['SQLITE_READONLY', `${path} cannot be written; check the permissions of the file and its folder.`],
    ['SQLITE_CANTOPEN', `${path} cannot be opened or made; check that its folder exists and can be written.`],
    ['SQLITE_BUSY', `${path} is locked by another program; close it and run the same command again.`],
    ['SQLITE_IOERR', `Reading or writing ${path} failed; check the disk, then run the same command again.`],
    ['EACCES', `${path} cannot be made: no permission to write in its folder.`],
    ['EPERM', `${path} cannot be made: no permission to write in its folder.`],
    ['ENOENT', `${path} cannot be made: its folder does not exist and cannot be made.`],
    ['ENOTDIR', `${path} cannot be made: a file stands where its folder should be; change run.database.`],
    ['EEXIST', `${path} cannot be made: a file stands where its folder should be; change run.database.`],
    ['ENAMETOOLONG', `${path} cannot be made: the path is too long; change run.database.`],
    ['EROFS', `${path} cannot be made: its folder is read-only.`],
    ['ENOSPC', `The disk that holds ${path} is full; free some space and run the same command again.`],
  ];
  const found = words.find(([prefix]) => code.startsWith(prefix));
  return found === undefined ? error : new UserError(found[1], { cause: error });
}
