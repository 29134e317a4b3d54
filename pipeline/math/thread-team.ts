/**
 * A team of worker threads on shared memory, for kernels whose work falls into rounds: every member takes tasks
 * of the round until none is left, and waits for the others before the next. Which member does a task is left to
 * chance, so a task may depend on earlier rounds and its own number alone, and write only what no other task of
 * its round touches; then one thread and sixty-four give equal bytes.
 */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Interrupted } from '../errors.ts';
import { pause } from './pause.ts';

/** What a member of the team has in hand while it works on a request. */
export interface Crew {
  /**
   * One round: `work` is called once for each task from 0 to count − 1, by some member; returns when all tasks
   * of the round are done. Every member must come to the same rounds in the same order.
   */
  share(count: number, work: (task: number) => void): void;
  /**
   * Rounds of tasks on places, in each of which every place has one task. A task begins when its own places are
   * through with the round before, whatever the others do: members whose places do not meet never wait for each
   * other. Tasks of a round are dealt out in their order, the first to the first member, so that places which stand
   * near each other in every round stay in one member's cache. Every member must come to the same rounds.
   *
   * @param rounds Places of each task of each round, one or two, from 0 up to {@link TeamOptions.places}.
   */
  chain(rounds: readonly (readonly PlacePair[])[], work: (round: number, task: number) => void): void;
}

/** The places of a task; twice the same where it has but one. */
export type PlacePair = readonly [number, number];

/** Does its part of a request. */
export type TeamWork<Request> = (request: Request, crew: Crew) => void;

/** What a module that a team runs exports as `open`: takes the shared data once, then requests. */
export type OpenTeamWork<Data, Request> = (data: Data) => TeamWork<Request>;

export interface TeamOptions<Data, Request> {
  /** The compiled module, as {@link compiledModule} finds it; its export `open` is what workers call. */
  module: () => URL;
  /** The same function, for a team of one, which works in the thread of the caller. */
  open: OpenTeamWork<Data, Request>;
  /** Handed to every member; shared memory stays shared, the rest is copied. */
  data: Data;
  /** Members, from 1 up. */
  threads: number;
  /** Places that tasks of {@link Crew.chain} are about; none when left out. */
  places?: number;
  signal?: AbortSignal | undefined;
}

export interface Team<Request> {
  /**
   * Has the team work on a request, which should take about a tenth of a second or more: a request costs a
   * message per member, and a team of one hears a signal between requests only.
   *
   * @throws Interrupted when the signal is aborted; what a member threw. The team is of no use after either.
   */
  run(request: Request): Promise<void>;
  /** Ends the workers. */
  close(): Promise<void>;
}

/** What a worker is started with. */
export interface MemberData {
  module: string;
  data: unknown;
  size: number;
  /** Of this member, from 0. */
  rank: number;
  control: Int32Array;
  /** Rounds that each place is through with. */
  progress: Int32Array;
}

export type MemberReply = { state: 'done' | 'stopped' } | { state: 'failed'; error: unknown };

// Places in the control array.
const ARRIVED = 0;
const ROUND = 1;
const NEXT_TASK = 2;
const STOPPED = 3;
const CONTROL_LENGTH = 4;

/** Looks at the round before a member goes to sleep: some microseconds, about what waking it up would cost. */
const SPINS = 2_000;
/** A member asleep looks up so often, since nobody wakes it when the team is stopped. */
const NAP_MILLISECONDS = 20;

/** Thrown in members that wait for one that will not come. */
export class TeamStopped extends Error {
  override readonly name = 'TeamStopped';
}

/** Starts a team; close it when done. */
export function startTeam<Data, Request>(options: TeamOptions<Data, Request>): Team<Request> {
  const { threads } = options;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new RangeError(`Expected threads to be a whole number from 1 up, got ${threads}.`);
  }
  return threads === 1 ? workAlone(options) : workTogether(options);
}

/**
 * A module of this folder as compiled code, since Node 20 loads no TypeScript in a worker: beside this file, or
 * from the last build where this file runs from its sources.
 *
 * @param name File without its ending.
 * @throws Error when the program was not built.
 */
export function compiledModule(name: string): URL {
  for (const folder of ['./', '../../dist/pipeline/math/']) {
    const url = new URL(`${folder}${name}.js`, import.meta.url);
    if (existsSync(fileURLToPath(url))) return url;
  }
  throw new Error(`There is no compiled ${name}.js; run npm run build.`);
}

function workAlone<Data, Request>({ open, data, signal }: TeamOptions<Data, Request>): Team<Request> {
  const work = open(data);
  const crew: Crew = {
    share: (count, task) => {
      for (let t = 0; t < count; t++) task(t);
    },
    chain: (rounds, task) => {
      rounds.forEach((pairs, round) => {
        for (let t = 0; t < pairs.length; t++) task(round, t);
      });
    },
  };
  return {
    run: async (request) => {
      await pause(signal);
      work(request, crew);
    },
    close: async () => {},
  };
}

