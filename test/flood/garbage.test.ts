import { test } from 'node:test';
import { seedOfRun } from '../store/random.ts';
import { Attacker } from './attackers.ts';
import { FloodedService } from './flooded.ts';
import { assertServed, GoodClient } from './good-client.ts';

/** Of garbage: ETCD_DISCOVERY_TEST_GARBAGE=1000000 for a million. */
const REQUESTS = Number(process.env['ETCD_DISCOVERY_TEST_GARBAGE'] ?? 40_000);
const AT_ONCE = 4;
/** Before memory is looked at: the service has seen every kind of garbage by then, and holds its few tokens. */
const WARM_UP = 20_000;

test(`${REQUESTS} requests of random garbage leave nothing behind and others served`, async (t) => {
  const seed = seedOfRun();
  // Some of the requests are good, and make tokens: few, so that what they take is there after the first round.
  const args = ['--max-tokens', '100', '--client-new-tokens', 'off'];
  const [service, attacker] = await Promise.all([FloodedService.start(args), Attacker.start()]);
  t.after(async () => {
    await attacker.end();
    await service.remove();
  });
  const attack = (total: number, round: number): Promise<unknown> =>
    attacker.attack('garbage', { port: service.port, total, seed: seed + 1000 * round, atOnce: AT_ONCE });
  const client = await GoodClient.connect(service.url);
  t.after(() => client.close());
  let round = 0;
  const warmUp = async (): Promise<void> => {
    await attack(Math.min(REQUESTS, WARM_UP), (round += 1));
    await service.settle(GoodClient.CONNECTIONS);
  };
  await warmUp();
  const before = await service.held();
  await assertServed(client, `${REQUESTS} requests of garbage`, () => attack(REQUESTS, (round += 1)));
  await service.settle(GoodClient.CONNECTIONS);
  await service.assertBack(before, 'garbage', warmUp);
  service.assertWell();
});
