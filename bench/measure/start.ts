// Measures how long a service with an empty store takes to start, and its memory afterwards.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBareModules, startProgram } from '../servers/servers.ts';
import { ratios, type Spread, spread } from '../support/stats.ts';
import { inTurn } from './slot.ts';

export interface StartPlan {
  readonly rounds: number;
  /** How long to wait until the memory is read. */
  readonly restMs: number;
}

/** Started is a program over the rounds. */
export interface Started {
  /** From spawning it to its first OK. */
  readonly ms: Spread;
  /** The resident memory after a rest, of the last round. */
  readonly rssBytes: number;
}

export interface StartResult {
  readonly service: Started;
  /** Bare Node.js that has loaded the same modules and answers on a port. */
  readonly bare: Started;
  /** Time of the service / bare. */
  readonly ratio: Spread;
}

export async function measureStart(
  { rounds, restMs }: StartPlan,
  dataDir: string,
  progress: (text: string) => void,
): Promise<StartResult> {
  const service = {
    start: (round: number) => startProgram(join(dataDir, String(round))),
    ms: [] as number[],
    rss: 0,
  };
  const bare = { start: () => startBareModules(), ms: [] as number[], rss: 0 };
  // The first round loads the files into the page cache.
  for (let round = 0; round <= rounds; round += 1) {
    for (const target of inTurn([bare, service], round)) {
      progress(`start, round ${round}/${rounds}`);
      const begin = performance.now();
      const program = await target.start(round);
      if (round > 0) target.ms.push(performance.now() - begin);
      if (round === rounds) {
        await sleep(restMs);
        target.rss = residentBytes(program.pid);
      }
      await program.stop();
    }
  }
  const started = ({ ms, rss }: { ms: readonly number[]; rss: number }): Started => ({
    ms: spread(ms),
    rssBytes: rss,
  });
  return { service: started(service), bare: started(bare), ratio: ratios(service.ms, bare.ms) };
}

/** Returns 0 on other systems than Linux. */
function residentBytes(pid: number): number {
  try {
    const [, kilobytes = '0'] =
      /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return 1024 * Number(kilobytes);
  } catch {
    return 0;
  }
}
