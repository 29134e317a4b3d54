import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import * as z from 'zod';
import { formOf, runSection } from '../pipeline/config.ts';
import { stageOrder, stages } from '../pipeline/order.ts';
import { settingSchemas } from '../pipeline/settings.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

const sources = [...filesIn('pipeline'), ...filesIn('stages')];

/** Files and packages that a file imports, files relative to the top. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found = [...text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+)'([^']+)'/gm)].map(
    (match) => match[1],
  );
  return found.map((name) =>
    name.startsWith('.') ? relative(root, resolve(root, dirname(file), name)) : name,
  );
}

/** The place in the house that a file belongs to. */
function placeOf(file: string): string {
  const [top, second, third] = file.split('/');
  if (top === 'stages') return `stages/${second}`;
  if (third !== undefined) return `pipeline/${second}`;
  return file.replace(/\.ts$/, '');
}

// What each place may import from the project; its own folder is always allowed.
const allowed: [place: RegExp, may: RegExp][] = [
  [/^pipeline\/(contract|errors)$/, /^$/],
  [/^pipeline\/math$/, /^pipeline\/errors$/],
  [/^pipeline\/store$/, /^pipeline\/(errors|contract)$/],
  [/^pipeline\/model$/, /^pipeline\/(errors|contract|math)$/],
  [/^pipeline\/(train|evaluate)$/, /^pipeline\/(errors|math|model)$/],
  // Adapting the embedder to the corpus is training, done by a stage; nothing else of it may be.
  [/^stages\/embed$/, /^pipeline\/(contract|errors|math|model|train)$/],
  // The one stage that reads from outside.
  [/^stages\/ingest$/, /^pipeline\/(contract|errors|http)$/],
  [/^stages\//, /^pipeline\/(contract|errors|math|model)$/],
  [/^pipeline\/order$/, /^stages\//],
  [/^pipeline\/config$/, /^pipeline\/errors$/],
  [/^pipeline\/http$/, /^pipeline\/errors$/],
  [/^pipeline\/hub$/, /^pipeline\/(errors|http)$/],
  [/^pipeline\/compare$/, /^pipeline\/(errors|evaluate)$/],
  [/^pipeline\/kernels$/, /^$/],
  [/^pipeline\/checkpoint$/, /^pipeline\/(errors|math|model)$/],
  [/^pipeline\/provide-model$/, /^pipeline\/(checkpoint|contract|errors|hub|model)$/],
  [/^pipeline\/settings$/, /^pipeline\/(config|order|provide-model|schedule)$/],
  // The night itself is a process of its own.
  [/^pipeline\/schedule$/, /^pipeline\/errors$/],
  [/^pipeline\/workers$/, /^pipeline\/(contract|errors|model|order)$/],
  [/^pipeline\/publish$/, /^pipeline\/(contract|errors)$/],
  [/^pipeline\/plan$/, /^pipeline\/(contract|errors|order|provide-model|settings|model|store)$/],
  [/^pipeline\/pending-work$/, /^pipeline\/(contract|settings|store|workers)$/],
  [
    /^pipeline\/steps$/,
    /^pipeline\/(contract|errors|order|pending-work|plan|provide-model|publish|settings|store)$/,
  ],
  [/^pipeline\/fetch-sources$/, /^pipeline\/(contract|errors|order|settings|store)$/],
  [/^pipeline\/prune-exports$/, /^$/],
  [
    /^pipeline\/run$/,
    /^pipeline\/(contract|errors|fetch-sources|model|order|plan|provide-model|prune-exports|settings|steps|store)$/,
  ],
  [/^pipeline\/(commands|cli|library)$/, /^pipeline\//],
];

describe('structure', () => {
  it('imports point down only', () => {
    const wrong: string[] = [];
    for (const file of sources) {
      const place = placeOf(file);
      const rule = allowed.find(([pattern]) => pattern.test(place));
      if (rule === undefined) {
        wrong.push(`${file} stands in no known place`);
        continue;
      }
      for (const imported of importsOf(file)) {
        if (!/^(pipeline|stages)\//.test(imported)) continue;
        const target = placeOf(imported);
        if (target !== place && !rule[1].test(target)) wrong.push(`${file} imports ${imported}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('keeps each outside library behind one door', () => {
    const doors: [library: string, door: RegExp][] = [
      ['onnxruntime-node', /^pipeline\/model\/session\.ts$/],
      ['better-sqlite3', /^pipeline\/store\//],
      ['commander', /^pipeline\/cli\.ts$/],
      ['undici', /^pipeline\/http\/request\.ts$/],
      ['p-retry', /^pipeline\/(http|schedule)\//],
      ['sax', /^stages\/ingest\/xml-elements\.ts$/],
      ['croner', /^pipeline\/schedule\/timetable\.ts$/],
    ];
    const wrong = sources.flatMap((file) =>
      importsOf(file).flatMap((name) =>
        doors.some(([library, door]) => name === library && !door.test(file))
          ? [`${file} imports ${name}`]
          : [],
      ),
    );
    expect(wrong).toEqual([]);
  });

  it('only the command line prints and sets exit codes', () => {
    const wrong = sources.filter(
      (file) =>
        file !== 'pipeline/cli.ts' &&
        /\bprocess\.(exit|exitCode|stdout|stderr)\b|\bconsole\.(log|error|warn|info)\b/.test(
          readFileSync(join(root, file), 'utf8'),
        ),
    );
    expect(wrong).toEqual([]);
  });

  it('no file is named for having no subject, and none uses chance or the clock in results', () => {
    expect(sources.filter((file) => /\/(utils?|helpers?|common|misc|index)\.ts$/.test(file))).toEqual([]);
    const kernels = sources.filter((file) => /^(pipeline\/(math|model|train|evaluate)|stages)\//.test(file));
    const wrong = kernels.filter((file) =>
      /\bMath\.random\(|\bDate\.now\(|\bnew Date\(/.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(wrong).toEqual([]);
  });

  it('each stage has its folder, its name, and a version', () => {
    expect(stageOrder).toEqual(['ingest', 'entities', 'embed', 'reduce', 'cluster', 'label', 'export']);
    for (const name of stageOrder) {
      expect(stages[name].name).toBe(name);
      expect(Number.isInteger(stages[name].version)).toBe(true);
      expect(sources).toContain(`stages/${name}/stage.ts`);
      expect(sources).toContain(`stages/${name}/config.ts`);
    }
  });

  it('every setting is described, and config.yaml lists them all, in stage order', () => {
    const document = parseDocument(readFileSync(join(root, 'config.yaml'), 'utf8'));
    const text = readFileSync(join(root, 'config.yaml'), 'utf8');
    const sections: Record<string, z.ZodType> = { run: runSection, ...settingSchemas };
    expect(Object.keys(document.toJS() as object)).toEqual(Object.keys(sections));
    const undescribed: string[] = [];
    const unlisted: string[] = [];
    for (const [section, schema] of Object.entries(sections)) {
      const properties =
        z.toJSONSchema(formOf(schema, {}), { io: 'input', unrepresentable: 'any' }).properties ?? {};
      for (const [key, setting] of Object.entries(properties)) {
        if (typeof setting !== 'object' || !setting.description) undescribed.push(`${section}.${key}`);
        // An optional setting may stand commented out.
        const listed = document.hasIn([section, key]) || new RegExp(`^ {2}# ${key}:`, 'm').test(text);
        if (!listed) unlisted.push(`${section}.${key}`);
      }
    }
    expect(undescribed).toEqual([]);
    expect(unlisted).toEqual([]);
  });
});
