import { after, before, test } from 'node:test';
import { Attacker } from './attackers.ts';
import { FloodedService } from './flooded.ts';
import { FLOODS, type FloodName } from './frame-floods.ts';
import { assertServed, GoodClient } from './good-client.ts';
import type { Held } from './measured.ts';

const ATTACK_MS = 600;
/** Of the attacker at once. */
const CONNECTIONS = 2;

const names = Object.keys(FLOODS) as FloodName[];
let service: FloodedService;
let client: GoodClient;
let attacker: Attacker;
let settled: Held;

const flood = (name: FloodName, forMs: number, from = '127.0.0.2'): Promise<unknown> =>
  attacker.attack('frames', { flood: name, port: service.port, from, forMs, connections: CONNECTIONS });

/** All of them, and waits until they are gone. */
async function floodOnce(): Promise<void> {
  for (const name of names) await flood(name, ATTACK_MS / 2);
  await service.settle(GoodClient.CONNECTIONS);
}

before(async () => {
  [service, attacker] = await Promise.all([FloodedService.start(), Attacker.start()]);
  client = await GoodClient.connect(service.url);
  // Once before, so that what is made once and kept is there.
  await floodOnce();
  settled = await service.held();
});
after(async () => {
  client.close();
  await attacker.end();
  await service.remove();
});

for (const name of names) {
  test(`a flood over HTTP/2 leaves others served: ${name}`, async () => {
    await assertServed(client, name, () => flood(name, ATTACK_MS));
    service.assertWell();
  });
}

test('from the address of the good client, too', async () => {
  await assertServed(client, 'same address', () =>
    flood('rapid reset of gRPC calls', ATTACK_MS, '127.0.0.1'),
  );
});

test('nothing is left of the floods', async () => {
  await service.settle(GoodClient.CONNECTIONS);
  await service.assertBack(settled, 'floods over HTTP/2', floodOnce);
  service.assertWell();
});
