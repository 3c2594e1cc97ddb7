import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createDiscoveryClient, type DiscoveryClient } from '../../../src/client/node.ts';
import { BackingEtcd } from '../../etcd/harness/backing.ts';
import { Scene } from '../../etcd/harness/scene.ts';
import { SpawnedService } from '../../support/child.ts';
import { refusalOf, register } from '../../support/clock-calls.ts';
import { FakeClock, needFakeClock } from '../../support/fake-clock.ts';
import { waitFor } from '../../support/wait.ts';
import { forEachEtcd, newPrefix } from '../support/etcd.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const missing = await needFakeClock();

await forEachEtcd((label, etcd) => {
  suite(`two replicas over ${label} whose clocks differ`, { skip: missing ?? false }, () => {
    test('share one order of changes, and a clock that jumps deletes nothing', async (t) => {
      const scene = await Scene.open(t);
      const backing = await BackingEtcd.start(scene, { etcd, members: 1 });
      const clocks = [new FakeClock(), new FakeClock(MINUTE)] as const;
      const args = ['--etcd', backing.endpoints, '--etcd-prefix', newPrefix(), '--gcfreq', '1s'];
      const services = await Promise.all(
        clocks.map((clock) => SpawnedService.start(args, { env: clock.env })),
      );
      scene.after(async () => {
        for (const service of services) await service.remove();
        for (const clock of clocks) clock.remove();
      });
      const [one, other] = services.map(({ url }) => createDiscoveryClient(url)) as [
        DiscoveryClient,
        DiscoveryClient,
      ];
      const { cluster } = await one.createToken({ token: 't', size: 4 });
      let last = cluster?.createRevision ?? 0n;
      const registered = async (client: DiscoveryClient, i: number): Promise<void> => {
        const { revision } = await register(client, i);
        assert.ok(revision > last, `${revision} after ${last}`);
        last = revision;
      };
      await registered(one, 1);
      await registered(other, 2);
      // The replica whose clock jumped reports the token as expired to its own clients, but does not sweep.
      clocks[1].set(30 * DAY);
      assert.equal(await refusalOf(other.listMembers({ token: 't', refuseExpired: true })), 'TOKEN_EXPIRED');
      await registered(one, 3);
      await waitFor('the skipped sweep to be logged', () =>
        (services[1]?.command.log() ?? []).some(({ msg }) => /clock .* jumped/.test(String(msg))),
      );
      clocks[1].set(-HOUR);
      await registered(other, 4);
      // A rejoin, sent to a replica whose clock is an hour behind the one that registered the member.
      assert.equal(await refusalOf(register(other, 3)), 'REJOIN_REFUSED');
      for (const client of [one, other]) {
        const { members } = await client.listMembers({ token: 't' });
        assert.deepEqual(
          members.map(({ name }) => name),
          ['n1', 'n2', 'n3', 'n4'],
        );
      }
    });
  });
});
