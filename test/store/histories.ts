import { test } from 'node:test';
import { slow } from '../slow.ts';
import type { MakePlace } from './support/factory.ts';
import { History } from './support/history.ts';
import { Random, seedOfRun } from './support/random.ts';

const STEPS = 400;
const random = new Random(seedOfRun());

/** Compares random histories over a store with the model: one, or in a long run the given number. */
export function histories(name: string, makePlace: MakePlace, inLongRuns: number): void {
  const wanted = slow ? inLongRuns : 1;
  for (const width of [1, 10]) {
    test(`${name}: random histories, ${width} at once, match the model`, async () => {
      const total: Record<string, number> = {};
      for (let i = 0; i < wanted; i++) {
        const place = makePlace();
        const history = new History(random, place, width);
        await history.run(STEPS);
        place.destroy();
        for (const [what, count] of Object.entries(history.counts)) total[what] = (total[what] ?? 0) + count;
      }
      console.log(`${name}, ${width} at once: ${JSON.stringify(total)}`);
    });
  }
}
