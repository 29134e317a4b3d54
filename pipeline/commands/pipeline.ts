/** `scinertopic pipeline`: one run of the job, and the summary that a person or a program reads. */

import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { StageName } from '../contract.ts';
import { type RunOptions, type RunSummary, runPipeline } from '../run.ts';
import { type Console, count, duration, percent, table } from './console.ts';
import { progressReporter } from './progress.ts';

export interface PipelineArguments {
  config: string;
  from?: string;
  only?: string;
  force?: boolean;
  set?: string[];
  quiet?: boolean;
  json?: boolean;
}

export async function pipelineCommand(
  given: PipelineArguments,
  console: Console,
  signal: AbortSignal,
): Promise<void> {
  const options: RunOptions = {
    config: given.config,
    set: given.set ?? [],
    force: given.force ?? false,
    signal,
  };
  if (given.from !== undefined) options.from = given.from as StageName;
  if (given.only !== undefined) options.only = given.only.split(',').map((name) => name.trim() as StageName);
  if (!given.quiet) options.reporter = progressReporter(console);
  const summary = await runPipeline(options);
  if (given.json) {
    if (!given.quiet) for (const line of describe(summary, given)) console.say(line);
    console.out(JSON.stringify(toJson(summary)));
  } else if (!given.quiet) {
    for (const line of describe(summary, given)) console.out(line);
  }
}

function toJson(summary: RunSummary): Record<string, unknown> {
  return {
    run_id: summary.runId,
    up_to_date: summary.upToDate,
    seconds: round(summary.seconds),
    cpu_seconds: round((process.resourceUsage().userCPUTime + process.resourceUsage().systemCPUTime) / 1e6),
    peak_memory_bytes: peakMemoryBytes(),
    stages: Object.fromEntries(
      summary.stages.map(({ stage, state, seconds, documents, why }) => [
        stage,
        { state, seconds: round(seconds), documents, why },
      ]),
    ),
    documents_in: summary.documentsIn,
    documents_out: summary.documentsOut,
    skipped: summary.skipped,
    added: summary.intake?.added ?? 0,
    changed: summary.intake?.changed ?? 0,
    removed: summary.intake?.removed ?? 0,
    merged: summary.intake?.merged ?? 0,
    topics: summary.topics,
    noise_share: round(summary.noiseShare),
    notices: summary.notices,
    export: summary.exportFolder,
    database: summary.database,
    database_bytes: summary.databaseBytes,
  };
}

/** Linux tells the process's own peak; maxRSS may include that of the process it was forked from. */
function peakMemoryBytes(): number {
  const own = existsSync('/proc/self/status')
    ? /^VmHWM:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))
    : null;
  return (own === null ? process.resourceUsage().maxRSS : Number(own[1])) * 1024;
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

function describe(summary: RunSummary, given: PipelineArguments): string[] {
  const shown = (path: string): string => relative(process.cwd(), path) || path;
  const lines = [''];
  if (summary.upToDate) {
    lines.push(`Everything is up to date (${summary.runId}); nothing was done.`);
  } else {
    lines.push(`${summary.runId} done in ${duration(summary.seconds)}.`);
  }
  const left = summary.skipped.reduce((sum, { rows }) => sum + rows, 0);
  lines.push('', `Documents   ${count(summary.documentsOut)} of ${count(summary.documentsIn)} rows`);
  if (left > 0) {
    const why = summary.skipped.map(({ reason, rows }) => `${reason} ${count(rows)}`).join(', ');
    lines.push(`Left out    ${count(left)} (${why})`);
  }
  if (summary.intake !== null) {
    const { added, changed, removed, merged } = summary.intake;
    if (merged > 0) lines.push(`Merged      ${count(merged)} records of papers that another source has, too`);
    lines.push(`This run    ${count(added)} new, ${count(changed)} changed, ${count(removed)} removed`);
  }
  lines.push(`Topics      ${count(summary.topics)}; ${percent(summary.noiseShare)} of documents in none`);
  if (summary.largestTopics.length > 0) {
    lines.push('');
    lines.push(
      ...table(summary.largestTopics.map((topic) => [topic.size, topic.label])).map((line) => `  ${line}`),
    );
  }
  if (summary.notices.length > 0) {
    lines.push('', 'Notes', ...summary.notices.map((notice) => `  ${notice}`));
  }
  lines.push('', `Files       ${shown(summary.exportFolder)}`, `Database    ${shown(summary.database)}`, '');
  lines.push(
    ...advice(summary, given, shown(`${summary.exportFolder}/report.html`)).map((line) => `Next: ${line}`),
  );
  return lines;
}

/** More topics than a person reads through. */
const manyTopics = 150;

/** What a person would do now. */
function advice(summary: RunSummary, given: PipelineArguments, report: string): string[] {
  const lines = existsSync(report) ? [`open ${report} in a browser.`] : [];
  if (summary.topics === 0) {
    lines.push('no topic was found: try a smaller min_cluster_size, e.g. --set cluster.min_cluster_size=5.');
  } else if (summary.noiseShare > 0.4) {
    lines.push(
      'many documents are in no topic: try --set cluster.min_samples=1 or a smaller min_cluster_size.',
    );
  }
  if (summary.topics > manyTopics) {
    lines.push(
      `for fewer and larger topics than ${count(summary.topics)}, raise min_cluster_size, e.g. --set cluster.min_cluster_size=50.`,
    );
  }
  if (summary.skipped.length > 0) {
    lines.push('see which rows were left out: SELECT * FROM skipped_rows in the database.');
  }
  if (summary.upToDate)
    lines.push(`change a setting in ${given.config} or add rows, and only what depends on it runs.`);
  return lines;
}
