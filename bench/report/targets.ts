// The service's performance targets, and whether it meets them.

import type { Figure } from './figures.ts';

export interface Target {
  readonly what: string;
  /** The figures that it applies to. */
  readonly of: RegExp;
  readonly atLeast?: number;
  readonly atMost?: number;
}

// With one call in flight, a write waits for a disk flush that it shares with no other: this is reported, but is not
// a target.
const SHARED = '(32|256|2000)';

export const TARGETS: readonly Target[] = [
  {
    what: 'v2 reads: half of the rate of bare Node',
    of: /^v2 (size|list of \d+), \d+ in flight: rate \/ bare Node/,
    atLeast: 0.5,
  },
  {
    what: 'v2 reads: 5 times the Go service',
    of: /^v2 (size|list of \d+), \d+ in flight: rate \/ Go/,
    atLeast: 5,
  },
  {
    what: 'durable /new and registrations: a third of the rate of bare Node',
    of: new RegExp(`^(/new|v2 register, \\d+ a token), ${SHARED} in flight: rate / bare Node`),
    atLeast: 1 / 3,
  },
  {
    what: 'durable /new and registrations: 8 times the Go service',
    of: new RegExp(`^(/new|v2 register, \\d+ a token), ${SHARED} in flight: rate / Go`),
    atLeast: 8,
  },
  {
    what: 'durable /new and registrations over etcd: 3 times the Go service',
    of: new RegExp(`^over etcd: (/new|v2 register, \\d+ a token), ${SHARED} in flight: rate / Go`),
    atLeast: 3,
  },
  {
    what: 'RPC reads: within 15% of bare connect-node',
    of: /^(Connect|gRPC|v3).* (GetCluster|Range).*: rate \/ bare connect/,
    atLeast: 0.85,
  },
  {
    what: 'RPC writes, durable: within 15% of bare connect-node, which stores nothing',
    of: new RegExp(`^(Connect|gRPC|v3).* (Register|Put).*, ${SHARED} in flight: rate / bare connect`),
    atLeast: 0.85,
  },
  {
    what: 'gRPC reads: 0.7 of the rate of bare node:http2',
    of: /^(gRPC GetCluster|v3 Range.*), (32|256) in flight: rate \/ bare node:http2/,
    atLeast: 0.7,
  },
  {
    what: 'gRPC reads, one in flight: 1.4 times the median latency of bare node:http2',
    of: /^(gRPC GetCluster|v3 Range.*), 1 in flight: median latency \/ bare node:http2/,
    atMost: 1.4,
  },
  {
    what: 'gRPC writes, durable: half of the rate of bare node:http2, which stores nothing',
    of: /^(gRPC Register|v3 Put.*), (32|256) in flight: rate \/ bare node:http2/,
    atLeast: 0.5,
  },
  {
    what: 'Connect JSON reads: 0.7 of the rate of bare Node',
    of: /^Connect JSON GetCluster, (32|256) in flight: rate \/ bare Node/,
    atLeast: 0.7,
  },
  {
    what: 'gRPC reads at half of the highest rate: p99 under 15 times p50',
    of: /at half of the highest rate: p99/,
    atMost: 15,
  },
  {
    what: 'a v2 waiter: 1.4 times the memory of bare Node',
    of: /v2 long poll: memory \/ bare Node/,
    atMost: 1.4,
  },
  {
    what: 'a v3 watch on a connection of its own: at most 40 KB',
    of: /^\d+ x v3 Watch, a connection each: memory, KB/,
    atMost: 40,
  },
  {
    what: 'three nodes of 3.7 are in discovery for at most 1.1 times as long as at a plain etcd',
    of: /^bootstrap, three at once: time/,
    atMost: 1.1,
  },
  {
    what: 'many waiters are woken within twice the time of the bare server',
    of: /^\d{3,} x .*: last woken \//,
    atMost: 2,
  },
  {
    what: 'idle waiters use no CPU: under 0.2% of a core for all of them',
    of: /: idle CPU, ms a second$/,
    atMost: 2,
  },
  {
    what: 'a start takes at most 1.6 times as long as bare Node.js with the same modules',
    of: /^start: time/,
    atMost: 1.6,
  },
  {
    what: 'memory after a start: at most 70 MB',
    of: /^start: memory/,
    atMost: 70,
  },
  {
    what: 'with 1,000,000 tokens every rate is at least 0.8 of that with 1,000',
    of: /^1000000 tokens: .*: rate \//,
    atLeast: 0.8,
  },
  {
    what: 'with 1,000,000 tokens memory without the page cache is within 100 MB of empty',
    of: /^1000000 tokens: memory /,
    atMost: 100,
  },
  {
    what: 'a start with 1,000,000 tokens takes under a second',
    of: /^1000000 tokens: start, ms$/,
    atMost: 1000,
  },
];

export interface TargetOutcome {
  readonly target: Target;
  /** How many figures of the target were measured, and how many reach it by their median. */
  readonly measured: number;
  readonly reached: number;
  /** How many have one quartile that reaches it and one that does not, so that the result may be noise. */
  readonly tooClose: number;
  readonly worst: Figure;
}

/** Returns the outcomes of targets with any measurement. */
export function outcomesOf(figures: readonly Figure[]): readonly TargetOutcome[] {
  return TARGETS.flatMap((target) => {
    const { of, atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = target;
    const measured = figures.filter(({ name }) => of.test(name));
    const [lowest] = measured.toSorted((one, other) => one.value.median - other.value.median);
    const highest = measured.toSorted((one, other) => other.value.median - one.value.median)[0];
    const worst = target.atLeast === undefined ? highest : lowest;
    if (worst === undefined) return [];
    const reaches = (value: number): boolean => value >= atLeast && value <= atMost;
    const reached = measured.filter(({ value }) => reaches(value.median)).length;
    const tooClose = measured.filter(
      ({ value }) => reaches(value.lowQuartile) !== reaches(value.highQuartile),
    ).length;
    return [{ target, measured: measured.length, reached, tooClose, worst }];
  });
}
