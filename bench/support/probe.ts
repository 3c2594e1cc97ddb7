// Loaded into each server before its own code (`node --import`). Reports the process's resource usage, which is not
// visible from outside on every platform, and collects garbage on request.

import { setTimeout as sleep } from 'node:timers/promises';
import { answer } from './ipc.ts';

/** The resource usage of a process. `cpuMicros` counts every thread. */
export interface Usage {
  readonly cpuMicros: number;
  readonly rssBytes: number;
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpuMicros: user + system, rssBytes: process.memoryUsage.rss() };
}

/** Returns the usage once garbage collections no longer change the resident memory, or after 5 s. */
async function settledUsage(): Promise<Usage> {
  let steady = 0;
  for (let round = 0; round < 25 && steady < 3; round += 1) {
    const before = process.memoryUsage.rss();
    globalThis.gc?.();
    await sleep(200);
    steady = Math.abs(process.memoryUsage.rss() - before) < 0.005 * before ? steady + 1 : 0;
  }
  return usage();
}

answer({ usage, settledUsage });
// The probe must not keep the server alive.
process.channel?.unref();
