/** One worker thread of a team: loads the team's module, then does its part of request after request. */

import { parentPort, workerData } from 'node:worker_threads';
import {
  joinCrew,
  type MemberData,
  type MemberReply,
  type OpenTeamWork,
  TeamStopped,
  type TeamWork,
} from './thread-team.ts';

const port = parentPort;
if (port === null) throw new Error('thread-team-member.ts runs as a worker thread only.');

const member = workerData as MemberData;
const { module, data } = member;
const crew = joinCrew(member);
let opened: Promise<TeamWork<unknown>> | undefined;

port.on('message', (request: unknown) => {
  answer(request).then((reply) => port.postMessage(reply));
});

async function answer(request: unknown): Promise<MemberReply> {
  try {
    opened ??= openWork();
    (await opened)(request, crew);
    return { state: 'done' };
  } catch (error) {
    return error instanceof TeamStopped ? { state: 'stopped' } : { state: 'failed', error };
  }
}

async function openWork(): Promise<TeamWork<unknown>> {
  const { open } = (await import(module)) as { open: OpenTeamWork<unknown, unknown> };
  return open(data);
}
