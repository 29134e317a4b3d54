/** Faults of a transfer that may pass if it is asked for again, and what is read of an answer's headers. */

/** Something that may pass. Given up after some tries, its message becomes a UserError's. */
export class TransferFault extends Error {
  override readonly name = 'TransferFault';

  /** What the server asked for; null when it asked for nothing. */
  readonly retryAfterSeconds: number | null;
  /** True when nobody answered at all: no network, no such host, nobody listening. */
  readonly unreachable: boolean;

  constructor(
    message: string,
    options: ErrorOptions & { retryAfterSeconds?: number | null; unreachable?: boolean } = {},
  ) {
    super(message, options);
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
    this.unreachable = options.unreachable ?? false;
  }
}

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

export function headerText(headers: Headers, name: string): string | null {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

/** Seconds or a date, as HTTP allows; null for neither. */
export function retryAfter(headers: Headers): number | null {
  const text = headerText(headers, 'retry-after');
  if (text === null) return null;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? null : Math.max(0, Math.ceil(seconds));
}

export function errorCode(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if ('code' in error && typeof error.code === 'string') return error.code;
  // Several addresses were tried, as IPv4 and IPv6; what the first one said stands for all.
  if (error instanceof AggregateError) return errorCode(error.errors[0]);
  return null;
}

/** Text from outside as it may stand in a message: short, and with nothing that a terminal would obey. */
export function quoted(text: string, maxLength = 120): string {
  const shown = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return JSON.stringify(shown).replace(/[\u007f-\u009f\u2028\u2029]/g, '?');
}
