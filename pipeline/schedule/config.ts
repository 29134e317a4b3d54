/** The `schedule` section of config.yaml: when nights begin, what happens when one fails, and who is told. */

import { isIP } from 'node:net';
import * as z from 'zod';
import { isCron, isTimeZone } from './timetable.ts';

const notice = z
  .strictObject({
    command: z
      .array(z.string().min(1))
      .default([])
      .describe('Program and its arguments, started as they stand here: no shell reads them'),
    webhook: z
      .string()
      .refine(
        (text) => webhookAddress(text, {}) !== null || /^env:\w+$/.test(text),
        'an address that starts with https:// or http://, or env:NAME for a variable that holds one',
      )
      .optional()
      .describe('Address that receives a JSON object by POST; env:NAME takes it from the environment'),
  })
  .prefault({});

export const scheduleSection = z.strictObject({
  cron: z
    .string()
    .refine(isCron, 'a cron expression such as "0 2 * * *" (minute, hour, day, month, weekday)')
    .default('0 2 * * *')
    .describe(
      'When a night begins: minute hour day month weekday, with seconds in front where there are six',
    ),
  time_zone: z
    .string()
    .refine(isTimeZone, 'a time zone such as Europe/Berlin or UTC')
    .optional()
    .describe('Time zone that cron is meant in. Default: that of the machine'),
  jitter_seconds: z
    .int()
    .min(0)
    .max(86_400)
    .default(0)
    .describe(
      'A night begins up to this many seconds late, by chance, so that many machines do not begin at once',
    ),
  max_hours: z
    .number()
    .min(0.0001)
    .max(1000)
    .optional()
    .describe(
      'A try that takes longer is stopped and counts as failed; what it did is kept. Default: no limit',
    ),
  catch_up: z
    .boolean()
    .default(true)
    .describe(
      'Whether a night that was missed, as by a machine that was off, is run once as soon as possible',
    ),
  retries: z
    .strictObject({
      count: z.int().min(0).max(100).default(3).describe('More tries for a night that failed'),
      wait_seconds: z
        .number()
        .min(0)
        .max(86_400)
        .default(60)
        .describe('Pause before the first; each is twice as long'),
      max_wait_seconds: z.number().min(0).max(86_400).default(1800).describe('Longest pause'),
    })
    .prefault({})
    .describe('A night that failed is tried again, except for what only a person can mend (exit code 2)'),
  on_success: notice.describe('Who is told that a night ended well'),
  on_failure: notice.describe('Who is told that a night failed, after the last try'),
  notice_timeout_seconds: z
    .number()
    .min(0.1)
    .max(3600)
    .default(60)
    .describe('How long a command may take, or one try at a webhook'),
  health_file: z
    .string()
    .min(1)
    .default('outputs/schedule.json')
    .describe('File that tells how the last night ended and when the next begins'),
  health_address: z
    .string()
    .refine((text) => listenAddress(text) !== null, 'a port, or an address and a port such as 127.0.0.1:8790')
    .optional()
    .describe(
      'Port, or address:port, where GET /health answers with the same; 127.0.0.1 where only a port is given',
    ),
  log: z
    .enum(['plain', 'json'])
    .default('plain')
    .describe('How stderr is written: for people, or one JSON object a line'),
});

export type ScheduleConfig = z.output<typeof scheduleSection>;
export type NoticeConfig = ScheduleConfig['on_success'];

/** Where a webhook goes; null where `text` is no such address or its variable is not set. */
export function webhookAddress(text: string, environment: NodeJS.ProcessEnv): URL | null {
  const given = text.startsWith('env:') ? (environment[text.slice(4)] ?? '') : text;
  const url = URL.canParse(given) ? new URL(given) : null;
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') ? url : null;
}

/** "8790", "127.0.0.1:8790", "[::1]:8790" or "localhost:8790"; port 0 lets the system choose. */
export function listenAddress(text: string): { host: string; port: number } | null {
  const match = /^(?:(.+):)?(\d{1,5})$/.exec(text);
  if (match === null) return null;
  const port = Number(match[2]);
  const host = (match[1] ?? '127.0.0.1').replace(/^\[(.*)\]$/, '$1');
  const known = isIP(host) !== 0 || /^[a-z0-9.-]+$/i.test(host);
  return known && port <= 65_535 ? { host, port } : null;
}
