/** Tells how far a run is: a line that rewrites itself on a terminal, plain lines now and then elsewhere. */

import type { StageName } from '../contract.ts';
import type { Reporter } from '../run.ts';
import { type Console, count, duration, percent } from './console.ts';

/** Between two plain lines of one stage, so that a log stays readable. */
const plainIntervalSeconds = 10;

/** Between two redraws on a terminal. */
const drawIntervalSeconds = 0.1;

/** Says on stderr how far one piece of work is, such as a download. */
export function workReporter(console: Console): (work: string, done: number, total: number) => void {
  let current: string | null = null;
  let first = { at: 0, done: 0 };
  let lastShown = 0;
  return (work, done, total) => {
    const now = performance.now();
    if (work !== current) {
      current = work;
      first = { at: now, done };
      lastShown = now;
      console.say(`${work} …`);
      return;
    }
    const interval = console.interactive ? drawIntervalSeconds : plainIntervalSeconds;
    if (now - lastShown < interval * 1000) return;
    lastShown = now;
    const line = progressText(done, total, work, first, now);
    if (console.interactive) console.show(line);
    else console.say(line);
  };
}

/** A reporter that says on stderr what each stage is doing: documents done, rate, time left. */
export function progressReporter(console: Console): Reporter {
  let firstDone: { at: number; done: number } | null = null;
  let lastShown = 0;
  let lastWork: string | undefined;
  const name = (stage: StageName): string => stage.padEnd(9);
  return {
    stageBegins(stage, why) {
      firstDone = null;
      lastShown = performance.now();
      console.say(`${name(stage)} ${why.join('; ')}`);
    },
    progress(stage, done, total, work) {
      const now = performance.now();
      // Work that begins anew within a stage (first a model, then the documents) has a rate of its own.
      if (firstDone === null || done < firstDone.done) firstDone = { at: now, done };
      if (work !== lastWork) {
        lastWork = work;
        firstDone = { at: now, done };
        lastShown = now;
        if (work !== undefined) console.say(`${name(stage)} ${work} …`);
        return;
      }
      const interval = console.interactive ? drawIntervalSeconds : plainIntervalSeconds;
      if (done === 0 || now - lastShown < interval * 1000) return;
      lastShown = now;
      const line = `${name(stage)} ${progressText(done, total, work, firstDone, now)}`;
      if (console.interactive) console.show(line);
      else console.say(line);
    },
    notice(stage, message) {
      console.say(`${name(stage)} note: ${message}`);
    },
    stageEnds(stage, seconds, documents) {
      console.say(`${name(stage)} done: ${count(documents)} documents in ${duration(seconds)}`);
    },
    upToDate(stage) {
      console.say(`${name(stage)} up to date`);
    },
  };
}

function progressText(
  done: number,
  total: number | undefined,
  work: string | undefined,
  first: { at: number; done: number },
  now: number,
): string {
  const rate = (done - first.done) / Math.max((now - first.at) / 1000, 1e-3);
  const left =
    total !== undefined && rate > 0 && total > done ? [`${duration((total - done) / rate)} left`] : [];
  if (work !== undefined)
    return [`${work}: ${percent(done / Math.max(total ?? done, 1))}`, ...left].join(', ');
  const parts = [total === undefined ? count(done) : `${count(done)} of ${count(total)}`];
  if (rate > 0) parts.push(`${rate >= 10 ? count(rate) : rate.toFixed(1)}/s`);
  return [...parts, ...left].join(', ');
}
