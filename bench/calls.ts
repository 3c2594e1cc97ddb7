import { join } from 'node:path';
import { Child } from './child.ts';
import { makeFixture, sampleMessages } from './fixture.ts';
import type { Job, JobResult } from './load/main.ts';
import { type Operation, operations } from './operations.ts';
import type { Ports } from './servers/bare-connect.ts';
import { startBareNode, startService } from './servers.ts';
import { type Spread, spread } from './stats.ts';

export interface CallsPlan {
  readonly rounds: number;
  readonly inFlight: readonly number[];
  /** How long each operation is measured on each server in each round, and how long it warms up before. */
  readonly slotMs: number;
  readonly warmUpMs: number;
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
  /** Of calls a second, service / baseline, each of the two measured one after the other. */
  readonly ratio: Spread;
  /** The baseline was faster than the load generator could ask: the true ratio is lower. */
  readonly generatorBound: boolean;
}

interface Slot extends JobResult {
  readonly serverCpuMicros: number;
}

/** A server as it is for one operation. */
interface Target {
  readonly child: Child;
  readonly port: number;
  readonly isService: boolean;
}

/** One row in the making. */
interface Course {
  readonly operation: Operation;
  readonly inFlight: number;
  readonly baselineName: string;
  readonly baseline: Target;
  readonly service: Target;
  readonly baselineSlots: Slot[];
  readonly serviceSlots: Slot[];
}

/** Calls of every kind on the service and its baselines: each pair one after the other, round after round. */
export async function measureCalls(
  plan: CallsPlan,
  dataDir: string,
  progress: (text: string) => void,
): Promise<readonly Row[]> {
  progress('starting the servers');
  const [service, bareNode] = await Promise.all([startService(join(dataDir, 'calls')), startBareNode()]);
  const bareConnect = new Child('bare connect-node', './servers/bare-connect.js');
  const load = new Child('the load generator', './load/main.js');
  const fixture = await makeFixture(service.port);
  const ports = (await bareConnect.ask('listen', await sampleMessages(service.port, fixture))) as Ports;

  const courses = (await operations(service.port, fixture)).flatMap((operation) =>
    plan.inFlight.map((inFlight): Course => {
      const rpcPort = operation.grpcPath === undefined ? ports.http1 : ports.http2;
      const [baselineName, baseline] =
        operation.reply === undefined
          ? ['bare connect-node', { child: bareConnect, port: rpcPort }]
          : ['bare Node HTTP', bareNode];
      return {
        operation,
        inFlight,
        baselineName,
        baseline: { ...baseline, isService: false },
        service: { ...service, isService: true },
        baselineSlots: [],
        serviceSlots: [],
      };
    }),
  );

  const slot = async ({ operation, inFlight }: Course, target: Target, ms: number, count: number) => {
    if (!target.isService && operation.reply !== undefined) await target.child.ask('reply', operation.reply);
    const job: Job = {
      port: target.port,
      ...(operation.grpcPath !== undefined && { grpcPath: operation.grpcPath }),
      inFlight,
      ms,
      requests:
        'repeat' in operation.requests
          ? operation.requests
          : {
              distinct: { ...operation.requests, count },
              ...(target.isService && { tokensAt: service.port }),
            },
    };
    await load.ask('prepare', job);
    const before = await target.child.usage();
    const result = (await load.ask('run')) as JobResult;
    const after = await target.child.usage();
    return { ...result, serverCpuMicros: after.cpuMicros - before.cpuMicros } satisfies Slot;
  };

  // Registrations are made ready before the clock starts, so their number has to be guessed: from the slot
  // before, with room. A slot that runs out of them ends early and counts with its own time.
  const enough = (last: Slot | undefined): number =>
    last === undefined
      ? 10 * plan.warmUpMs
      : Math.ceil((1.5 * last.calls * plan.slotMs) / (1000 * last.seconds)) + 100;

  for (const [index, course] of courses.entries()) {
    progress(`warming up ${index + 1}/${courses.length}: ${course.operation.name}`);
    for (const target of [course.baseline, course.service]) {
      const slots = target.isService ? course.serviceSlots : course.baselineSlots;
      slots.push(await slot(course, target, plan.warmUpMs, enough(undefined)));
    }
  }
  for (let round = 1; round <= plan.rounds; round += 1) {
    for (const [index, course] of courses.entries()) {
      progress(`round ${round}/${plan.rounds}, ${index + 1}/${courses.length}: ${course.operation.name}`);
      // In turn the one and the other goes first, so that neither has the better time of it.
      const pair = [course.baseline, course.service];
      if (round % 2 === 0) pair.reverse();
      for (const target of pair) {
        const slots = target.isService ? course.serviceSlots : course.baselineSlots;
        slots.push(await slot(course, target, plan.slotMs, enough(slots.at(-1))));
      }
    }
  }
  await Promise.all([service.child, bareNode.child, bareConnect, load].map((child) => child.stop()));
  return courses.map(rowOf);
}

function rowOf({ operation, inFlight, baselineName, baselineSlots, serviceSlots }: Course): Row {
  // The first of each was the warm-up.
  const [, ...baseline] = baselineSlots;
  const [, ...service] = serviceSlots;
  const rates = service.map(rateOf);
  return {
    operation: operation.name,
    inFlight,
    baselineName,
    baseline: measured(baseline),
    service: measured(service),
    ratio: spread(baseline.map((slot, round) => (rates[round] ?? Number.NaN) / rateOf(slot))),
    // With one in flight nobody is ever busy: the rate is that of the round trip, the generator's part included.
    generatorBound:
      inFlight > 1 && spread(baseline.map((slot) => slot.cpuMicros / slot.serverCpuMicros)).median > 1.1,
  };
}

function measured(slots: readonly Slot[]): Measured {
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
