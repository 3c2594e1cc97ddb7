// What was measured of one operation, as the numbers that are told.

import { ratios, type Spread, spread } from '../support/stats.ts';
import type { Operation } from './operations.ts';
import { type Asked, cpuOf, rateOf, type Slot, type Timing } from './slot.ts';

/** One operation on one server, over the rounds. */
export interface Measured {
  readonly callsPerSecond: Spread;
  /** CPU time of the server, all of its threads, in microseconds a call. */
  readonly cpuMicros: Spread;
  readonly latencyMsMedian: Spread;
  readonly latencyMs99: Spread;
}

/** Another server, and the service beside it. */
export interface Rival {
  readonly name: string;
  readonly measured: Measured;
  /** Of calls a second, service / rival. */
  readonly ratio: Spread;
  /** Of CPU time a call, rival / service. */
  readonly cpuRatio: Spread;
  /** Of the median latencies, service / rival. */
  readonly latencyRatio: Spread;
}

export interface CallsRow {
  readonly operation: string;
  readonly inFlight: number;
  readonly baselineName: string;
  readonly baseline: Measured;
  readonly service: Measured;
  /** Of calls a second, service / baseline, each of the two measured in the same round. */
  readonly ratio: Spread;
  /** Of CPU time a call, baseline / service, so that more is better here too. */
  readonly cpuRatio: Spread;
  /** Others that have the operation. */
  readonly rivals: readonly Rival[];
  /** The load generator was the busier one: the true rate is higher. */
  readonly generatorBound: { readonly baseline: boolean; readonly service: boolean };
}

/** A server as it is for one operation. */
export interface Contender extends Asked {
  /** What bare Node is to answer. */
  readonly prepare?: () => Promise<unknown>;
  readonly slots: Slot[];
}

export interface NamedContender extends Contender {
  readonly name: string;
}

/** One row in the making. */
export interface Course {
  /** As the row is called. */
  readonly name: string;
  readonly operation: Operation;
  readonly timing: Timing;
  readonly baselineName: string;
  readonly baseline: Contender;
  readonly service: Contender;
  readonly rivals: readonly NamedContender[];
}

export function rowOf({ name, timing, baselineName, baseline, service, rivals }: Course): CallsRow {
  const { inFlight } = timing;
  return {
    operation: name,
    inFlight,
    baselineName,
    baseline: measured(baseline),
    service: measured(service),
    ratio: ratiosOf(service, baseline, rateOf),
    cpuRatio: ratiosOf(baseline, service, cpuOf),
    rivals: rivals.map((rival) => ({
      name: rival.name,
      measured: measured(rival),
      ratio: ratiosOf(service, rival, rateOf),
      cpuRatio: ratiosOf(rival, service, cpuOf),
      latencyRatio: ratiosOf(service, rival, (slot) => slot.latencyMsMedian),
    })),
    // With one in flight nobody is ever busy: the rate is that of the round trip, the generator's part included.
    generatorBound: {
      baseline: inFlight > 1 && isGeneratorBound(baseline),
      service: inFlight > 1 && isGeneratorBound(service),
    },
  };
}

function ratiosOf(one: Contender, other: Contender, of: (slot: Slot) => number): Spread {
  return ratios(one.slots.map(of), other.slots.map(of));
}

function isGeneratorBound(target: Contender): boolean {
  return spread(target.slots.map((slot) => slot.cpuMicros / slot.serverCpuMicros)).median > 1.1;
}

function measured({ slots }: Contender): Measured {
  return {
    callsPerSecond: spread(slots.map(rateOf)),
    cpuMicros: spread(slots.map(cpuOf)),
    latencyMsMedian: spread(slots.map((slot) => slot.latencyMsMedian)),
    latencyMs99: spread(slots.map((slot) => slot.latencyMs99)),
  };
}
