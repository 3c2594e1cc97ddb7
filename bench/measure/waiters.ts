// Measures waiting clients: what each costs while idle, and how soon all of them are woken.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WakeResult } from '../load/loop.ts';
import { launchService, type Server, type StoreKind } from '../servers/servers.ts';
import { Child } from '../support/child.ts';
import { type Spread, spread } from '../support/stats.ts';
import { type Ask, type Way, type WayName, waysOf } from './ways.ts';

export interface WaitersPlan {
  readonly rounds: number;
  /** The numbers of concurrent waiters, ascending. */
  readonly counts: readonly number[];
  /** The fewest waiters for which memory and CPU time are reported: with fewer they would be noise. */
  readonly fewestForMemory: number;
  /** How often fewer waiters are woken in each round: it takes no time, and a single time is noise. */
  readonly timesFew: number;
  /**
   * In the first round the server is idle for this long, and then for as long again while its CPU time is measured:
   * V8 cleans up for a while after many waiters have connected, which is not a cost of waiting.
   */
  readonly restMs: number;
  readonly idleMs: number;
  /** Waiters before memory is read: what a server keeps from its first requests is not a cost of waiters. */
  readonly rehearsal: number;
  readonly store: StoreKind;
  readonly wanted: readonly WayName[];
}

/** Results of many waiters on one server. Times are from sending the registration that wakes them. */
const METRICS = [
  'rssBytesEach',
  /** CPU time of the server, all threads, in a second of idleness. */
  'idleCpuMs',
  /** CPU time of the server to wake them all. */
  'wakeCpuMs',
  'medianMs',
  'lastMs',
] as const;

export type WaitersMetric = (typeof METRICS)[number];

type Round = Readonly<Record<WaitersMetric, number>>;

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
  /** Another server with this way to wait. */
  readonly rival?: { readonly name: string; readonly measured: WaitersMeasured };
}

interface Rounds {
  readonly service: Round[];
  readonly baseline: Round[];
  readonly rival: Round[];
}

/** Measures memory and wake-up. Every round has new servers, so that none starts with a grown heap. */
export async function measureWaiters(
  plan: WaitersPlan,
  dataDir: string,
  progress: (text: string) => void,
): Promise<readonly WaitersRow[]> {
  const rows: WaitersRow[] = [];
  for (const way of waysOf().filter(({ how }) => plan.wanted.includes(how))) {
    const rounds = new Map<number, Rounds>(
      plan.counts.map((count) => [count, { service: [], baseline: [], rival: [] }]),
    );
    for (let round = 1; round <= plan.rounds; round += 1) {
      progress(`${way.how}, round ${round}/${plan.rounds}`);
      const directory = join(dataDir, `${way.how.replaceAll(/\W/g, '-')}-${round}`);
      await measureRound(way, rounds, directory, plan, round === 1);
    }
    for (const [count, { service, baseline, rival }] of rounds) {
      rows.push({
        how: way.how,
        count,
        connections: Math.ceil(count / way.perConnection),
        baselineName: way.baselineName,
        service: over(service),
        baseline: over(baseline),
        ratio: over(service.map((round, index) => quotient(round, baseline[index] as Round))),
        ...(rival.length > 0 && { rival: { name: way.rivalName, measured: over(rival) } }),
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
  isFirst: boolean,
) {
  const service = await launchService(directory, plan);
  const baseline = await way.startBaseline(service.port);
  const rival = await way.startRival(join(directory, 'rival'));
  const all = async (of: keyof Rounds, server: Server, ask: (count: number) => Promise<Ask>) => {
    const load = new Child('the load generator', 'load/main.js');
    await once(server, load, await ask(plan.rehearsal), plan.rehearsal, false);
    for (const [count, { [of]: list }] of rounds) {
      const areMany = count >= plan.fewestForMemory;
      const idle = areMany && isFirst ? plan : undefined;
      for (let time = 0; time < (areMany ? 1 : plan.timesFew); time += 1) {
        list.push(await once(server, load, await ask(count), count, areMany, idle));
      }
    }
    await load.stop();
  };
  await all('service', service, (count) => way.onService(service.port, count));
  await all('baseline', baseline.server, (count) => baseline.ask(count));
  if (rival !== undefined) await all('rival', rival.server, (count) => rival.ask(count));
  await Promise.all([service, baseline.server, rival?.server].map(async (server) => server?.stop()));
}

/**
 * Measures one round. Too few waiters have no measurable memory; idle CPU time is measured only if `idle` gives a
 * duration.
 */
async function once(
  server: Server,
  load: Child,
  ask: Ask,
  count: number,
  areMany: boolean,
  idle?: Pick<WaitersPlan, 'restMs' | 'idleMs'>,
): Promise<Round> {
  const usage = () => (areMany ? server.settledUsage() : server.usage());
  const before = await usage();
  await load.ask(ask.open[0], ask.open[1]);
  await ask.ready?.();
  const waiting = await usage();
  const idleCpuMs = idle === undefined ? Number.NaN : await idleCpu(server, idle);
  const asleep = await server.usage();
  const { medianMs, lastMs } = (await load.ask(ask.wake[0], ask.wake[1])) as WakeResult;
  const awake = await server.usage();
  await load.ask(ask.close);
  const each = (from: number, to: number): number => (areMany ? (to - from) / count : Number.NaN);
  return {
    medianMs,
    lastMs,
    rssBytesEach: each(before.rssBytes, waiting.rssBytes),
    idleCpuMs,
    wakeCpuMs: (awake.cpuMicros - asleep.cpuMicros) / 1000,
  };
}

/** Returns the CPU time in ms per second. */
async function idleCpu(
  server: Server,
  { restMs, idleMs }: Pick<WaitersPlan, 'restMs' | 'idleMs'>,
): Promise<number> {
  await sleep(restMs);
  const before = await server.usage();
  await sleep(idleMs);
  const after = await server.usage();
  return (after.cpuMicros - before.cpuMicros) / idleMs;
}

function quotient(one: Round, other: Round): Round {
  return ofEach((metric) => one[metric] / other[metric]);
}

/** Not every metric is measured in each round. */
function over(rounds: readonly Round[]): WaitersMeasured {
  return ofEach((metric) =>
    spread(rounds.map((round) => round[metric]).filter((value) => !Number.isNaN(value))),
  );
}

function ofEach<Value>(make: (metric: WaitersMetric) => Value): Record<WaitersMetric, Value> {
  return Object.fromEntries(METRICS.map((metric) => [metric, make(metric)])) as Record<WaitersMetric, Value>;
}
