import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDiscoveryClient } from '../../src/client/node.ts';
import { seedOfRun } from '../store/support/random.ts';
import { scrape } from '../support/scrape.ts';
import { Attacker } from './attackers.ts';
import { FloodedService } from './flooded.ts';
import { assertServed, GoodClient } from './good-client.ts';
import type { Held } from './measured.ts';

/** Requests of garbage: ETCD_DISCOVERY_TEST_GARBAGE=1000000 for a million. */
const REQUESTS = Number(process.env['ETCD_DISCOVERY_TEST_GARBAGE'] ?? 40_000);
const AT_ONCE = 4;
/** One part of the ordinary work before the garbage: clusters that form, and good requests of short-lived clients. */
const WORK_MS = 1000;
const WORK_REQUESTS = Math.max(8000, REQUESTS / 10);
const WORK_AT_ONCE = 32;
/** Consecutive parts without a new peak of memory that suffice, and the maximum number of parts. */
const STEADY = 2;
const MOST_PARTS = 6;
/** Tokens expire soon and are swept soon after: there are some hundreds at any time. */
const SHORT = ['--min-ttl', '1s', '--ttl', '20s', '--retention', '1s', '--gcfreq', '1s'];

test(`${REQUESTS} requests of random garbage leave nothing behind, and other clients are served`, async (t) => {
  const seed = seedOfRun();
  const args = [...SHORT, '--client-new-tokens', 'off'];
  const [service, attacker] = await Promise.all([FloodedService.start(args), Attacker.start()]);
  t.after(async () => {
    await attacker.end();
    await service.remove();
  });
  const api = createDiscoveryClient(service.url);
  const { cluster } = await api.createToken({ size: 3, ttl: { seconds: 36_000n } });
  const client = await GoodClient.connect(service.url, cluster?.token ?? assert.fail());
  t.after(() => client.close());
  const held = async (): Promise<Held> => {
    await service.settle(GoodClient.CONNECTIONS + 1);
    return service.held();
  };
  let round = 0;
  const send = (total: number, atOnce: number, good: boolean): Promise<unknown> => {
    round += 1;
    const order = { port: service.port, total, seed: seed + 1000 * round, atOnce, good };
    return attacker.attack('garbage', order);
  };
  const work = async (): Promise<number> => {
    const { failures } = await attacker.attack('load', { url: service.url, forMs: WORK_MS, atOnce: 16 });
    assert.deepEqual(failures, []);
    await send(WORK_REQUESTS, WORK_AT_ONCE, true);
    return (await scrape(service.url)).get('process_resident_memory_bytes') ?? assert.fail();
  };
  // The baseline is not an idle service, but one that has worked without garbage until V8 and malloc have what they
  // need. No collection is forced meanwhile: an ordinary process has none.
  const samples: string[] = [];
  let most = 0;
  for (let steady = 0; steady < STEADY && samples.length < MOST_PARTS; ) {
    const bytes = await work();
    samples.push(`${Math.round(bytes / 1e6)} MB`);
    steady = bytes > most * 1.02 ? 0 : steady + 1;
    most = Math.max(most, bytes);
  }
  const rest = await held();
  console.log(`RSS at work: ${samples.join(', ')}; ${Math.round(rest.rssBytes / 1e6)} MB after a collection`);
  // For RSS, the baseline is the working service, because an ordinary process is in no other state.
  const before: Held = { ...rest, rssBytes: most };
  await assertServed(client, `${REQUESTS} requests of garbage`, () => send(REQUESTS, AT_ONCE, false));
  await held();
  await service.assertBack(before, 'garbage');
  service.assertWell();
});
