import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scrape } from '../support/scrape.ts';
import { waitFor } from '../support/wait.ts';
import { Attacker } from './attackers.ts';
import { FloodedService } from './flooded.ts';

/** Length of the load: ETCD_DISCOVERY_TEST_SOAK_MINUTES=10 for a long one. */
const MINUTES = Number(process.env['ETCD_DISCOVERY_TEST_SOAK_MINUTES'] ?? 0.5);
/** The part of it before memory is measured, in which V8 and malloc get what they need. */
const SETTLING_MS = Math.max(15_000, (MINUTES * 60_000) / 5);
const AT_ONCE = 16;
/** How long a token is kept: its lifetime, and the time until it is swept. */
const KEPT_MS = 25_000;
/** Free pages are reused, but to varying degrees. */
const FILE_GROWTH = 1.5;
/** Tokens expire soon and are swept soon after. */
const SHORT = ['--min-ttl', '1s', '--ttl', '20s', '--retention', '1s', '--gcfreq', '1s'];

test(`${MINUTES} min at full load do not grow memory or data`, async (t) => {
  const [service, user] = await Promise.all([FloodedService.start(SHORT), Attacker.start()]);
  t.after(async () => {
    await user.end();
    await service.remove();
  });
  const fileBytes = (): number => statSync(join(service.service.dataDir, 'data.mdb')).size;
  let clusters = 0;
  /** The largest number of clusters that were kept at once. */
  let most = 0;
  const load = async (forMs: number): Promise<void> => {
    const result = await user.attack('load', { url: service.url, forMs, atOnce: AT_ONCE });
    assert.deepEqual(result.failures, []);
    clusters += result.clusters;
    most = Math.max(most, result.clusters * Math.min(1, KEPT_MS / forMs));
    await service.settle(0);
    await waitFor(
      'tokens to be swept',
      async () => (await scrape(service.url)).get('discovery_tokens') === 0,
      60_000,
    );
  };
  await load(SETTLING_MS);
  const before = await service.held();
  const [fileBefore, mostBefore] = [fileBytes(), most];
  console.log(`${clusters} clusters; then ${JSON.stringify(before)}, ${fileBefore} bytes of data`);
  const rest = MINUTES * 60_000 - SETTLING_MS;
  // In parts, so that a long run shows its progress.
  const parts = Math.max(1, Math.round(rest / 120_000));
  for (let part = 0; part < parts; part += 1) {
    await load(rest / parts);
    console.log(
      `${clusters} clusters; then ${JSON.stringify(await service.held())}, ${fileBytes()} bytes of data`,
    );
  }
  await service.assertBack(before, `${MINUTES} min, ${clusters} clusters`);
  // The file has room for what is kept at once, which is more on a less busy machine.
  const atMost = fileBefore * FILE_GROWTH * (most / mostBefore);
  assert.ok(fileBytes() <= atMost, `the data file grew from ${fileBefore} to ${fileBytes()} bytes`);
  service.assertWell();
});
