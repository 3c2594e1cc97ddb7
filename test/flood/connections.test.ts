import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TLS_ARGS } from '../tls/files.ts';
import { Attacker } from './attackers.ts';
import { FloodedService } from './flooded.ts';
import { assertServed, GoodClient } from './good-client.ts';

// A handshake costs the service and the attacker a millisecond each, so fewer connections are as hard.
const KINDS = [
  { how: 'in plaintext', args: [], tls: false, total: 20_000 },
  { how: 'over TLS', args: [...TLS_ARGS, '--metrics-addr', '127.0.0.1:0'], tls: true, total: 1000 },
];

for (const { how, args, tls, total } of KINDS) {
  test(`${total} connections opened and dropped ${how} leave nothing behind, and other clients are served`, async (t) => {
    const [service, attacker] = await Promise.all([FloodedService.start(args), Attacker.start()]);
    t.after(async () => {
      await attacker.end();
      await service.remove();
    });
    const client = await GoodClient.connect(service.url);
    t.after(() => client.close());
    const attack = async (connections: number): Promise<number> => {
      const order = { port: service.port, tls, total: connections, atOnce: tls ? 20 : 100 };
      const opened = await attacker.attack('connections', order);
      assert.ok(opened > connections * 0.99, `${opened} were accepted`);
      return opened;
    };
    const warmUp = async (): Promise<void> => {
      await attack(total / 5);
      await service.settle(GoodClient.CONNECTIONS);
    };
    await warmUp();
    const before = await service.held();
    await assertServed(client, `connections ${how}`, () => attack(total));
    await service.settle(GoodClient.CONNECTIONS);
    await service.assertBack(before, `connections ${how}`);
    service.assertWell();
  });
}