function workTogether<Data, Request>(options: TeamOptions<Data, Request>): Team<Request> {
  const { module, data, threads, places = 0, signal } = options;
  const shared = (length: number): Int32Array =>
    new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
  const control = shared(CONTROL_LENGTH);
  const team = { module: module().href, data, size: threads, control, progress: shared(places) };
  /** Why the team does no more work. */
  let fault: { reason: unknown } | null = null;
  let pending: { left: number; resolve: () => void; reject: (reason: unknown) => void } | null = null;

  // A request has ended when all members are through with it, also where one failed: none is left running.
  const settle = (): void => {
    if (pending === null || --pending.left > 0) return;
    const { resolve, reject } = pending;
    pending = null;
    if (fault === null) resolve();
    else reject(fault.reason);
  };
  const fail = (reason: unknown): void => {
    fault ??= { reason };
    stopTeam(control);
  };
  const onAbort = (): void => fail(new Interrupted('Stopped as asked.', { cause: signal?.reason }));
  const startMember = (rank: number): Worker => {
    const workerData: MemberData = { ...team, rank };
    // The caller's own flags, a preloaded module for example, are not meant for members.
    const worker = new Worker(compiledModule('thread-team-member'), { workerData, execArgv: [] });
    let alive = true;
    worker.on('message', (reply: MemberReply) => {
      if (reply.state === 'failed') fail(reply.error);
      settle();
    });
    worker.on('error', fail);
    worker.on('exit', (code) => {
      if (!alive) return;
      alive = false;
      fail(new Error(`A thread of the team ended with code ${code}.`));
      settle();
    });
    return worker;
  };
  const members = Array.from({ length: threads }, (_, rank) => startMember(rank));
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted) onAbort();

  return {
    run: (request) =>
      new Promise((resolve, reject) => {
        if (fault !== null) {
          reject(fault.reason);
          return;
        }
        if (pending !== null) throw new Error('The team is still at work on the request before.');
        pending = { left: threads, resolve, reject };
        for (const member of members) member.postMessage(request);
      }),
    close: async () => {
      signal?.removeEventListener('abort', onAbort);
      stopTeam(control);
      await Promise.all(members.map((member) => member.terminate()));
    },
  };
}

/** Lets every member that waits, now or later, go on to an end. */
function stopTeam(control: Int32Array): void {
  Atomics.store(control, STOPPED, 1);
  Atomics.add(control, ROUND, 1);
  Atomics.notify(control, ROUND);
}

/** What one member of a team works with. */
export function joinCrew({
  control,
  progress,
  size,
  rank,
}: Pick<MemberData, 'control' | 'progress' | 'size' | 'rank'>): Crew {
  /** Rounds of all chains so far. */
  let chained = 0;
  const leaveIfStopped = (): void => {
    if (Atomics.load(control, STOPPED) !== 0) throw new TeamStopped('The team was stopped.');
  };
  const awaitOthers = (): void => {
    const round = Atomics.load(control, ROUND);
    // After the line above: a team stopped later than this has another ROUND, and nobody sleeps on it.
    leaveIfStopped();
    if (Atomics.add(control, ARRIVED, 1) === size - 1) {
      // All others wait below, so that these may be set without them.
      Atomics.store(control, ARRIVED, 0);
      Atomics.store(control, NEXT_TASK, 0);
      Atomics.add(control, ROUND, 1);
      Atomics.notify(control, ROUND);
    } else {
      for (let spin = 0; Atomics.load(control, ROUND) === round; spin++) {
        if (spin >= SPINS) Atomics.wait(control, ROUND, round);
      }
    }
    leaveIfStopped();
  };
  const awaitPlace = (place: number, rounds: number): void => {
    for (let spin = 0; ; spin++) {
      const done = Atomics.load(progress, place);
      if (done === rounds) return;
      if (spin < SPINS) continue;
      leaveIfStopped();
      Atomics.wait(progress, place, done, NAP_MILLISECONDS);
    }
  };
  const leavePlace = (place: number): void => {
    Atomics.add(progress, place, 1);
    Atomics.notify(progress, place);
  };
  return {
    chain: (rounds, work) => {
      rounds.forEach((pairs, round) => {
        const first = Math.ceil((rank * pairs.length) / size);
        const end = Math.ceil(((rank + 1) * pairs.length) / size);
        for (let task = first; task < end; task++) {
          const [a, b] = pairs[task];
          awaitPlace(a, chained + round);
          awaitPlace(b, chained + round);
          work(round, task);
          leavePlace(a);
          if (b !== a) leavePlace(b);
        }
        leaveIfStopped();
      });
      chained += rounds.length;
      awaitOthers();
    },
    share: (count, work) => {
      for (let task = Atomics.add(control, NEXT_TASK, 1); task < count; ) {
        leaveIfStopped();
        work(task);
        task = Atomics.add(control, NEXT_TASK, 1);
      }
      awaitOthers();
    },
  };
}
