// How long the service takes to start, over each of several stores.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startProgram } from '../servers/servers.ts';
import { type Spread, spread } from '../support/stats.ts';

const exec = promisify(execFile);

export interface Starts {
  /** From spawning the process to /health saying OK. */
  readonly startMs: Spread;
  /** The same with nothing of the data in the page cache; undefined where that cannot be had. */
  readonly coldStartMs: Spread | undefined;
}

/** A data directory, and how many tokens are in it. */
export interface Filled {
  readonly tokens: number;
  readonly directory: string;
}

/** Of each store in turn, so many times. */
export async function measureStarts(
  starts: number,
  stores: readonly Filled[],
  progress: (text: string) => void,
): Promise<Starts[]> {
  const warm = stores.map((): number[] => []);
  const cold = stores.map((): number[] => []);
  for (let round = 0; round <= starts; round += 1) {
    for (const [index, { tokens, directory }] of stores.entries()) {
      progress(`start with ${tokens} tokens, ${round}/${starts}`);
      const ms = await startMs(directory);
      // The first makes the files of an empty store, and reads those of a full one into the page cache.
      if (round > 0) warm[index]?.push(ms);
      if (round > 0 && (await dropFromCache(join(directory, 'data.mdb')))) {
        cold[index]?.push(await startMs(directory));
      }
    }
  }
  return stores.map((_, index) => {
    const coldMs = cold[index] ?? [];
    return {
      startMs: spread(warm[index] ?? []),
      coldStartMs: coldMs.length === 0 ? undefined : spread(coldMs),
    };
  });
}

async function startMs(directory: string): Promise<number> {
  const begin = performance.now();
  const program = await startProgram(directory);
  const ms = performance.now() - begin;
  await program.stop();
  return ms;
}

/** Has the system forget what it holds of a file in memory; false where it does not. */
async function dropFromCache(file: string): Promise<boolean> {
  return exec('dd', [`if=${file}`, 'iflag=nocache', 'count=0']).then(
    () => true,
    () => false,
  );
}
