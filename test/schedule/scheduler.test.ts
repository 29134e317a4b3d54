import { describe, expect, it } from 'vitest';
import { fakeScheduler, wellEnded } from './fake-night.ts';

const daily = { cron: '0 2 * * *' };
const doneAt = (time: string) => ({
  planned_at: time,
  started_at: time,
  finished_at: time,
  status: 'done' as const,
  exit_code: 0,
  attempts: 1,
  seconds: 1,
  run_id: 'run-0001',
  up_to_date: true,
  documents: 1,
  topics: 1,
  noise_share: 0,
  message: null,
});

describe('the scheduler', () => {
  it('runs a night at each time and tells in the health file how it ended', async () => {
    const fake = fakeScheduler(`note('night'); ${wellEnded}`, daily, { nights: 3 });
    await fake.run();
    expect(fake.notes()).toEqual(['night', 'night', 'night']);
    expect(fake.ends.map((night) => night.planned_at)).toEqual([
      '2026-03-11T02:00:00.000Z',
      '2026-03-12T02:00:00.000Z',
      '2026-03-13T02:00:00.000Z',
    ]);
    expect(fake.health()).toMatchObject({
      status: 'stopped',
      healthy: true,
      failures_in_a_row: 0,
      last_night: {
        status: 'done',
        exit_code: 0,
        run_id: 'run-0007',
        documents: 349,
        topics: 12,
        attempts: 1,
      },
    });
  });

  it('begins late by chance, up to the jitter', async () => {
    const fake = fakeScheduler(wellEnded, { ...daily, jitter_seconds: 600 }, { chance: 0.5 });
    await fake.run();
    expect(fake.ends[0].planned_at).toBe('2026-03-11T02:00:00.000Z');
    expect(fake.ends[0].started_at).toBe('2026-03-11T02:05:00.000Z');
  });

  it('leaves out what was due while a night ran, and says so', async () => {
    const slow = fakeScheduler(`console.error('at work'); ${wellEnded}`, daily, {
      nights: 2,
      // The clock goes on while the night runs.
      onLine: () => {
        if (slow.ends.length === 0) slow.clock.set('2026-03-14T01:00:00Z');
      },
    });
    await slow.run();
    expect(slow.ends.map((night) => night.planned_at)).toEqual([
      '2026-03-11T02:00:00.000Z',
      '2026-03-14T02:00:00.000Z',
    ]);
    expect(slow.log.find(({ event }) => event === 'overlap')?.message).toContain('2 more were due');
  });
});

describe('a missed night', () => {
  it('is run once, however many were missed', async () => {
    const health = { last_night: doneAt('2026-03-06T02:00:00.000Z') };
    const fake = fakeScheduler(wellEnded, daily, { nights: 2, health });
    await fake.run();
    expect(fake.ends.map((night) => [night.planned_at, night.started_at])).toEqual([
      ['2026-03-10T02:00:00.000Z', '2026-03-10T12:00:00.000Z'],
      ['2026-03-11T02:00:00.000Z', '2026-03-11T02:00:00.000Z'],
    ]);
  });

  it('is told from one that was run by hand, or had nothing new, and from a first start', async () => {
    const byHand = { endedWellAt: new Date('2026-03-10T08:00:00Z') };
    const nothingNew = { last_night: doneAt('2026-03-10T02:00:00.000Z') };
    const longAgo = { endedWellAt: new Date('2026-01-01T00:00:00Z') };
    for (const known of [{ lastRun: byHand }, { health: nothingNew, lastRun: longAgo }, {}]) {
      const fake = fakeScheduler(wellEnded, daily, known);
      await fake.run();
      expect(fake.ends[0].planned_at).toBe('2026-03-11T02:00:00.000Z');
    }
  });

  it('is also one that was cut off, and none where catch_up is off', async () => {
    const cutOff = { lastRun: { endedWellAt: null } };
    const fake = fakeScheduler(wellEnded, daily, cutOff);
    await fake.run();
    expect(fake.ends[0].planned_at).toBe('2026-03-10T02:00:00.000Z');
    const off = fakeScheduler(wellEnded, { ...daily, catch_up: false }, cutOff);
    await off.run();
    expect(off.ends[0].planned_at).toBe('2026-03-11T02:00:00.000Z');
  });
});

