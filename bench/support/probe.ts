// Loaded into each server ahead of its own code (`node --import`): tells what the process uses, which cannot be
// seen from outside on every platform, and collects garbage when asked.

import { setTimeout as sleep } from 'node:timers/promises';
import { answer } from './ipc.ts';

/** What a process has used. `cpuMicros` counts every thread. */
export interface Usage {
  readonly cpuMicros: number;
  readonly rssBytes: number;
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpuMicros: user + system, rssBytes: process.memoryUsage.rss() };
}

/** The usage once garbage collections leave the resident memory where it is, or after 5 s of trying. */
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
// The server alone decides when it is over.
process.channel?.unref();
