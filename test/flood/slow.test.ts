import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDiscoveryClient } from '../../src/client/node.ts';
import type { SlowResult } from './attack-slow.ts';
import { Attacker } from './attackers.ts';
import { FloodedService } from './flooded.ts';
import { assertServed, GoodClient } from './good-client.ts';

/** Of each of the ten kinds. */
const CONNECTIONS = 100;
const MEMBERS = 100;
/** Longer than the timeouts of headers and bodies (30 s), plus the time that a busy machine takes for a thousand. */
const FOR_MS = 45_000;

/** Kinds that read, and so notice that they were cut off. */
const CUT_OFF = [
  'headers over HTTP/1.1',
  'the preface of HTTP/2',
  'the body of a v2 registration',
  'the body of a Connect call',
  'the body of a gRPC call',
  'the request of a v3 watch',
];

test('other clients are served beside a thousand clients that send and read as slowly as they can', async (t) => {
  const [service, attacker] = await Promise.all([FloodedService.start(), Attacker.start()]);
  t.after(async () => {
    await attacker.end();
    await service.remove();
  });
  const api = createDiscoveryClient(service.url);
  const token = (await api.createToken({ size: MEMBERS })).cluster?.token ?? '';
  for (let i = 0; i < MEMBERS; i += 1) {
    const peerUrls = [`http://10.0.0.${i}:2380`];
    await api.register({ token, memberId: `${i}`, name: `infra${i}`, peerUrls });
  }
  const client = await GoodClient.connect(service.url);
  t.after(() => client.close());
  const attack = (forMs: number): Promise<SlowResult> =>
    attacker.attack('slow', { port: service.port, token, connections: CONNECTIONS, forMs });
  const warmUp = async (): Promise<void> => {
    await attack(2000);
    await service.settle(GoodClient.CONNECTIONS + 1);
  };
  await warmUp();
  const before = await service.held();

  let cutOff: SlowResult = {};
  await assertServed(client, 'slow clients', async () => {
    cutOff = await attack(FOR_MS);
    return cutOff;
  });
  for (const kind of CUT_OFF)
    assert.equal(cutOff[kind], CONNECTIONS, `${kind}: ${cutOff[kind]} were cut off`);
  await service.settle(GoodClient.CONNECTIONS + 1);
  await service.assertBack(before, 'slow clients');
  service.assertWell();
});
