import { join } from 'node:path';
import { Child } from './child.ts';
import { copyFixture, makeFixture, sampleMessages } from './fixture.ts';
import type { Job, JobResult } from './load/main.ts';
import { type Operation, operations } from './operations.ts';
import type { Usage } from './probe.ts';
import type { Ports } from './servers/bare-connect.ts';
import { type StoreKind, startBareNode, startGoService, startService } from './servers.ts';
import { type Spread, spread } from './stats.ts';

export interface CallsPlan {
  readonly rounds: number;
  readonly inFlight: readonly number[];
  /** How long each operation is measured on each server in each round, and how long it warms up before. */
  readonly slotMs: number;
  readonly warmUpMs: number;
  /** By the name of an operation. */
  readonly isWanted: (name: string) => boolean;
  readonly store: StoreKind;
}

/** One operation on one server, over the rounds. */
export interface Measured {
  readonly callsPerSecond: Spread;
  /** CPU time of the server, all of its threads, in microseconds a call. */
  readonly cpuMicros: Spread;
  readonly latencyMsMedian: Spread;
  readonly latencyMs99: Spread;
}

export interface Row {
  readonly operation: string;
  readonly inFlight: number;
  readonly baselineName: string;
  readonly baseline: Measured;
  readonly service: Measured;
  /** Of calls a second, service / baseline, each of the two measured in the same round. */
  readonly ratio: Spread;
  /** The service in Go, where it is installed and has the operation. */
  readonly go?: Measured;
  readonly goRatio?: Spread;
  /** The load generator was the busier one: the true rate is higher. */
  readonly generatorBound: { readonly baseline: boolean; readonly service: boolean };
}

interface Slot extends JobResult {
  readonly serverCpuMicros: number;
}

/** A server as it is for one operation. */
interface Target {
  readonly usage: () => Promise<Usage>;
  readonly port: number;
  /** Where tokens are made for registrations; a baseline needs none. */
  readonly tokensAt?: number;
  /** What bare Node is to answer. */
  readonly prepare?: () => Promise<unknown>;
  readonly slots: Slot[];
}

/** One row in the making. */
interface Course {
  readonly operation: Operation;
  readonly inFlight: number;
  readonly baselineName: string;
  readonly baseline: Target;
  readonly service: Target;
  readonly go: Target | undefined;
}

/** Calls of every kind on the service and its rivals: one after the other, round after round. */
export async function measureCalls(
  plan: CallsPlan,
  dataDir: string,
  progress: (text: string) => void,
): Promise<readonly Row[]> {
  progress('starting the servers');
  const [service, bareNode, go] = await Promise.all([
    startService(join(dataDir, 'calls'), plan.store),
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
    const overConnect = { usage: () => bareConnect.usage(), slots: [] };
    return {
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
            },
      service: { usage: () => service.usage(), port: service.port, tokensAt: service.port, slots: [] },
      // Its answers to calls past a few hundred at once are refusals of its etcd's.
      go:
        go === undefined || reply === undefined || !operation.goHasIt || inFlight > 256
          ? undefined
          : { usage: () => go.usage(), port: go.port, tokensAt: go.etcdPort, slots: [] },
    };
  };
  const courses = (await operations(service.port, fixture))
    .filter(({ name }) => plan.isWanted(name))
    .flatMap((operation) => plan.inFlight.map((inFlight) => courseOf(operation, inFlight)));

  const slot = async ({ operation, inFlight }: Course, target: Target, ms: number, count: number) => {
    await target.prepare?.();
    const { requests, grpcPath } = operation;
    const { tokensAt, port } = target;
    const job: Job = {
      port,
      ...(grpcPath !== undefined && { grpcPath }),
      inFlight,
      ms,
      requests:
        'repeat' in requests
          ? requests
          : { distinct: { ...requests, count }, ...(tokensAt !== undefined && { tokensAt }) },
    };
    await load.ask('prepare', job);
    const before = await target.usage();
    const result = (await load.ask('run')) as JobResult;
    const after = await target.usage();
    target.slots.push({ ...result, serverCpuMicros: after.cpuMicros - before.cpuMicros });
  };

  // Registrations are made ready before the clock starts, so their number has to be guessed: from the slot
  // before, with room. A slot that runs out of them ends early and counts with its own time.
  const enough = (last: Slot | undefined): number =>
    last === undefined
      ? 10 * plan.warmUpMs
      : Math.ceil((1.5 * last.calls * plan.slotMs) / (1000 * last.seconds)) + 100;

  for (const [index, course] of courses.entries()) {
    progress(`warming up ${index + 1}/${courses.length}: ${course.operation.name}`);
    for (const target of targetsOf(course)) await slot(course, target, plan.warmUpMs, enough(undefined));
  }
  for (let round = 1; round <= plan.rounds; round += 1) {
    for (const [index, course] of courses.entries()) {
      progress(`round ${round}/${plan.rounds}, ${index + 1}/${courses.length}: ${course.operation.name}`);
      // In turn each goes first, so that none has the better time of it.
      const targets = targetsOf(course);
      if (round % 2 === 0) targets.reverse();
      for (const target of targets) await slot(course, target, plan.slotMs, enough(target.slots.at(-1)));
    }
  }
  await Promise.all([service, bareNode, bareConnect, load, go].map(async (server) => server?.stop()));
  return courses.map(rowOf);
}

function targetsOf({ baseline, service, go }: Course): Target[] {
  return go === undefined ? [baseline, service] : [baseline, service, go];
}

function rowOf({ operation, inFlight, baselineName, baseline, service, go }: Course): Row {
  return {
    operation: operation.name,
    inFlight,
    baselineName,
    baseline: measured(baseline),
    service: measured(service),
    ratio: ratioOf(service, baseline),
    ...(go !== undefined && { go: measured(go), goRatio: ratioOf(service, go) }),
    // With one in flight nobody is ever busy: the rate is that of the round trip, the generator's part included.
    generatorBound: {
      baseline: inFlight > 1 && isGeneratorBound(baseline),
      service: inFlight > 1 && isGeneratorBound(service),
    },
  };
}

/** The first of the slots was the warm-up. */
function counted({ slots }: Target): readonly Slot[] {
  return slots.slice(1);
}

function ratioOf(one: Target, other: Target): Spread {
  const rates = counted(one).map(rateOf);
  return spread(counted(other).map((slot, round) => (rates[round] ?? Number.NaN) / rateOf(slot)));
}

function isGeneratorBound(target: Target): boolean {
  return spread(counted(target).map((slot) => slot.cpuMicros / slot.serverCpuMicros)).median > 1.1;
}

function measured(target: Target): Measured {
  const slots = counted(target);
  return {
    callsPerSecond: spread(slots.map(rateOf)),
    cpuMicros: spread(slots.map((slot) => slot.serverCpuMicros / slot.calls)),
    latencyMsMedian: spread(slots.map((slot) => slot.latencyMsMedian)),
    latencyMs99: spread(slots.map((slot) => slot.latencyMs99)),
  };
}

function rateOf(slot: Slot): number {
  return slot.calls / slot.seconds;
}
