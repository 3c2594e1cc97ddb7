import { join } from 'node:path';
import {
  type Course,
  counted,
  type Row,
  rowOf,
  type SteadyRow,
  steadyRowOf,
  type Target,
} from './call-rows.ts';
import { Child } from './child.ts';
import { copyFixture, makeFixture, sampleMessages } from './fixture.ts';
import { type Operation, type OperationName, operations } from './operations.ts';
import type { Ports } from './servers/bare-connect.ts';
import { type StoreKind, startBareNode, startGoService, startService } from './servers.ts';
import { rateOf, runSlot, type Slot } from './slot.ts';
import { spread } from './stats.ts';

export interface CallsPlan {
  readonly rounds: number;
  readonly inFlight: readonly number[];
  /** How long each operation is measured on each server in each round, and how long it warms up before. */
  readonly slotMs: number;
  readonly warmUpMs: number;
  readonly wanted: readonly OperationName[];
  readonly store: StoreKind;
  /** Before the name of each operation, where the store is not that of the rest. */
  readonly prefix: string;
  readonly steady: SteadyPlan;
}

/** The operations, by name, and the calls at once at which the highest rate is sought and half of it is made. */
export interface SteadyPlan {
  readonly operations: readonly OperationName[];
  readonly inFlight: number;
  readonly ms: number;
}

export interface Calls {
  readonly rows: readonly Row[];
  readonly steady: readonly SteadyRow[];
}

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
  const bareConnect = new Child('bare connect-node', './servers/bare-connect.js');
  const load = new Child('the load generator', './load/main.js');
  const fixture = await makeFixture(service.port);
  if (go !== undefined) await copyFixture(fixture, service.port, go.etcdPort);
  const ports = (await bareConnect.ask('listen', await sampleMessages(service.port, fixture))) as Ports;

  const courseOf = (operation: Operation, inFlight: number): Course => {
    const { reply, grpcPath } = operation;
    const overConnect = { usage: () => bareConnect.usage(), slots: [], steady: [] };
    return {
      name: plan.prefix + operation.name,
      operation,
      inFlight,
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
  const courses = (await operations(service.port, fixture))
    .filter(({ name }) => plan.wanted.includes(name))
    .flatMap((operation) => plan.inFlight.map((inFlight) => courseOf(operation, inFlight)));

  /** At most so many registrations, which are made ready before the clock starts. */
  const slot = async (
    { operation: { requests, grpcPath }, inFlight }: Course,
    target: Target,
    { ms, count, perSecond }: Timing,
  ): Promise<Slot> => {
    await target.prepare?.();
    const { tokensAt, port } = target;
    return runSlot(load, target.usage, {
      port,
      ...(grpcPath !== undefined && { grpcPath }),
      inFlight,
      ms,
      ...(perSecond !== undefined && { perSecond }),
      requests:
        'repeat' in requests
          ? requests
          : { distinct: { ...requests, count }, ...(tokensAt !== undefined && { tokensAt }) },
    });
  };

  // The number of registrations has to be guessed: from the slot before, with room. A slot that runs out of them
  // ends early and counts with its own time.
  const enough = (last: Slot | undefined): number =>
    last === undefined
      ? 10 * plan.warmUpMs
      : Math.ceil((1.5 * last.calls * plan.slotMs) / (1000 * last.seconds)) + 100;

  for (const [index, course] of courses.entries()) {
    progress(`warming up ${index + 1}/${courses.length}: ${course.name}`);
    for (const target of targetsOf(course)) {
      const timing = { ms: plan.warmUpMs, count: enough(undefined) };
      target.slots.push(await slot(course, target, timing));
    }
  }
  for (let round = 1; round <= plan.rounds; round += 1) {
    for (const [index, course] of courses.entries()) {
      progress(`round ${round}/${plan.rounds}, ${index + 1}/${courses.length}: ${course.name}`);
      // In turn each goes first, so that none has the better time of it.
      const targets = targetsOf(course);
      if (round % 2 === 0) targets.reverse();
      for (const target of targets) {
        const timing = { ms: plan.slotMs, count: enough(target.slots.at(-1)) };
        target.slots.push(await slot(course, target, timing));
      }
    }
  }
  const { steady } = plan;
  const half = courses.filter(
    ({ operation, inFlight }) => inFlight === steady.inFlight && steady.operations.includes(operation.name),
  );
  for (let round = 1; round <= plan.rounds; round += 1) {
    for (const course of half) {
      progress(`half of the highest rate, round ${round}/${plan.rounds}: ${course.name}`);
      for (const target of [course.baseline, course.service]) {
        const perSecond = spread(counted(target).map(rateOf)).median / 2;
        const count = Math.ceil((perSecond * steady.ms) / 1000);
        target.steady.push(await slot(course, target, { ms: steady.ms, count, perSecond }));
      }
    }
  }
  await Promise.all([service, bareNode, bareConnect, load, go].map(async (server) => server?.stop()));
  return { rows: courses.map(rowOf), steady: half.map(steadyRowOf) };
}

interface Timing {
  readonly ms: number;
  readonly count: number;
  readonly perSecond?: number;
}

function targetsOf({ baseline, service, go }: Course): Target[] {
  return go === undefined ? [baseline, service] : [baseline, service, go];
}
