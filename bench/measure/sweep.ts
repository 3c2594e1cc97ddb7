// The sweep of many expired tokens while the service serves: what those who call meanwhile notice of it.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '../load/main.ts';
import { copyOfFilled } from '../servers/data-directories.ts';
import { startService } from '../servers/servers.ts';
import { Child } from '../support/child.ts';
import { memberListPath } from '../support/filled.ts';
import { giveRealTimePriority } from '../support/priority.ts';
import type { LoopDelay } from '../support/probe.ts';
import { get } from '../support/requests.ts';
import { makeFixture } from './fixture.ts';
import { rateOf, runSlot } from './slot.ts';
import { type Steady, steadyOf } from './steady.ts';

export interface SweepPlan {
  readonly tokens: number;
  readonly inFlight: number;
  /** For each look at calls: as many as there can be, and half of that rate. */
  readonly mostMs: number;
  readonly halfMs: number;
  /** Once all has been seen, it is not waited for longer than this. */
  readonly restMs: number;
  readonly cache: string;
}

export interface SweepResult {
  readonly tokens: number;
  /** As many were removed in these seconds, calls beside it. */
  readonly swept: number;
  readonly seconds: number;
  /** Of the event loop, while nothing but the sweep went on. */
  readonly alone: LoopDelay;
  readonly rows: readonly SweepRow[];
}

export interface SweepRow {
  readonly operation: string;
  readonly before: Seen;
  readonly during: Seen;
  /** The sweep ended before this was seen: too few tokens to tell. */
  readonly wasOver: boolean;
}

/** The highest rate, and the latencies at half of that which there was before the sweep. */
export interface Seen extends Steady {
  readonly most: number;
  readonly perSecond: number;
}

/** Past the longest lifetime and the time that an expired token is remembered. */
const CLOCK_AHEAD_MS = 800 * 86_400_000;
const SWEEP_EACH_MS = 1000;
const BEGIN_LIMIT_MS = 60_000;
const POLL_MS = 50;
/** At a fixed rate: each connection has made a few calls by then. */
const LEAD_IN_MS = 100;
/** More calls than there will be. */
const GUESSED_PER_MS = 15;
const TOKENS = 'discovery_tokens';
const SWEEPS = 'discovery_sweeps_total{result="ok"}';
const SECONDS = 'discovery_sweep_seconds_total';

type Requests = (count: number) => Job['requests'];

export async function measureSweep(
  { tokens, inFlight, mostMs, halfMs, restMs, cache }: SweepPlan,
  dataDir: string,
  progress: (text: string) => void,
): Promise<SweepResult> {
  const directory = join(dataDir, 'sweep');
  await copyOfFilled(tokens, { cache, target: directory }, progress);
  progress(`the sweep of ${tokens} tokens`);
  const load = new Child('the load generator', 'load/main.js');
  const service = await startService(directory, { flags: ['--gcfreq', `${SWEEP_EACH_MS}ms`] });
  const { port } = service;
  const run = (job: Omit<Job, 'port' | 'inFlight'>) =>
    runSlot(load, () => service.usage(), { ...job, port, inFlight });
  const lookAtMost = async (requestsOf: Requests): Promise<number> => {
    const requests = requestsOf(2 * GUESSED_PER_MS * mostMs);
    return rateOf(await run({ ms: mostMs, leadInMs: mostMs / 4, requests }));
  };
  const look = async (requestsOf: Requests, before?: Seen): Promise<Seen> => {
    const most = await lookAtMost(requestsOf);
    const perSecond = before?.perSecond ?? most / 2;
    // Room for what is made before the clock starts, as fast as it can be.
    const room = 8 * LEAD_IN_MS;
    const requests = requestsOf(Math.ceil((perSecond * (halfMs + room)) / 1000) + 2 * inFlight);
    const steady = steadyOf(await run({ ms: halfMs, leadInMs: LEAD_IN_MS, perSecond, requests }));
    return { most, perSecond, ...steady };
  };

  const calm: Seen[] = [];
  const early = await operationsOn(port);
  // What is not compiled yet is slow.
  for (const [, requestsOf] of early) await lookAtMost(requestsOf);
  await giveRealTimePriority(load.pid);
  for (const [, requestsOf] of early) calm.push(await look(requestsOf));

  const all = await metric(port, TOKENS);
  const secondsBefore = await metric(port, SECONDS);
  await service.moveClock(CLOCK_AHEAD_MS);
  const hasBegun = await within(BEGIN_LIMIT_MS, async () => (await metric(port, TOKENS)) < all);
  if (!hasBegun) throw new Error(`no token was swept within ${BEGIN_LIMIT_MS / 1000} s`);
  const begin = performance.now();
  // A sweep that has removed something ends later than the last that had nothing to do.
  const sweeps = await metric(port, SWEEPS);
  const isOver = async (): Promise<boolean> => (await metric(port, SWEEPS)) > sweeps;
  await service.watchLoop();
  await sleep(halfMs);
  const alone = await service.loopDelay();
  const rows: SweepRow[] = [];
  for (const [index, [operation, requestsOf]] of (await operationsOn(port)).entries()) {
    const before = calm[index] as Seen;
    const during = await look(requestsOf, before);
    rows.push({ operation, before, during, wasOver: await isOver() });
  }
  const done = (await within(restMs, isOver))
    ? { swept: all, seconds: (await metric(port, SECONDS)) - secondsBefore }
    : { swept: all - (await metric(port, TOKENS)), seconds: (performance.now() - begin) / 1000 };
  await Promise.all([load.stop(), service.stop()]);
  return { tokens, ...done, alone, rows };
}

/** With tokens of their own, as those of before have expired when the clock has moved. */
async function operationsOn(port: number): Promise<readonly (readonly [string, Requests])[]> {
  const { tokenOf3 } = await makeFixture(port);
  const register: Requests = (count) => ({
    distinct: { dialect: 'v2', perToken: 3, count },
    tokensAt: port,
  });
  return [
    ['v2 list of 3', () => ({ repeat: get(memberListPath(tokenOf3)) })],
    ['v2 register, 3 a token', register],
  ];
}

/** Whether it becomes so in this time. */
async function within(ms: number, isSo: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + ms;
  while (!(await isSo())) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

async function metric(port: number, series: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  if (line === undefined) throw new Error(`/metrics has no ${series}`);
  return Number(line.slice(series.length + 1));
}
