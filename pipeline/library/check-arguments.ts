/**
 * The door of the library's functions: what a program hands in is looked at before any work, and each error says
 * what was expected and what was found. Another kind of thing than expected is a TypeError, a value or size out of
 * range a RangeError.
 */

import { distance } from 'fastest-levenshtein';

/** What one option may be. */
export interface OptionRule {
  required: boolean;
  /** In words: "a whole number from 2 up". */
  expected: string;
  /** Whether it is of the right kind, and whether, being so, it is in range. */
  isKind(value: unknown): boolean;
  isInRange(value: never): boolean;
}

export type OptionRules<Options> = { [Name in keyof Options]-?: OptionRule };

const isNumber = (value: unknown): boolean => typeof value === 'number';

/** Rows and columns are counted in 32 bits. */
const MOST_COUNT = 2 ** 31 - 1;

export function wholeNumber(least: number, most = MOST_COUNT): OptionRule {
  return {
    required: false,
    expected:
      most === MOST_COUNT ? `a whole number from ${least} up` : `a whole number from ${least} to ${most}`,
    isKind: isNumber,
    isInRange: (value: number) => Number.isInteger(value) && value >= least && value <= most,
  };
}

/** A seed: any whole number, of which the lowest 32 bits count. */
export const seedRule: OptionRule = {
  required: false,
  expected: 'a whole number',
  isKind: isNumber,
  isInRange: Number.isSafeInteger,
};

export function numberFrom(least: number): OptionRule {
  return {
    required: false,
    expected: `a number from ${least} up`,
    isKind: isNumber,
    isInRange: (value: number) => value >= least && value < Infinity,
  };
}

export const numberAboveZero: OptionRule = {
  required: false,
  expected: 'a number above 0',
  isKind: isNumber,
  isInRange: (value: number) => value > 0 && value < Infinity,
};

export function oneOf(...names: readonly string[]): OptionRule {
  return {
    required: false,
    expected: names.map((name) => `"${name}"`).join(' or '),
    isKind: (value) => typeof value === 'string',
    isInRange: (value: string) => names.includes(value),
  };
}

export const trueOrFalse: OptionRule = kindRule('true or false', (value) => typeof value === 'boolean');

export const abortSignal: OptionRule = kindRule(
  'an AbortSignal',
  (value) => value instanceof AbortSignal || (isObject(value) && typeof value.aborted === 'boolean'),
);

export const listener: OptionRule = kindRule('a function', (value) => typeof value === 'function');

/** Anything of a kind. */
export function kindRule(expected: string, isKind: (value: unknown) => boolean): OptionRule {
  return { required: false, expected, isKind, isInRange: () => true };
}

export function required(rule: OptionRule): OptionRule {
  return { ...rule, required: true };
}

/**
 * Options that are left out or undefined are none.
 *
 * @param caller The function that was called, which errors begin with.
 * @throws TypeError for what is no object of options, an option that there is not (naming the nearest that there
 *   is), one that is missing or of another kind; RangeError for one out of range.
 */
export function checkOptions<Options>(caller: string, options: unknown, rules: OptionRules<Options>): void {
  if (!isObject(options)) {
    throw new TypeError(`${caller}: expected options as an object, got ${shown(options)}.`);
  }
  const known = Object.keys(rules);
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new TypeError(`${caller}: ${unknownOption(name, known)}`);
  }
  for (const [name, rule] of Object.entries<OptionRule>(rules)) {
    const value = options[name];
    if (value === undefined) {
      if (rule.required) throw new TypeError(`${caller}: expected ${name}, ${rule.expected}, got none.`);
    } else if (!rule.isKind(value)) {
      throw new TypeError(`${caller}: expected ${name} to be ${rule.expected}, got ${shown(value)}.`);
    } else if (!rule.isInRange(value as never)) {
      throw new RangeError(`${caller}: expected ${name} to be ${rule.expected}, got ${shown(value)}.`);
    }
  }
}

function unknownOption(name: string, known: readonly string[]): string {
  const [nearest] = [...known].sort((a, b) => distance(a, name) - distance(b, name));
  const isClose = distance(nearest, name) <= Math.max(2, name.length / 3);
  return `there is no option "${name}". ${isClose ? `Did you mean "${nearest}"?` : `There are: ${known.join(', ')}.`}`;
}

type Numbers = 'Float32Array' | 'Float64Array' | 'Int32Array';

/**
 * Looks at the kind and the length of a matrix, not at its numbers.
 *
 * @param name What the caller calls it.
 */
export function checkMatrix(
  caller: string,
  name: string,
  values: unknown,
  kinds: readonly Numbers[],
  n: number,
  d: number,
): void {
  checkTyped(caller, name, values, kinds);
  if (values.length !== n * d) {
    throw new RangeError(
      `${caller}: expected ${name} of ${n} rows × ${d} numbers = ${n * d}, got ${values.length}.`,
    );
  }
}

/** The same for rows whose number is not known beforehand. */
export function countRows(
  caller: string,
  name: string,
  values: unknown,
  kinds: readonly Numbers[],
  d: number,
): number {
  checkTyped(caller, name, values, kinds);
  if (values.length % d !== 0) {
    throw new RangeError(
      `${caller}: expected ${name} of ${d} numbers a row, as the model’s are, got ${values.length} numbers.`,
    );
  }
  return values.length / d;
}

/** By its name, which is the same for arrays of another realm. */
function checkTyped(
  caller: string,
  name: string,
  values: unknown,
  kinds: readonly Numbers[],
): asserts values is Float32Array {
  if (
    ArrayBuffer.isView(values) &&
    kinds.some((kind) => Object.prototype.toString.call(values) === `[object ${kind}]`)
  )
    return;
  throw new TypeError(`${caller}: expected ${name} to be a ${kinds.join(' or ')}, got ${shown(values)}.`);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** What was found, in a few words. */
export function shown(value: unknown): string {
  if (value === undefined || value === null || isNumber(value) || typeof value === 'boolean')
    return String(value);
  if (typeof value === 'string') return value.length > 40 ? `"${value.slice(0, 40)}…"` : `"${value}"`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object') return `a ${Object.prototype.toString.call(value).slice(8, -1)}`;
  return `a ${typeof value}`;
}
