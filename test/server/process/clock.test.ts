import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { createDiscoveryClient, type DiscoveryClient } from '../../../src/client/node.ts';
import { SpawnedService } from '../../support/child.ts';
import { refusalOf, register } from '../../support/clock-calls.ts';
import { FakeClock, needFakeClock } from '../../support/fake-clock.ts';
import { waitFor } from '../../support/wait.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;
const missing = await needFakeClock();
const skip = missing ?? false;

interface Scene {
  readonly clock: FakeClock;
  readonly client: DiscoveryClient;
  readonly service: SpawnedService;
}

async function start(t: TestContext): Promise<Scene> {
  const clock = new FakeClock();
  const service = await SpawnedService.start(['--gcfreq', '1s'], { env: clock.env });
  t.after(async () => {
    await service.remove();
    clock.remove();
  });
  return { clock, client: createDiscoveryClient(service.url), service };
}

suite('a clock that is set while the service runs', { skip }, () => {
  test('by hours, back and forth: members register, watches report them, and revisions grow', async (t) => {
    const { clock, client } = await start(t);
    const { cluster } = await client.createToken({ token: 't', size: 4 });
    let last = cluster?.createRevision ?? 0n;
    const reported: string[] = [];
    const stop = new AbortController();
    const watching = (async () => {
      for await (const { update } of client.watchMembers({ token: 't' }, { signal: stop.signal })) {
        if (update.case === 'event') reported.push(update.value.member?.id ?? '');
      }
    })().catch(() => {});
    for (const [i, ahead] of [HOUR, -HOUR, 2 * HOUR, -3 * HOUR].entries()) {
      clock.set(ahead);
      const { revision } = await register(client, i + 1);
      assert.ok(revision > last, `${revision} after ${last}`);
      last = revision;
    }
    await waitFor('the watch to report them', () => reported.length === 4);
    assert.deepEqual(reported, ['1', '2', '3', '4']);
    stop.abort();
    await watching;
  });

  test('past a lifetime: tokens are expired meanwhile, but not swept', async (t) => {
    const { clock, client, service } = await start(t);
    await client.createToken({ token: 't', size: 2 });
    await register(client, 1);
    clock.set(30 * DAY);
    assert.equal(await refusalOf(client.listMembers({ token: 't', refuseExpired: true })), 'TOKEN_EXPIRED');
    assert.equal(await refusalOf(register(client, 2)), 'TOKEN_EXPIRED');
    await waitFor('the skipped sweep to be logged', () =>
      service.command.log().some(({ msg }) => /clock .* jumped/.test(String(msg))),
    );
    clock.set(0);
    const { members } = await client.listMembers({ token: 't' });
    assert.deepEqual(
      members.map(({ name }) => name),
      ['n1'],
    );
    await register(client, 2);
  });

  test('by an hour either way: registering again in a complete cluster does not count as a retry', async (t) => {
    const { clock, client } = await start(t);
    await client.createToken({ token: 't', size: 1 });
    await register(client, 1);
    await register(client, 1);
    for (const ahead of [HOUR, -HOUR]) {
      clock.set(ahead);
      assert.equal(await refusalOf(register(client, 1)), 'REJOIN_REFUSED');
    }
  });
});
