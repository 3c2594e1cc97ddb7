import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scrape } from '../support/scrape.ts';
import { waitFor } from '../support/wait.ts';
import { Attacker } from './attackers.ts';
import { FloodedService } from './flooded.ts';

/** How long the load lasts: ETCD_DISCOVERY_TEST_SOAK_MINUTES=10 for the long one. */
const MINUTES = Number(process.env['ETCD_DISCOVERY_TEST_SOAK_MINUTES'] ?? 0.5);
/** Of it, before memory is looked at: until V8 and malloc have what they need. */
const SETTLING_MS = Math.max(15_000, (MINUTES * 60_000) / 5);
const AT_ONCE = 16;
/** Tokens end soon, and are forgotten soon after. */
const SHORT = ['--min-ttl', '1s', '--ttl', '20s', '--retention', '1s', '--gcfreq', '1s'];

test(`${MINUTES} min at full load grow nothing`, async (t) => {
  const [service, user] = await Promise.all([FloodedService.start(SHORT), Attacker.start()]);
  t.after(async () => {
    await user.end();
    await service.remove();
  });
  let clusters = 0;
  const load = async (forMs: number): Promise<void> => {
    const result = await user.attack('load', { url: service.url, forMs, atOnce: AT_ONCE });
    assert.deepEqual(result.failures, []);
    clusters += result.clusters;
    await service.settle(0);
    await waitFor(
      'tokens to be swept',
      async () => (await scrape(service.url)).get('discovery_tokens') === 0,
      60_000,
    );
  };
  await load(SETTLING_MS);
  const before = await service.held();
  console.log(`${clusters} clusters; then ${JSON.stringify(before)}`);
  const rest = MINUTES * 60_000 - SETTLING_MS;
  // In parts, so that a long run shows how it went.
  const parts = Math.max(1, Math.round(rest / 120_000));
  for (let part = 0; part < parts; part += 1) {
    await load(rest / parts);
    console.log(`${clusters} clusters; then ${JSON.stringify(await service.held())}`);
  }
  await service.assertBack(before, `${MINUTES} min, ${clusters} clusters`);
  service.assertWell();
});
