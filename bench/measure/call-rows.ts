// Summarizes the measurements of one operation.

import { ratios, type Spread, spread } from '../support/stats.ts';
import type { Operation } from './operations.ts';
import { type Asked, cpuOf, rateOf, type Slot, type Timing } from './slot.ts';

/** One operation on one server, over the rounds. */
export interface Measured {
  readonly callsPerSecond: Spread;
  /** CPU time of the server, all threads, in microseconds per call. */
  readonly cpuMicros: Spread;
  readonly latencyMsMedian: Spread;
  readonly latencyMs99: Spread;
}

/** Another server, and its comparison with the service. */
export interface Rival {
  readonly name: string;
  readonly measured: Measured;
  /** Calls per second, service / rival. */
  readonly ratio: Spread;
  /** CPU time per call, rival / service. */
  readonly cpuRatio: Spread;
  /** Median latency, service / rival. */
  readonly latencyRatio: Spread;
}

export interface CallsRow {
  readonly operation: string;
  readonly inFlight: number;
  readonly baselineName: string;
  readonly baseline: Measured;
  readonly service: Measured;
  /** Calls per second, service / baseline, both measured in the same round. */
  readonly ratio: Spread;
  /** CPU time per call, baseline / service, so that more is better here too. */
  readonly cpuRatio: Spread;
  /** Other servers that have the operation. */
  readonly rivals: readonly Rival[];
  /** The load generator was busier than the server, whose true rate is higher. */
  readonly generatorBound: { readonly baseline: boolean; readonly service: boolean };
}

/** A server set up for one operation. */
export interface Contender extends Asked {
  /** Configures the response of bare Node.js. */
  readonly prepare?: () => Promise<unknown>;
  readonly slots: Slot[];
}

export interface NamedContender extends Contender {
  readonly name: string;
}

/** A row to be measured. */
export interface Course {
  /** The name of the row. */
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
    // With one call in flight nothing is saturated: the rate is that of the round trip, including the generator's
    // part.
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
