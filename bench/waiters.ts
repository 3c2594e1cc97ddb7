import { join } from 'node:path';
import { Child } from './child.ts';
import { sampleRegistration, sampleReply } from './fixture.ts';
import { memberOf } from './load/registrations.ts';
import type { Waiting, WakeResult } from './load/waiters.ts';
import { get, putForm } from './requests.ts';
import { type Server, startBareNode, startService } from './servers.ts';
import { type Spread, spread } from './stats.ts';

export interface WaitersPlan {
  readonly rounds: number;
  readonly waiters: number;
}

/** Long polls on one server, over the rounds. Times from sending the registration that wakes them. */
export interface WaitersMeasured {
  readonly rssBytesEach: Spread;
  readonly heapBytesEach: Spread;
  readonly registeredMs: Spread;
  readonly firstMs: Spread;
  readonly medianMs: Spread;
  readonly lastMs: Spread;
  /** CPU time of the server to wake them all. */
  readonly wakeCpuMs: Spread;
}

export interface WaitersResult {
  readonly waiters: number;
  readonly bareNode: WaitersMeasured;
  readonly service: WaitersMeasured;
}

interface Round extends WakeResult {
  readonly rssBytesEach: number;
  readonly heapBytesEach: number;
  readonly wakeCpuMs: number;
}

/** What waits, and what wakes it. */
interface Poll {
  readonly wait: Uint8Array;
  readonly wake: Uint8Array;
}

// Before the memory is read: what a server keeps from its first requests on is no waiter's.
const REHEARSAL_WAITERS = 200;

/** Memory and wake-up of many long polls. Every round has new servers, so that none starts with a grown heap. */
export async function measureWaiters(
  plan: WaitersPlan,
  dataDir: string,
  progress: (text: string) => void,
): Promise<WaitersResult> {
  const bareNode: Round[] = [];
  const service: Round[] = [];
  for (let round = 1; round <= plan.rounds; round += 1) {
    progress(`${plan.waiters} waiters, round ${round}/${plan.rounds}`);
    const server = await startService(join(dataDir, `waiters-${round}`));
    // The event that wakes a waiter is what the registration was answered, except for the status.
    const event = { ...(await sampleRegistration(server.port)), status: 200 };
    service.push(await measure(server, plan.waiters, () => makePoll(server.port)));
    const bare = await startBareNode();
    await bare.child.ask('hold', event);
    bareNode.push(await measure(bare, plan.waiters, () => BARE_POLL));
  }
  return { waiters: plan.waiters, bareNode: over(bareNode), service: over(service) };
}

async function measure(server: Server, count: number, makePoll: () => Poll | Promise<Poll>): Promise<Round> {
  const load = new Child('the load generator', './load/main.js');
  await once(server, load, await makePoll(), REHEARSAL_WAITERS);
  const poll = await makePoll();
  const before = await server.child.settledUsage();
  const { waiting, wake, awake } = await once(server, load, poll, count);
  await Promise.all([server.child.stop(), load.stop()]);
  return {
    ...wake,
    rssBytesEach: (waiting.rssBytes - before.rssBytes) / count,
    heapBytesEach: (waiting.heapBytes - before.heapBytes) / count,
    wakeCpuMs: (awake.cpuMicros - waiting.cpuMicros) / 1000,
  };
}

async function once({ child, port }: Server, load: Child, poll: Poll, count: number) {
  await load.ask('openWaiters', { port, count, request: poll.wait } satisfies Waiting);
  const waiting = await child.settledUsage();
  const wake = (await load.ask('wakeWaiters', { port, request: poll.wake })) as WakeResult;
  const awake = await child.usage();
  await load.ask('closeWaiters');
  return { waiting, wake, awake };
}

/** A new token with one member: what waits for the second, and what registers it. */
async function makePoll(port: number): Promise<Poll> {
  const url = (await sampleReply(port, '/new?size=3')).body.trim();
  const token = url.slice(url.lastIndexOf('/') + 1);
  const first = await sampleReply(port, registrationPath(token, 0), {
    method: 'PUT',
    body: new URLSearchParams(valueOf(0)),
  });
  return poll(token, Number(first.headers['x-etcd-index']) + 1);
}

function poll(token: string, waitIndex: number): Poll {
  return {
    wait: get(`/${token}?recursive=true&wait=true&waitIndex=${waitIndex}`),
    wake: putForm(registrationPath(token, 1), valueOf(1)),
  };
}

/** Of the same size; bare Node looks at nothing but the method. */
const BARE_POLL = poll('0'.repeat(32), 1000);

function registrationPath(token: string, member: number): string {
  return `/${token}/${memberOf(member).id}?prevExist=false`;
}

function valueOf(member: number): string {
  const { name, peerUrl } = memberOf(member);
  return new URLSearchParams({ value: `${name}=${peerUrl}` }).toString();
}

function over(rounds: readonly Round[]): WaitersMeasured {
  const all = (of: (round: Round) => number): Spread => spread(rounds.map(of));
  return {
    rssBytesEach: all((round) => round.rssBytesEach),
    heapBytesEach: all((round) => round.heapBytesEach),
    registeredMs: all((round) => round.registeredMs),
    firstMs: all((round) => round.firstMs),
    medianMs: all((round) => round.medianMs),
    lastMs: all((round) => round.lastMs),
    wakeCpuMs: all((round) => round.wakeCpuMs),
  };
}
