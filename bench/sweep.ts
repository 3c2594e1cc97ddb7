// The sweep of many expired tokens while the service serves: what those who call meanwhile notice of it.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './child.ts';
import { copyOfFilled } from './data.ts';
import { memberListPath } from './filled.ts';
import { makeFixture } from './fixture.ts';
import type { Job } from './load/main.ts';
import type { LoopDelay } from './probe.ts';
import { get } from './requests.ts';
import { startService } from './servers.ts';
import { rateOf, runSlot } from './slot.ts';
import { type Steady, steadyOf } from './steady.ts';

export interface SweepPlan {
  readonly tokens: number;
  readonly inFlight: number;
  /** Until the sweep begins: time to see how calls fare without it. */
  readonly delayMs: number;
  /** To see how many calls a second there can be, and then for each look at calls at half of that rate. */
  readonly slotMs: number;
  readonly cache: string;
}

export interface SweepResult {
  readonly tokens: number;
  readonly seconds: number;
  /** Of the event loop, while nothing but the sweep went on. */
  readonly alone: LoopDelay;
  readonly rows: readonly SweepRow[];
}

export interface SweepRow {
  readonly operation: string;
  /** At half of the highest rate, before the sweep and during it. */
  readonly perSecond: number;
  readonly before: Steady;
  readonly during: Steady;
  /** The sweep ended before this was seen: too few tokens to tell. */
  readonly wasOver: boolean;
}

/** Past the longest lifetime and the time that an expired token is remembered. */
const CLOCK_AHEAD_MS = 800 * 86_400_000;
const LIMIT_MS = 10 * 60_000;
const POLL_MS = 50;
const SWEEPS = 'discovery_sweeps_total{result="ok"}';

export async function measureSweep(
  { tokens, inFlight, delayMs, slotMs, cache }: SweepPlan,
  dataDir: string,
  progress: (text: string) => void,
): Promise<SweepResult> {
  const directory = join(dataDir, 'sweep');
  await copyOfFilled(tokens, { cache, target: directory }, progress);
  progress(`the sweep of ${tokens} tokens`);
  const load = new Child('the load generator', './load/main.js');
  const flags = ['--gcfreq', `${delayMs}ms`];
  const service = await startService(directory, { flags, clockAheadMs: CLOCK_AHEAD_MS });
  const { port } = service;
  const { tokenOf3 } = await makeFixture(port);

  const operations: readonly [string, (count: number) => Job['requests']][] = [
    ['v2 list of 3', () => ({ repeat: get(memberListPath(tokenOf3)) })],
    [
      'v2 register, 3 a token',
      (count) => ({ distinct: { dialect: 'v2', perToken: 3, count }, tokensAt: port }),
    ],
  ];
  const run = (job: Omit<Job, 'port' | 'inFlight'>) =>
    runSlot(load, () => service.usage(), { ...job, port, inFlight });
  const calm = [];
  for (const [operation, requestsOf] of operations) {
    const most = await run({ ms: slotMs / 4, requests: requestsOf(3 * slotMs) });
    const perSecond = rateOf(most) / 2;
    const timed = { ms: slotMs, perSecond, requests: requestsOf(Math.ceil((perSecond * slotMs) / 1000)) };
    calm.push({ operation, timed, before: steadyOf(await run(timed)) });
  }
  await sweeping(port);
  await service.watchLoop();
  await sleep(slotMs);
  const alone = await service.loopDelay();
  const rows: SweepRow[] = [];
  for (const { operation, timed, before } of calm) {
    const during = steadyOf(await run(timed));
    const wasOver = (await metric(port, SWEEPS)) > 0;
    rows.push({ operation, perSecond: timed.perSecond, before, during, wasOver });
  }
  const seconds = await sweepSeconds(port);
  await Promise.all([load.stop(), service.stop()]);
  return { tokens, seconds, alone, rows };
}

/** Resolves when there are fewer tokens than before, or the sweep is over already. */
async function sweeping(port: number): Promise<void> {
  let last = 0;
  await until(async () => {
    const tokens = await metric(port, 'discovery_tokens');
    const isFewer = tokens < last;
    last = tokens;
    return isFewer || (await metric(port, SWEEPS)) > 0;
  });
}

async function sweepSeconds(port: number): Promise<number> {
  await until(async () => (await metric(port, SWEEPS)) > 0);
  return metric(port, 'discovery_sweep_seconds_total');
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`the sweep was not over within ${LIMIT_MS / 1000} s`);
    await sleep(POLL_MS);
  }
}

async function metric(port: number, series: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  if (line === undefined) throw new Error(`/metrics has no ${series}`);
  return Number(line.slice(series.length + 1));
}
