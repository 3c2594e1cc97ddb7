// Those who wait for a cluster: what each costs while nothing happens, and how soon all of them are woken.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './child.ts';
import type { WakeResult } from './load/waiters.ts';
import { type Server, type StoreKind, startGoService, startService } from './servers.ts';
import { type Spread, spread } from './stats.ts';
import { type Ask, goPoll, type Way, type WayName, waysOf } from './ways.ts';

export interface WaitersPlan {
  readonly rounds: number;
  /** How many wait at once, the fewest first. */
  readonly counts: readonly number[];
  /** From how many on memory and CPU time are told of: those of fewer would be chance. */
  readonly fewestForMemory: number;
  readonly idleMs: number;
  /** Before the memory is read: what a server keeps from its first requests on is no waiter's. */
  readonly rehearsal: number;
  readonly store: StoreKind;
  readonly wanted: readonly WayName[];
}

/** Many who wait, on one server. Times are from sending the registration that wakes them. */
interface Round {
  readonly rssBytesEach: number;
  readonly heapBytesEach: number;
  /** CPU time of the server, all of it, in a second in which nothing happens. */
  readonly idleCpuMs: number;
  /** CPU time of the server to wake them all. */
  readonly wakeCpuMs: number;
  readonly firstMs: number;
  readonly medianMs: number;
  readonly lastMs: number;
}

export type WaitersMetric = keyof Round;

/** Over the rounds. */
export type WaitersMeasured = Readonly<Record<WaitersMetric, Spread>>;

export interface WaitersRow {
  readonly how: string;
  readonly count: number;
  readonly connections: number;
  readonly baselineName: string;
  readonly baseline: WaitersMeasured;
  readonly service: WaitersMeasured;
  /** service / baseline, of the same round. */
  readonly ratio: WaitersMeasured;
  readonly go?: WaitersMeasured;
}

interface Rounds {
  readonly service: Round[];
  readonly baseline: Round[];
  readonly go: Round[];
}

/** Memory and wake-up. Every round has new servers, so that none starts with a grown heap. */
export async function measureWaiters(
  plan: WaitersPlan,
  dataDir: string,
  progress: (text: string) => void,
): Promise<readonly WaitersRow[]> {
  const rows: WaitersRow[] = [];
  for (const way of waysOf(plan.counts).filter(({ how }) => plan.wanted.includes(how))) {
    const rounds = new Map<number, Rounds>(
      way.counts.map((count) => [count, { service: [], baseline: [], go: [] }]),
    );
    for (let round = 1; round <= plan.rounds; round += 1) {
      progress(`${way.how}, round ${round}/${plan.rounds}`);
      const directory = join(dataDir, `${way.how.replaceAll(/\W/g, '-')}-${round}`);
      await measureRound(way, rounds, directory, plan);
    }
    for (const [count, { service, baseline, go }] of rounds) {
      rows.push({
        how: way.how,
        count,
        connections: Math.ceil(count / way.perConnection),
        baselineName: way.baselineName,
        service: over(service),
        baseline: over(baseline),
        ratio: over(service.map((round, index) => quotient(round, baseline[index] as Round))),
        ...(go.length > 0 && { go: over(go) }),
      });
    }
  }
  return rows;
}

async function measureRound(
  way: Way,
  rounds: ReadonlyMap<number, Rounds>,
  directory: string,
  plan: WaitersPlan,
) {
  const service = await startService(directory, plan);
  const baseline = await way.startBaseline(service.port);
  const go = way.goHasIt ? await startGoService(join(directory, 'go')) : undefined;
  const all = async (of: keyof Rounds, server: Server, ask: (count: number) => Promise<Ask>) => {
    const load = new Child('the load generator', './load/main.js');
    await once(server, load, await ask(plan.rehearsal), plan.rehearsal, undefined);
    for (const [count, { [of]: list }] of rounds) {
      const idleMs = count >= plan.fewestForMemory ? plan.idleMs : undefined;
      list.push(await once(server, load, await ask(count), count, idleMs));
    }
    await load.stop();
  };
  await all('service', service, (count) => way.onService(service.port, count));
  await all('baseline', baseline.server, (count) => baseline.ask(count));
  if (go !== undefined) {
    await all('go', go, (count) => goPoll(go, count));
  }
  await Promise.all([service, baseline.server, go].map(async (server) => server?.stop()));
}

/** Without `idleMs` there is no look at memory and idle CPU time. */
async function once(
  server: Server,
  load: Child,
  ask: Ask,
  count: number,
  idleMs: number | undefined,
): Promise<Round> {
  const usage = () => (idleMs === undefined ? server.usage() : server.settledUsage());
  const before = await usage();
  await load.ask(ask.open[0], ask.open[1]);
  await ask.ready?.();
  const waiting = await usage();
  const idle = idleMs === undefined ? waiting : await sleep(idleMs).then(() => server.usage());
  const { firstMs, medianMs, lastMs } = (await load.ask(ask.wake[0], ask.wake[1])) as WakeResult;
  const awake = await server.usage();
  await load.ask(ask.close);
  const each = (from: number, to: number): number =>
    idleMs === undefined ? Number.NaN : (to - from) / count;
  return {
    firstMs,
    medianMs,
    lastMs,
    rssBytesEach: each(before.rssBytes, waiting.rssBytes),
    heapBytesEach: each(before.heapBytes, waiting.heapBytes),
    idleCpuMs: (idle.cpuMicros - waiting.cpuMicros) / (idleMs ?? Number.NaN),
    wakeCpuMs: (awake.cpuMicros - idle.cpuMicros) / 1000,
  };
}

function quotient(one: Round, other: Round): Round {
  return ofEach((metric) => one[metric] / other[metric]);
}

function over(rounds: readonly Round[]): WaitersMeasured {
  return ofEach((metric) => spread(rounds.map((round) => round[metric])));
}

function ofEach<Value>(make: (metric: WaitersMetric) => Value): Record<WaitersMetric, Value> {
  return {
    rssBytesEach: make('rssBytesEach'),
    heapBytesEach: make('heapBytesEach'),
    idleCpuMs: make('idleCpuMs'),
    wakeCpuMs: make('wakeCpuMs'),
    firstMs: make('firstMs'),
    medianMs: make('medianMs'),
    lastMs: make('lastMs'),
  };
}
