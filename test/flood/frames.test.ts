import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { FrameResult } from './attack-frames.ts';
import { Attacker } from './attackers.ts';
import { FloodedService } from './flooded.ts';
import { FLOODS, type FloodName } from './frame-floods.ts';
import { assertServed, GoodClient } from './good-client.ts';
import type { Held } from './measured.ts';

const ATTACK_MS = 600;
/** Concurrent connections of the attacker. */
const CONNECTIONS = 2;

/** Longer than the service keeps an attacker out. */
const LASTING_MS = 5000;
const LASTING = ['header lists of 30 MB in 12 kB', 'responses held back by a window of 0'] as const;

const names = Object.keys(FLOODS) as FloodName[];
let service: FloodedService;
let client: GoodClient;
let attacker: Attacker;
let settled: Held;

/** Uses another address each time: the service keeps an attacker out for some seconds. */
const flood = (name: FloodName, forMs: number, from = attackers.next()): Promise<FrameResult> =>
  attacker.attack('frames', { flood: name, port: service.port, from, forMs, connections: CONNECTIONS });

const attackers = {
  count: 0,
  next(): string {
    this.count += 1;
    return `127.1.${this.count >> 8}.${this.count & 255}`;
  },
};

/** Runs all floods, and waits until their connections are closed. */
async function floodOnce(): Promise<void> {
  for (const name of names) await flood(name, ATTACK_MS / 2);
  await service.settle(GoodClient.CONNECTIONS);
}

before(async () => {
  [service, attacker] = await Promise.all([FloodedService.start(), Attacker.start()]);
  client = await GoodClient.connect(service.url);
  // Run once before the measurement, so that caches are filled.
  await floodOnce();
  settled = await service.held();
});
after(async () => {
  client.close();
  await attacker.end();
  await service.remove();
});

for (const name of names) {
  test(`other clients are served during an HTTP/2 flood: ${name}`, async () => {
    await assertServed(client, name, () => flood(name, ATTACK_MS));
    service.assertWell();
  });
}

for (const name of LASTING) {
  test(`other clients are served during a long flood: ${name}`, async () => {
    let cutOff = 0;
    await assertServed(client, `${LASTING_MS} ms of ${name}`, async () => {
      const result = await flood(name, LASTING_MS);
      cutOff += result.cutOff;
      return result;
    });
    assert.ok(cutOff > 0);
    service.assertWell();
  });
}

test('other clients at the address of the attacker are served', async () => {
  await assertServed(client, 'same address', () =>
    flood('rapid reset of gRPC calls', ATTACK_MS, '127.0.0.1'),
  );
});

test('floods leave nothing behind', async () => {
  await service.settle(GoodClient.CONNECTIONS);
  await service.assertBack(settled, 'floods over HTTP/2');
  service.assertWell();
});
