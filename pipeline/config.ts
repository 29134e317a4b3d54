/** config.yaml to one checked object, section by section, with messages that name the line and the mend. */

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, relative, resolve } from 'node:path';
import { distance } from 'fastest-levenshtein';
import { type Document, isMap, isNode, isSeq, LineCounter, parseDocument } from 'yaml';
import * as z from 'zod';
import { UserError } from './errors.ts';

/** What belongs to no stage. */
export const runSection = z.strictObject({
  database: z
    .string()
    .min(1)
    .default('outputs/pipeline.db')
    .describe('SQLite file that keeps everything between stages'),
  refresh: z
    .enum(['steady', 'refit'])
    .default('steady')
    .describe(
      'steady: documents stay where they lie and topics hold still from run to run, new documents are placed among them; refit: places and topics are found anew in each run that has something new, ids matched by overlap',
    ),
  seed: z.int().min(0).max(4294967295).default(42).describe('Seed of every random choice'),
  threads: z
    .int()
    .min(1)
    .max(256)
    .default(availableParallelism())
    .describe('Worker threads; results do not depend on it. Default: the number of cores'),
  device: z
    .enum(['cpu', 'cuda'])
    .default('cpu')
    .describe('Where transformer models run; the shipped models are fastest on the processor and stay there'),
  backups: z
    .int()
    .min(0)
    .max(1000)
    .default(2)
    .describe('Verified copies of the database that are kept; one is made before each run that changes it'),
  keep_history: z
    .int()
    .min(10)
    .max(1_000_000)
    .default(400)
    .describe('Runs whose events, topic sizes, stage times and settings the database keeps'),
  model_cache: z
    .string()
    .min(1)
    .optional()
    .describe('Folder for models fetched from the hub. Default: $HF_HOME, or ~/.cache/huggingface'),
});

export type RunConfig = z.infer<typeof runSection>;

/** A checked configuration. `Sections` maps each section's name to what its schema gives. */
export interface LoadedConfig<Sections> {
  sections: Sections & { run: RunConfig };
  /** Absolute; relative paths in the config start here. */
  baseFolder: string;
  /** The file as the user wrote it, for messages. */
  file: string;
}

type Schemas = Record<string, z.ZodType>;
type SectionsOf<S extends Schemas> = { [K in keyof S]: z.infer<S[K]> };

const maxConfigBytes = 1 << 20;

/**
 * Reads and checks a configuration.
 *
 * @param path The YAML file, as the user gave it.
 * @param schemas One strict zod object per section, in stage order.
 * @param overrides `section.key=value` texts; they win over the file, and their values are read as YAML.
 * @throws UserError for a missing file, broken YAML, an unknown key (naming the nearest known one) or a
 *   value outside its range, with file and line.
 */
export function loadConfig<S extends Schemas>(
  path: string,
  schemas: S,
  overrides: readonly string[] = [],
): LoadedConfig<SectionsOf<S>> {
  const text = readConfigFile(path);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true, uniqueKeys: true });
  const fault = document.errors[0];
  if (fault !== undefined) throw new UserError(`${path}: ${fault.message}`, { cause: fault });
  const overridden = new Map<string, string>();
  for (const override of overrides) overridden.set(applyOverride(document, override), override);

  const value = plainValue(document, path) ?? {};
  const places: Places = { file: path, lines, document, overridden };
  const checked = checkSections(value, { run: runSection, ...schemas }, places);
  return { sections: checked as never, baseFolder: dirname(resolve(path)), file: path };
}

function readConfigFile(path: string): string {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > maxConfigBytes) throw new UserError(`${path} is larger than ${maxConfigBytes} bytes.`);
    return bytes.toString('utf8');
  } catch (error) {
    if (error instanceof UserError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') {
      const shown = relative(process.cwd(), resolve(path)) || path;
      throw new UserError(
        `There is no configuration file ${shown}. Copy config.yaml from the package and edit it.`,
      );
    }
    if (code === 'EISDIR') throw new UserError(`Expected a configuration file, got the folder ${path}.`);
    throw new UserError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/** Aliases are kept few: a config of nested aliases could otherwise grow without bound. */
function plainValue(document: Document, path: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new UserError(`${path}: ${(error as Error).message}.`, { cause: error });
  }
}

/** @returns The setting that was overridden, `section.key`. */
function applyOverride(document: Document, override: string): string {
  const match = /^([a-z_]+(?:\.[\w-]+)+)=(.*)$/s.exec(override);
  if (match === null) throw new UserError(`--set: expected section.key=value, got "${override}".`);
  const value = parseDocument(match[2]);
  if (value.errors[0] !== undefined) throw new UserError(`--set ${override}: ${value.errors[0].message}`);
  const keys = match[1].split('.');
  for (let depth = 0; depth < keys.length; depth++) {
    const parent = keys.slice(0, depth);
    const found = depth === 0 ? document.contents : document.getIn(parent);
    if (found === null || found === undefined) {
      if (depth > 0) document.setIn(parent, document.createNode({}));
    } else if (!isMap(found) && !(isSeq(found) && /^\d+$/.test(keys[depth]) && found.has(keys[depth]))) {
      const where = depth === 0 ? 'the configuration' : parent.join('.');
      throw new UserError(`--set ${override}: expected settings (key: value) in ${where}, found ${found}.`);
    }
  }
  document.setIn(keys, plainValue(value, `--set ${override}`));
  return match[1];
}

// ---------------------------------------------------------------------------------------------

