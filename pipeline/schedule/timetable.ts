/** When nights begin. What a cron expression means in a time zone, summer time included, is croner's to say. */

import { Cron } from 'croner';

export interface Timetable {
  /** The first time after `after`. */
  next(after: Date): Date;
  /** The last time at or before `now`; null where there was none. */
  last(now: Date): Date | null;
  /** How many times fell after `from`, up to and with `to`; counted to `most`. */
  between(from: Date, to: Date, most: number): number;
}

export function openTimetable(cron: string, timeZone: string | undefined): Timetable {
  const job = new Cron(cron, {
    paused: true,
    mode: '5-or-6-parts',
    ...(timeZone !== undefined && { timezone: timeZone }),
  });
  const next = (after: Date): Date => {
    const date = job.nextRun(after);
    // isCron saw to it that there is one; the years of the calendar end somewhere all the same.
    if (date === null)
      throw new Error(`The expression ${cron} never comes true after ${after.toISOString()}.`);
    return date;
  };
  return {
    next,
    last(now) {
      // The reference itself does not count.
      return job.previousRuns(2, new Date(now.getTime() + 1000)).find((date) => date <= now) ?? null;
    },
    between(from, to, most) {
      let count = 0;
      for (let at = next(from); at <= to && count < most; at = next(at)) count++;
      return count;
    },
  };
}

/** True for an expression that croner reads and that comes true at some time. */
export function isCron(text: string): boolean {
  try {
    return new Cron(text, { paused: true, mode: '5-or-6-parts' }).nextRun() !== null;
  } catch {
    return false;
  }
}

export function isTimeZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return true;
  } catch {
    return false;
  }
}
