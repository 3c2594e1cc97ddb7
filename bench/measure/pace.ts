// Measures calls at half of the highest rate: the latencies without queueing.

import { join } from 'node:path';
import { launchService, type StoreKind, startBareHttp2 } from '../servers/servers.ts';
import { Child } from '../support/child.ts';
import { ratios, type Spread, spread } from '../support/stats.ts';
import { makeFixture, sampleMessages } from './fixture.ts';
import { type Operation, type OperationName, operations } from './operations.ts';
import { type Asked, inTurn, rateOf, runSlot, type Slot, type Timing } from './slot.ts';

export const PACED = ['gRPC GetCluster', 'v3 Range of the size'] as const satisfies readonly OperationName[];

export interface PacePlan {
  readonly rounds: number;
  /** How to find the highest rate. */
  readonly highest: Timing;
  /** How long to make calls at half of it. */
  readonly ms: number;
  readonly store: StoreKind;
  readonly wanted: readonly OperationName[];
}

/** Latencies in ms from when a call was due. */
export interface Paced {
  readonly perSecond: Spread;
  readonly p50: Spread;
  readonly p99: Spread;
  /** p99 / p50, of the same round. */
  readonly tail: Spread;
}

export interface PaceRow {
  readonly operation: OperationName;
  readonly service: Paced;
  /** Bare node:http2. */
  readonly bare: Paced;
}

interface Target extends Asked {
  readonly prepare: (operation: Operation) => Promise<unknown>;
}

export async function measurePace(
  plan: PacePlan,
  dataDir: string,
  progress: (text: string) => void,
): Promise<readonly PaceRow[]> {
  const [service, bare] = await Promise.all([launchService(join(dataDir, 'pace'), plan), startBareHttp2()]);
  const load = new Child('the load generator', 'load/main.js');
  const fixture = await makeFixture(service.port);
  const messages = await sampleMessages(service.port, fixture);
  const all = await operations(service.port, fixture, messages);
  const ofService: Target = { usage: service.usage, port: service.port, prepare: async () => {} };
  const ofBare: Target = {
    usage: bare.usage,
    port: bare.port,
    prepare: ({ answer }) => bare.child.ask('reply', answer),
  };
  const rows: PaceRow[] = [];
  for (const operation of all.filter(({ name }) => plan.wanted.includes(name))) {
    const slots = new Map<Target, Slot[]>([
      [ofService, []],
      [ofBare, []],
    ]);
    for (let round = 0; round <= plan.rounds; round += 1) {
      progress(`at half of the highest rate, round ${round}/${plan.rounds}: ${operation.name}`);
      for (const target of inTurn([ofService, ofBare], round)) {
        const paced = await atHalf(load, target, operation, plan);
        // The first round warms up.
        if (round > 0) slots.get(target)?.push(paced);
      }
    }
    const over = (target: Target): Paced => pacedOver(slots.get(target) ?? []);
    rows.push({ operation: operation.name, service: over(ofService), bare: over(ofBare) });
  }
  await Promise.all([service, bare, load].map((server) => server.stop()));
  return rows;
}

async function atHalf(load: Child, target: Target, operation: Operation, plan: PacePlan): Promise<Slot> {
  await target.prepare(operation);
  const { requests, grpcPath } = operation;
  const highest = await runSlot(load, target, requests, plan.highest, { grpcPath });
  const timing = { inFlight: plan.highest.inFlight, ms: plan.ms, perSecond: rateOf(highest) / 2 };
  return runSlot(load, target, requests, timing, { grpcPath });
}

function pacedOver(slots: readonly Slot[]): Paced {
  const p50 = slots.map(({ latencyMsMedian }) => latencyMsMedian);
  const p99 = slots.map(({ latencyMs99 }) => latencyMs99);
  return {
    perSecond: spread(slots.map(rateOf)),
    p50: spread(p50),
    p99: spread(p99),
    tail: ratios(p99, p50),
  };
}
