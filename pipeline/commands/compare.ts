/** `scinertopic compare`: what changed between two runs, for people. */

import { type ComparedTopic, type Comparison, compareRuns, type Move } from '../compare/compare-runs.ts';
import { findRun, keptRuns, numberOf, readRun } from '../compare/exported-run.ts';
import { UserError } from '../errors.ts';
import { exportFolder, loadSettings } from '../settings.ts';
import { type Console, count, percent, table } from './console.ts';

export interface CompareArguments {
  config: string;
  set?: string[];
  /** Two runs; the last two where there are none. */
  runs?: string[];
  json?: boolean;
}

/** Rows of each list that a person is shown; --json gives all. */
const shownRows = 10;
const shownExamples = 2;

export async function compareCommand(given: CompareArguments, console: Console): Promise<void> {
  const folder = exportFolder(loadSettings(given.config, given.set));
  const [first, second] = chooseRuns(folder, given.runs);
  const comparison = compareRuns(await readRun(folder, first), await readRun(folder, second));
  if (given.json) console.out(JSON.stringify(comparison));
  else for (const line of describe(comparison)) console.out(line);
}

/** @returns The earlier one first, however they were given. */
function chooseRuns(folder: string, given: readonly string[] | undefined): [string, string] {
  const runs = given?.map((name) => findRun(folder, name)) ?? keptRuns(folder).slice(-2);
  if (runs.length !== 2) {
    throw new UserError(
      given === undefined
        ? `compare: expected two runs in ${folder}, found ${runs.length}. Run the pipeline on two nights first.`
        : `compare: expected two runs after --runs, got ${runs.length}.`,
    );
  }
  const [a, b] = [...runs].sort((x, y) => numberOf(x) - numberOf(y));
  if (a === b) throw new UserError(`compare: expected two runs, got ${a} twice.`);
  return [a, b];
}

function describe(c: Comparison): string[] {
  const { documents } = c;
  const share = documents.in_both === 0 ? 0 : documents.moved / documents.in_both;
  const lines = [
    `${c.from} → ${c.to}`,
    '',
    `Documents   ${count(documents.from)} → ${count(documents.to)}: ${count(documents.added)} new, ${count(documents.removed)} gone`,
    `Moved       ${count(documents.moved)} of ${count(documents.in_both)} in both (${percent(share)})${c.agreement === null ? '' : `, agreement (ARI) ${c.agreement.toFixed(3)}`}`,
    `In no topic ${percent(c.noise_share.from)} → ${percent(c.noise_share.to)}`,
  ];
  section(lines, 'Changed settings and models', c.causes);
  section(
    lines,
    'Events',
    table(
      c.events.map((event) => [
        event.run_id,
        event.event,
        named(event.topic_id, event.label),
        event.from_topic_ids.length === 0
          ? ''
          : `from ${event.from_topic_ids.map((id, i) => named(id, event.from_labels[i])).join(', ')}`,
      ]),
    ),
  );
  section(lines, 'New topics', sizes(c.born));
  section(lines, 'Topics that ended', sizes(c.ended));
  section(lines, 'Grew most', sizes(c.grew));
  section(lines, 'Shrank most', sizes(c.shrank));
  section(
    lines,
    'Renamed',
    c.renamed.map(({ topic_id, from, to }) => `${named(topic_id, from)} → ${to}`),
  );
  section(lines, 'Documents that moved', c.moves.map(moveInWords));
  if (lines.length === 5 && documents.moved === 0) lines.push('', 'No topic changed.');
  return lines;
}

function section(lines: string[], title: string, rows: readonly string[]): void {
  if (rows.length === 0) return;
  lines.push('', title, ...rows.slice(0, shownRows).map((row) => `  ${row.replaceAll('\n', '\n  ')}`));
  if (rows.length > shownRows) lines.push(`  and ${count(rows.length - shownRows)} more (--json gives all)`);
}

function sizes(topics: readonly ComparedTopic[]): string[] {
  return table(
    topics.map(({ topic_id, label, from_size, to_size }) => [
      `${to_size < from_size ? '−' : '+'}${count(Math.abs(to_size - from_size))}`,
      `${count(from_size)} → ${count(to_size)}`,
      named(topic_id, label),
    ]),
  );
}

function moveInWords(move: Move): string {
  const from = move.from_topic_id < 0 ? 'no topic' : named(move.from_topic_id, move.from_label);
  const to = move.to_topic_id < 0 ? 'no topic' : named(move.to_topic_id, move.to_label);
  const examples = move.examples
    .slice(0, shownExamples)
    .map(({ id, title, retitled }) => `\n  ${id}  ${title}${retitled ? ' (its title changed)' : ''}`);
  return `${count(move.documents)} from ${from} to ${to}: ${move.why}${examples.join('')}`;
}

function named(id: number, label: string): string {
  return label === '' ? `${id}` : `${id} ${label}`;
}
