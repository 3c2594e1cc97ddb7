// Measures how long the service takes to start, with each of several stores.

import { startProgram } from '../servers/servers.ts';
import { type Spread, spread } from '../support/stats.ts';

/** A data directory, and the number of tokens in it. */
export interface Filled {
  readonly tokens: number;
  readonly directory: string;
}

/** Measures the time from spawning the process to an OK from /health, for each store in turn. */
export async function measureStarts(
  starts: number,
  stores: readonly Filled[],
  progress: (text: string) => void,
): Promise<Spread[]> {
  const taken = stores.map((): number[] => []);
  for (let round = 0; round <= starts; round += 1) {
    for (const [index, { tokens, directory }] of stores.entries()) {
      progress(`start with ${tokens} tokens, ${round}/${starts}`);
      const ms = await startMs(directory);
      // The first start creates the files of an empty store, and loads those of a full one into the page cache.
      if (round > 0) taken[index]?.push(ms);
    }
  }
  return taken.map(spread);
}

async function startMs(directory: string): Promise<number> {
  const begin = performance.now();
  const program = await startProgram(directory);
  const ms = performance.now() - begin;
  await program.stop();
  return ms;
}