describe('a night that fails', () => {
  it('is tried again after pauses that double up to a limit', async () => {
    const retries = { count: 4, wait_seconds: 5, max_wait_seconds: 12 };
    const fake = fakeScheduler(`if (tries < 5) process.exit(1); ${wellEnded}`, { ...daily, retries });
    await fake.run();
    expect(fake.ends[0]).toMatchObject({ status: 'done', attempts: 5, message: null });
    const begun = fake.clock.waits.indexOf(5000);
    expect(fake.clock.waits.slice(begun, begun + 4)).toEqual([5000, 10_000, 12_000, 12_000]);
  });

  it('counts as failed after the last try, with what it said last, and does not end the scheduler', async () => {
    const night = `if (tries <= 3) { console.error('first'); console.error('the disk is full'); process.exit(1); } ${wellEnded}`;
    const retries = { count: 2, wait_seconds: 1 };
    const fake = fakeScheduler(night, { ...daily, retries }, { nights: 1 });
    await fake.run();
    expect(fake.ends[0]).toMatchObject({
      status: 'failed',
      exit_code: 1,
      attempts: 3,
      message: 'the disk is full',
    });
    expect(fake.health()).toMatchObject({ healthy: false, failures_in_a_row: 1 });
    const two = fakeScheduler(night, { ...daily, retries }, { nights: 2 });
    await two.run();
    expect(two.ends.map(({ status }) => status)).toEqual(['failed', 'done']);
    expect(two.health()).toMatchObject({ healthy: true, failures_in_a_row: 0 });
  });

  it('is not tried again for what only a person can mend', async () => {
    const fake = fakeScheduler(`console.error('Unknown section'); process.exit(2);`, daily);
    await fake.run();
    expect(fake.ends[0]).toMatchObject({
      status: 'failed',
      exit_code: 2,
      attempts: 1,
      message: 'Unknown section',
    });
  });

  it('waits for another run and leaves the night to it when that goes on', async () => {
    const retries = { count: 1, wait_seconds: 1 };
    const fake = fakeScheduler('process.exit(3);', { ...daily, retries });
    await fake.run();
    expect(fake.ends[0]).toMatchObject({ status: 'skipped', exit_code: 3, attempts: 2 });
    expect(fake.health().healthy).toBe(false);
  });

  it('is stopped after its time, and the next try takes it up', async () => {
    const night = `if (tries > 1) { ${wellEnded} } else { process.on('SIGTERM', () => process.exit(130)); setInterval(() => {}, 1000); }`;
    // Long enough for Node to start on a machine that has much to do.
    const fake = fakeScheduler(night, {
      ...daily,
      max_hours: 3 / 3600,
      retries: { count: 1, wait_seconds: 0 },
    });
    await fake.run();
    expect(fake.ends[0]).toMatchObject({ status: 'done', attempts: 2 });
    expect(fake.log.find(({ event }) => event === 'retry')?.message).toContain('130');
  });

  it('may crash as it likes', async () => {
    const fake = fakeScheduler(`if (tries === 1) process.kill(process.pid, 'SIGKILL'); ${wellEnded}`, {
      ...daily,
      retries: { count: 1, wait_seconds: 0 },
    });
    await fake.run();
    expect(fake.ends[0]).toMatchObject({ status: 'done', attempts: 2 });
    expect(fake.log.find(({ event }) => event === 'retry')?.message).toContain('SIGKILL');
  });
});

describe('a scheduler that is told to stop', () => {
  it('asks the night to stop and waits for it', async () => {
    const night = `process.on('SIGTERM', () => { note('asked'); setTimeout(() => process.exit(130), 30); });
      setInterval(() => {}, 1000); console.error('up');`;
    const fake = fakeScheduler(night, daily, { nights: 0, onLine: () => fake.stop.abort() });
    await fake.run();
    expect(fake.notes()).toEqual(['asked']);
    expect(fake.health()).toMatchObject({
      status: 'stopped',
      last_night: { status: 'stopped', exit_code: 130 },
    });
  });

  it('ends a night that does not stop by itself', async () => {
    const night = `process.on('SIGTERM', () => note('asked')); setInterval(() => {}, 1000); console.error('up');`;
    const fake = fakeScheduler(night, daily, {
      nights: 0,
      graceMilliseconds: 200,
      onLine: () => fake.stop.abort(),
    });
    await fake.run();
    expect(fake.notes()).toEqual(['asked']);
    expect(fake.health().last_night).toMatchObject({ status: 'stopped', exit_code: null });
  });
});

describe('a clock that is set', () => {
  it('back has the next night sought anew', async () => {
    const fake = fakeScheduler(wellEnded, daily);
    const { wait } = fake.clock;
    let turned = false;
    fake.clock.wait = async (milliseconds, signal) => {
      await wait(milliseconds, signal);
      if (turned) return;
      turned = true;
      fake.clock.set('2026-03-08T12:00:00Z');
    };
    await fake.run();
    expect(fake.ends[0].planned_at).toBe('2026-03-09T02:00:00.000Z');
  });

  it('back a little does not have a night run twice, and forward has it run once', async () => {
    const fake = fakeScheduler(`console.error('up'); ${wellEnded}`, daily, {
      nights: 3,
      onLine: () => {
        if (fake.ends.length === 0) fake.clock.set('2026-03-11T01:59:00Z');
        if (fake.ends.length === 1) fake.clock.set('2026-03-20T12:00:00Z');
      },
    });
    await fake.run();
    expect(fake.ends.map((night) => night.planned_at)).toEqual([
      '2026-03-11T02:00:00.000Z',
      '2026-03-12T02:00:00.000Z',
      '2026-03-21T02:00:00.000Z',
    ]);
  });
});
