import { describe, expect, it } from 'vitest';
import { isCron, isTimeZone, openTimetable } from '../../pipeline/schedule/timetable.ts';

const at = (text: string): Date => new Date(text);

describe('openTimetable', () => {
  it('gives the next and the last time in the time zone that is named', () => {
    const berlin = openTimetable('0 2 * * *', 'Europe/Berlin');
    expect(berlin.next(at('2026-01-10T12:00:00Z'))).toEqual(at('2026-01-11T01:00:00Z'));
    expect(berlin.next(at('2026-07-10T12:00:00Z'))).toEqual(at('2026-07-11T00:00:00Z'));
    expect(berlin.last(at('2026-07-10T12:00:00Z'))).toEqual(at('2026-07-10T00:00:00Z'));
  });

  it('counts a time that is now as the last one, and never as the next', () => {
    const daily = openTimetable('0 2 * * *', 'UTC');
    const two = at('2026-03-03T02:00:00Z');
    expect(daily.last(two)).toEqual(two);
    expect(daily.next(two)).toEqual(at('2026-03-04T02:00:00Z'));
    expect(daily.last(at('2026-03-03T01:59:59.900Z'))).toEqual(at('2026-03-02T02:00:00Z'));
  });

  it('has one night on the days when the clocks change', () => {
    const berlin = openTimetable('30 2 * * *', 'Europe/Berlin');
    for (const [from, to] of [
      ['2026-03-28T12:00:00Z', '2026-03-29T12:00:00Z'],
      ['2026-10-24T12:00:00Z', '2026-10-25T12:00:00Z'],
    ]) {
      expect(berlin.between(at(from), at(to), 10)).toBe(1);
    }
  });

  it('counts the times between two moments, up to a number', () => {
    const everyMinute = openTimetable('* * * * *', 'UTC');
    expect(everyMinute.between(at('2026-01-01T00:00:30Z'), at('2026-01-01T00:03:30Z'), 10)).toBe(3);
    expect(everyMinute.between(at('2026-01-01T00:00:30Z'), at('2026-01-02T00:00:30Z'), 10)).toBe(10);
  });
});

describe('isCron and isTimeZone', () => {
  it('tell what can be used from what cannot', () => {
    for (const text of ['0 2 * * *', '*/5 * * * * *', '0 2 * * MON-FRI', '0 0 L * *'])
      expect(isCron(text)).toBe(true);
    for (const text of ['', 'nightly', '61 * * * *', '0 2 * *', '0 0 30 2 *'])
      expect(isCron(text)).toBe(false);
    expect([isTimeZone('Europe/Berlin'), isTimeZone('UTC'), isTimeZone('Mars/Olympus')]).toEqual([
      true,
      true,
      false,
    ]);
  });
});
