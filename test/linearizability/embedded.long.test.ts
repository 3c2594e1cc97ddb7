import { test } from 'node:test';
import { Random, seedOfRun } from '../store/support/random.ts';
import { SpawnedService } from '../support/child.ts';
import { checker } from './checker.ts';
import { Clients } from './clients.ts';
import { assertLinearizable, during, UNLIMITED } from './run.ts';

const tool = await checker();

test('over the embedded store, what clients are told while it is killed is linearizable', {
  skip: tool.missing ?? false,
}, async (t) => {
  const seed = seedOfRun();
  const random = new Random(seed);
  let service = await SpawnedService.start(UNLIMITED);
  t.after(() => service.remove());
  let urls = [service.url];
  const clients = new Clients(random, `lmdb-${seed}`, () => urls);
  t.after(() => clients.stop());
  await during(clients, random, async () => {
    // What is under way then gets no answer; nobody calls a service that is known to be away.
    await service.end('SIGKILL');
    urls = [];
    service = await service.again(UNLIMITED);
    urls = [service.url];
  });
  await assertLinearizable(tool.path ?? '', await clients.stop(), seed);
});
