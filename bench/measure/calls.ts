import { join } from 'node:path';
import type { Ports } from '../servers/bare-connect.ts';
import { type StoreKind, startBareNode, startGoService, startService } from '../servers/servers.ts';
import { Child } from '../support/child.ts';
import { giveRealTimePriority } from '../support/priority.ts';
import { spread } from '../support/stats.ts';
import { type Course, type Row, rowOf, type SteadyRow, steadyRowOf, type Target } from './call-rows.ts';
import { copyFixture, makeFixture, sampleMessages } from './fixture.ts';
import { type Operation, type OperationName, operations } from './operations.ts';
import { rateOf, runSlot, type Slot } from './slot.ts';

export interface CallsPlan {
  readonly rounds: number;
  /** Calls at once, and how long each operation is then measured on each server in each round. */
  readonly slots: readonly CallsSlot[];
  /** How long each operation warms up on each server before all rounds, with some calls at once. */
  readonly warmUp: CallsSlot;
  readonly wanted: readonly OperationName[];
  readonly store: StoreKind;
  /** Before the name of each operation, where the store is not that of the rest. */
  readonly prefix: string;
  readonly steady: SteadyPlan;
}

export interface CallsSlot {
  readonly inFlight: number;
  readonly ms: number;
}

/** The operations, by name, and the calls at once at which the highest rate is sought and half of it is made. */
export interface SteadyPlan {
  readonly rounds: number;
  readonly operations: readonly OperationName[];
  readonly inFlight: number;
  readonly ms: number;
}

export interface Calls {
  readonly rows: readonly Row[];
  readonly steady: readonly SteadyRow[];
  /** At a fixed rate, the load generator went before all else. */
  readonly hasPriority: boolean;
}

/** The part of a slot for which calls are made before its clock starts. */
const LEAD_IN = 0.2;
/** At a fixed rate: each connection has made a few calls by then. */
const STEADY_LEAD_IN_MS = 100;
/** More than there will be. */
const GUESSED_PER_MS = 15;

