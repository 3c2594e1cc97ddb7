import { test } from 'node:test';
import { slow } from '../slow.ts';
import { forEachEtcdStore } from './support/etcd.ts';
import type { MakePlace } from './support/factory.ts';
import { History } from './support/history.ts';
import { lmdbPlace, memoryPlace } from './support/place.ts';
import { Random, seedOfRun } from './support/random.ts';

const STEPS = 400;
const HISTORIES = slow ? 40 : 2;
const random = new Random(seedOfRun());

function histories(name: string, makePlace: MakePlace, count = HISTORIES): void {
  for (const width of [1, 10]) {
    test(`${name}: random histories, ${width} at once, match the model`, async () => {
      const total: Record<string, number> = {};
      for (let i = 0; i < count; i++) {
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

histories('memory', memoryPlace);
histories('lmdb', lmdbPlace);
// Fewer, because each step waits for etcd.
await forEachEtcdStore((name, makePlace) => histories(name, makePlace, slow ? 20 : 1));
