import type { Job, JobResult } from '../load/main.ts';
import type { Child } from '../support/child.ts';
import type { Usage } from '../support/probe.ts';

/** What a load did, and what it took of the server. */
export interface Slot extends JobResult {
  /** CPU time of the server, all of its threads. */
  readonly serverCpuMicros: number;
}

/** Has the load generator do a job against a server. */
export async function runSlot(load: Child, usage: () => Promise<Usage>, job: Job): Promise<Slot> {
  await load.ask('prepare', job);
  const before = await usage();
  const result = (await load.ask('run')) as JobResult;
  const after = await usage();
  return { ...result, serverCpuMicros: after.cpuMicros - before.cpuMicros };
}

/** CPU time of the server in microseconds a call. */
export function cpuOf(slot: Slot): number {
  return slot.serverCpuMicros / slot.allCalls;
}

export function rateOf(slot: JobResult): number {
  return slot.calls / slot.seconds;
}