interface Places {
  file: string;
  lines: LineCounter;
  document: Document;
  /** The text of --set by the setting that it gave. */
  overridden: ReadonlyMap<string, string>;
}

function checkSections(value: unknown, schemas: Schemas, places: Places): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UserError(
      `${places.file}: expected sections (${Object.keys(schemas).join(', ')}), got ${show(value)}.`,
    );
  }
  const given = value as Record<string, unknown>;
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(schemas, name)) {
      throw new UserError(unknownKey('section', name, Object.keys(schemas), where(places, [name])));
    }
  }
  const checked: Record<string, unknown> = {};
  for (const [name, either] of Object.entries(schemas)) {
    const schema = formOf(either, given[name]);
    const result = schema.safeParse(given[name] ?? {});
    if (!result.success) throw new UserError(wordIssue(name, schema, result.error.issues[0], places));
    checked[name] = result.data;
  }
  return checked;
}

/**
 * A section that may be one group of settings or a list of them is a union of the two: the form that a value
 * is meant to have, so that what is wrong with it can be named.
 */
export function formOf(schema: z.ZodType, value: unknown): z.ZodType {
  if (!(schema instanceof z.ZodUnion)) return schema;
  const isList = (option: unknown): boolean => option instanceof z.ZodArray;
  return schema.options.find((option) => isList(option) === Array.isArray(value)) as z.ZodType;
}

/** One sentence: section, what was expected of which key, what was found, and where. */
function wordIssue(section: string, schema: z.ZodType, issue: z.core.$ZodIssue, places: Places): string {
  const path = issue.path.map(String);
  const place = where(places, [section, ...path]);
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(propertiesAt(schema, path));
    const name = issue.keys[0];
    return unknownKey(
      `${[section, ...path].join('.')} setting`,
      name,
      known,
      where(places, [section, ...path, name]),
    );
  }
  const found = places.document.getIn([section, ...path]);
  const value = isNode(found) ? found.toJSON() : found;
  if (path.length === 0) return `${section}: expected settings (key: value), got ${show(value)}${place}.`;
  if (value === undefined) return `${section}: expected a value for ${path.join('.')}, found none${place}.`;
  const expected = issue.code === 'custom' ? issue.message : expectation(jsonSchemaAt(schema, path));
  return `${section}: expected ${path.join('.')} to be ${expected}, got ${show(value)}${place}.`;
}

function unknownKey(kind: string, name: string, known: string[], place: string): string {
  const nearest = [...known].sort((a, b) => distance(a, name) - distance(b, name))[0];
  const close = nearest !== undefined && distance(nearest, name) <= Math.max(2, name.length / 3);
  const advice = close ? `Did you mean "${nearest}"?` : `Known: ${known.join(', ')}.`;
  return `Unknown ${kind} "${name}"${place}. ${advice}`;
}

/** " (config.yaml, line 41)", " (--set cluster.min_samples=x)", or " (config.yaml)" for what stands in no line. */
function where(places: Places, path: string[]): string {
  for (let depth = path.length; depth > 0; depth--) {
    const override = places.overridden.get(path.slice(0, depth).join('.'));
    if (override !== undefined) return ` (--set ${override})`;
  }
  for (let depth = path.length; depth > 0; depth--) {
    const node = places.document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) {
      return ` (${places.file}, line ${places.lines.linePos(node.range[0]).line})`;
    }
  }
  return ` (${places.file})`;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

// ---------------------------------------------------------------------------------------------
// What a setting may be, in words, from its own schema.

type JsonSchema = z.core.JSONSchema.BaseSchema;

function propertiesAt(schema: z.ZodType, path: string[]): Record<string, JsonSchema> {
  return (jsonSchemaAt(schema, path)?.properties ?? {}) as Record<string, JsonSchema>;
}

function jsonSchemaAt(schema: z.ZodType, path: string[]): JsonSchema | undefined {
  let at: JsonSchema | undefined = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  for (const key of path) {
    const inside: unknown = at?.properties?.[key] ?? at?.additionalProperties ?? at?.items;
    at = typeof inside === 'object' && inside !== null ? (inside as JsonSchema) : undefined;
  }
  return at;
}

/** "a whole number from 2 up", "one of eom, leaf", "true or false". */
function expectation(schema: JsonSchema | undefined): string {
  if (schema === undefined) return 'something else';
  if (schema.enum !== undefined) return `one of ${schema.enum.map(String).join(', ')}`;
  if (schema.anyOf !== undefined)
    return schema.anyOf.map((option) => expectation(option as JsonSchema)).join(' or ');
  switch (schema.type) {
    case 'integer':
      return `a whole number${range(schema)}`;
    case 'number':
      return `a number${range(schema)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'text';
    case 'array':
      return 'a list';
    case 'object':
      return 'settings (key: value)';
    case 'null':
      return 'nothing';
    default:
      return 'something else';
  }
}

function range(schema: JsonSchema): string {
  const { minimum, maximum, exclusiveMinimum } = schema;
  const bounded = maximum !== undefined && Math.abs(maximum) < Number.MAX_SAFE_INTEGER;
  const from = minimum !== undefined && Math.abs(minimum) < Number.MAX_SAFE_INTEGER ? minimum : undefined;
  if (from !== undefined && bounded) return ` from ${from} to ${maximum}`;
  if (from !== undefined) return ` from ${from} up`;
  if (exclusiveMinimum !== undefined)
    return ` above ${exclusiveMinimum}${bounded ? ` and up to ${maximum}` : ''}`;
  return bounded ? ` up to ${maximum}` : '';
}
