/** The one error class for what a user can mend. Everything else that is thrown is a bug of ours. */

/**
 * Something the user can put right: a setting, a file, a row, a missing model.
 * The message says what was expected, what was found, where, and what to do.
 */
export class UserError extends Error {
  override readonly name = 'UserError';

  /** What the command line exits with: 2 for what a user can mend, 3 when another run holds the lock. */
  readonly exitCode: 2 | 3;

  constructor(message: string, options: ErrorOptions & { exitCode?: 2 | 3 } = {}) {
    super(message, options);
    this.exitCode = options.exitCode ?? 2;
  }
}

/** Raised where a run was asked to stop (SIGINT, SIGTERM, AbortSignal); the same command resumes it. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