/** Calls of every kind on the service and its rivals: one after the other, round after round. */
export async function measureCalls(
  plan: CallsPlan,
  dataDir: string,
  progress: (text: string) => void,
): Promise<Calls> {
  progress('starting the servers');
  const [service, bareNode, go] = await Promise.all([
    startService(join(dataDir, 'calls'), plan),
    startBareNode(),
    startGoService(join(dataDir, 'go')),
  ]);
  const bareConnect = new Child('bare connect-node', 'servers/bare-connect.js');
  const load = new Child('the load generator', 'load/main.js');
  const fixture = await makeFixture(service.port);
  if (go !== undefined) await copyFixture(fixture, service.port, go.etcdPort);
  const ports = (await bareConnect.ask('listen', await sampleMessages(service.port, fixture))) as Ports;

  const courseOf = (operation: Operation, { inFlight, ms }: CallsSlot): Course => {
    const { reply, grpcPath } = operation;
    const overConnect = { usage: () => bareConnect.usage(), slots: [], steady: [] };
    return {
      name: plan.prefix + operation.name,
      operation,
      inFlight,
      slotMs: ms,
      baselineName: reply === undefined ? 'bare connect-node' : 'bare Node HTTP',
      baseline:
        reply === undefined
          ? { ...overConnect, port: grpcPath === undefined ? ports.http1 : ports.http2 }
          : {
              usage: () => bareNode.usage(),
              port: bareNode.port,
              prepare: () => bareNode.child.ask('reply', reply),
              slots: [],
              steady: [],
            },
      service: {
        usage: () => service.usage(),
        port: service.port,
        tokensAt: service.port,
        slots: [],
        steady: [],
      },
      // Its answers to calls past a few hundred at once are refusals of its etcd's.
      go:
        go === undefined || reply === undefined || !operation.goHasIt || inFlight > 256
          ? undefined
          : { usage: () => go.usage(), port: go.port, tokensAt: go.etcdPort, slots: [], steady: [] },
    };
  };
  const byOperation = (await operations(service.port, fixture))
    .filter(({ name }) => plan.wanted.includes(name))
    .map((operation) => plan.slots.map((each) => courseOf(operation, each)));
  const courses = byOperation.flat();

  /** At most so many registrations, which are made ready before the clock starts. */
  const slot = async (
    { operation: { requests, grpcPath } }: Course,
    target: Target,
    { inFlight, ms, leadInMs = ms * LEAD_IN, count, perSecond }: Timing,
  ): Promise<Slot> => {
    await target.prepare?.();
    const { tokensAt, port } = target;
    return runSlot(load, target.usage, {
      port,
      ...(grpcPath !== undefined && { grpcPath }),
      inFlight,
      ms,
      leadInMs,
      ...(perSecond !== undefined && { perSecond }),
      requests:
        'repeat' in requests
          ? requests
          : { distinct: { ...requests, count }, ...(tokensAt !== undefined && { tokensAt }) },
    });
  };

  // The number of registrations has to be guessed: from the slot before, with room. A slot that runs out of them
  // ends early and counts with its own time.
  const enough = (last: Slot | undefined, { inFlight, ms }: CallsSlot): number => {
    const perMs = last === undefined ? GUESSED_PER_MS : (1.5 * rateOf(last)) / 1000;
    // However slow it is, each caller makes a call before the clock starts, and one after.
    return Math.ceil(perMs * ms * (1 + LEAD_IN)) + 3 * inFlight;
  };

  for (const [index, sameOperation] of byOperation.entries()) {
    const [course] = sameOperation;
    if (course === undefined) continue;
    progress(`warming up ${index + 1}/${byOperation.length}: ${course.name}`);
    for (const target of targetsOf(course)) {
      await slot(course, target, { ...plan.warmUp, count: enough(undefined, plan.warmUp) });
    }
  }
  for (let round = 1; round <= plan.rounds; round += 1) {
    for (const [index, course] of courses.entries()) {
      progress(`round ${round}/${plan.rounds}, ${index + 1}/${courses.length}: ${course.name}`);
      // In turn each goes first, so that none has the better time of it.
      const targets = targetsOf(course);
      if (round % 2 === 0) targets.reverse();
      for (const target of targets) {
        const { inFlight, slotMs: ms } = course;
        const count = enough(target.slots.at(-1), { inFlight, ms });
        target.slots.push(await slot(course, target, { inFlight, ms, count }));
      }
    }
  }
  const { steady } = plan;
  const hasPriority = await giveRealTimePriority(load.pid);
  const half = courses.filter(
    ({ operation, inFlight }) => inFlight === steady.inFlight && steady.operations.includes(operation.name),
  );
  for (let round = 1; round <= steady.rounds; round += 1) {
    for (const course of half) {
      progress(`half of the highest rate, round ${round}/${steady.rounds}: ${course.name}`);
      for (const target of [course.baseline, course.service]) {
        const most = spread(target.slots.map(rateOf)).median;
        const perSecond = most / 2;
        const { inFlight, ms } = steady;
        // Room for what is made before the clock starts, as fast as it can be.
        const leadIn = Math.ceil((4 * most * STEADY_LEAD_IN_MS) / 1000) + 2 * inFlight;
        const count = leadIn + Math.ceil((perSecond * ms) / 1000);
        const timing = { inFlight, ms, leadInMs: STEADY_LEAD_IN_MS, count, perSecond };
        target.steady.push(await slot(course, target, timing));
      }
    }
  }
  await Promise.all([service, bareNode, bareConnect, load, go].map(async (server) => server?.stop()));
  return { rows: courses.map(rowOf), steady: half.map(steadyRowOf), hasPriority };
}

interface Timing {
  readonly inFlight: number;
  readonly ms: number;
  readonly leadInMs?: number;
  readonly count: number;
  readonly perSecond?: number;
}

function targetsOf({ baseline, service, go }: Course): Target[] {
  return go === undefined ? [baseline, service] : [baseline, service, go];
}
