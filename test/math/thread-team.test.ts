import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { Interrupted } from '../../pipeline/errors.ts';
import { compiledModule, type OpenTeamWork, startTeam } from '../../pipeline/math/thread-team.ts';
import { tournament } from '../../pipeline/math/umap-schedule.ts';

/** Sums neighbours round by round: what a task reads, other tasks wrote in the round before. */
const source = `
export const open = ({ values, failAt }) => ({ rounds }, crew) => {
  const half = values.length / 2;
  for (let round = 0; round < rounds; round++) {
    const from = round % 2 === 0 ? 0 : half;
    const to = half - from;
    crew.share(half, (task) => {
      if (failAt === task) throw new Error('task ' + task + ' fails');
      if (failAt === -1 && task === 0) process.exit(7);
      values[to + task] = (values[from + task] + values[from + ((task + 1) % half)]) | 0;
    });
  }
};
`;
/** Mixes the values of two places, in an order that decides what comes out. */
const chainSource = `
export const open = ({ values, failAt }) => ({ rounds }, crew) => {
  crew.chain(rounds, (round, task) => {
    const [a, b] = rounds[round][task];
    if (failAt === round) throw new Error('round ' + round + ' fails');
    // Tasks take unequal times, so that members drift apart.
    for (let wait = 0; wait < ((a * 7 + b * 13 + round) % 5) * 400; wait++) Math.fround(wait);
    values[a] = (Math.imul(values[a], 31) + values[b] + round) | 0;
    values[b] = (Math.imul(values[b], 17) ^ values[a]) | 0;
  });
};
`;
interface Data {
  values: Int32Array;
  failAt: number | null;
}
const folder = mkdtempSync(join(tmpdir(), 'scinertopic-team-'));
const file = join(folder, 'rounds.mjs');
writeFileSync(file, source);
const chainFile = join(folder, 'chain.mjs');
writeFileSync(chainFile, chainSource);
const { open: openChain } = (await import(pathToFileURL(chainFile).href)) as {
  open: OpenTeamWork<Data, { rounds: [number, number][][] }>;
};
const { open } = (await import(pathToFileURL(file).href)) as { open: OpenTeamWork<Data, { rounds: number }> };
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const half = 37;

function createTeam(threads: number, failAt: number | null = null, signal?: AbortSignal) {
  const values = new Int32Array(new SharedArrayBuffer(2 * half * 4));
  for (let x = 0; x < half; x++) values[x] = x * x;
  const data = { values, failAt };
  return { values, team: startTeam({ module: () => pathToFileURL(file), open, data, threads, signal }) };
}

describe('a team of threads', () => {
  it('gives what one thread gives, over hundreds of rounds', async () => {
    const results: number[][] = [];
    for (const threads of [1, 2, 3]) {
      const { values, team } = createTeam(threads);
      for (let request = 0; request < 3; request++) await team.run({ rounds: 200 });
      await team.close();
      results.push(Array.from(values));
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
    expect(new Set(results[0]).size).toBeGreaterThan(half);
  });

  it.each([1, 3])('of %i hands on what a member threw', async (threads) => {
    const { team } = createTeam(threads, 20);
    await expect(team.run({ rounds: 5 })).rejects.toThrow('task 20 fails');
    await team.close();
  });

  it('says that a thread ended, and frees those that wait for it', async () => {
    const { team } = createTeam(3, -1);
    await expect(team.run({ rounds: 5 })).rejects.toThrow('A thread of the team ended with code 7.');
    await expect(team.run({ rounds: 5 })).rejects.toThrow('A thread of the team ended with code 7.');
    await team.close();
  });

  it.each([1, 2])('of %i starts nothing once it was told to stop', async (threads) => {
    const stop = new AbortController();
    stop.abort();
    const { team } = createTeam(threads, null, stop.signal);
    await expect(team.run({ rounds: 1 })).rejects.toThrow(Interrupted);
    await team.close();
  });

  it('stops in the middle of a request', async () => {
    const stop = new AbortController();
    const { team } = createTeam(2, null, stop.signal);
    setTimeout(() => stop.abort(), 20);
    // More rounds than could ever be waited for.
    await expect(team.run({ rounds: 2 ** 40 })).rejects.toThrow(Interrupted);
    await team.close();
  });

  it('refuses a number of threads that is none', () => {
    expect(() => createTeam(0)).toThrow('Expected threads to be a whole number from 1 up, got 0.');
    expect(() => createTeam(1.5)).toThrow('got 1.5.');
  });

  it('says that there is no such module', () => {
    expect(() => compiledModule('no-such-module')).toThrow(
      'There is no compiled no-such-module.js; run npm run build.',
    );
  });
});

describe('a chain of rounds', () => {
  const places = 8;
  const rounds = tournament(places);

  function createChain(threads: number, failAt: number | null = null, signal?: AbortSignal) {
    const values = new Int32Array(new SharedArrayBuffer(places * 4));
    values.forEach((_, place) => {
      values[place] = place + 1;
    });
    const module = () => pathToFileURL(chainFile);
    const team = startTeam({
      ...{ module, open: openChain, data: { values, failAt }, threads, places, signal },
    });
    return { values, team };
  }

  it('gives what one thread gives, also with more threads than tasks', async () => {
    const results: number[][] = [];
    for (const threads of [1, 2, 3, 6]) {
      const { values, team } = createChain(threads);
      for (let request = 0; request < 20; request++) await team.run({ rounds });
      await team.close();
      results.push(Array.from(values));
    }
    for (const result of results) expect(result).toEqual(results[0]);
    // Rounds in another order would give something else.
    const { values, team } = createChain(1);
    for (let request = 0; request < 20; request++) await team.run({ rounds: rounds.toReversed() });
    expect(Array.from(values)).not.toEqual(results[0]);
  });

  it('frees those that wait for a member that failed, or is to stop', async () => {
    const { team } = createChain(3, 5);
    await expect(team.run({ rounds })).rejects.toThrow('round 5 fails');
    await team.close();
    const stop = new AbortController();
    const stopped = createChain(2, null, stop.signal);
    const long = Array.from({ length: 40_000 }, () => rounds).flat();
    const run = stopped.team.run({ rounds: long });
    setTimeout(() => stop.abort(), 200);
    await expect(run).rejects.toBeInstanceOf(Interrupted);
    await stopped.team.close();
  });
});
