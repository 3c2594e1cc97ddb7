import { test } from 'node:test';
import { Random, seedOfRun } from '../store/support/random.ts';
import { SpawnedService } from '../support/child.ts';
import { buildChecker } from './checker.ts';
import { Clients } from './clients.ts';
import { assertLinearizable, runFaults, UNLIMITED } from './run.ts';

const tool = await buildChecker();

test('responses of the embedded store are linearizable while the service is killed', {
  skip: tool.missing ?? false,
}, async (t) => {
  const seed = seedOfRun();
  const random = new Random(seed);
  let service = await SpawnedService.start(UNLIMITED);
  t.after(() => service.remove());
  let urls = [service.url];
  const clients = new Clients(random, `lmdb-${seed}`, () => urls);
  t.after(() => clients.stop());
  await runFaults(clients, random, async () => {
    // Calls in progress get no response; clients do not call a service that is known to be down.
    await service.end('SIGKILL');
    urls = [];
    service = await service.again(UNLIMITED);
    urls = [service.url];
  });
  await assertLinearizable(tool.path ?? '', await clients.stop(), seed);
});
