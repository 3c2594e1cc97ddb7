import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { listClusters } from '../../../src/discovery/list-clusters.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import { millis } from '../../../src/discovery/types.ts';
import { EtcdConnection } from '../../../src/store/etcd/client/connection.ts';
import { Keys } from '../../../src/store/etcd/log/keys.ts';
import { putOperation } from '../../../src/store/etcd/log/operations.ts';
import { openEtcdStore } from '../../../src/store/etcd/store.ts';
import { BackingEtcd } from '../../etcd/harness/backing.ts';
import { Scene } from '../../etcd/harness/scene.ts';
import { run } from '../../support/child.ts';
import { expectRefusal } from '../laws/subject.ts';
import { create, node, token } from '../support/commands.ts';
import { forEachEtcd, newPrefix } from '../support/etcd.ts';
import { listWhole } from '../support/list-whole.ts';

const policy = DEFAULT_POLICY;
const TOKENS = Array.from({ length: 12 }, (_, i) => token(`cluster-${String(i).padStart(2, '0')}`));

await forEachEtcd((label, etcd) => {
  describe(`damaged keys in ${label}`, () => {
    test('are named, and stop neither the list nor an export', async (t) => {
      const scene = await Scene.open(t);
      const backing = await BackingEtcd.start(scene, { etcd, members: 1 });
      const endpoints = backing.members.map((member) => member.clientUrl);
      const prefix = newPrefix();
      const store = await openEtcdStore({ endpoints, prefix, policy });
      t.after(() => store.close());
      const discovery = new Discovery(store, policy);
      for (const each of TOKENS) {
        await discovery.createToken(create(each));
        await discovery.register(each, node(1));
      }
      const direct = new EtcdConnection({ endpoints });
      t.after(() => direct.close());
      const keys = new Keys(prefix);
      const [first, , , , fifth, sixth, , , , , eleventh, last] = TOKENS.map((each) => each);
      assert.ok(first && fifth && sixth && eleventh && last);
      const success = [
        putOperation(keys.made(first), Buffer.from('not JSON')),
        putOperation(keys.change(fifth, 1), Buffer.from('{}')),
        putOperation(Buffer.from(`${keys.made(sixth).toString()}#x`), Buffer.from('a foreign key')),
        putOperation(keys.change(eleventh, 1), Buffer.from('null')),
        putOperation(keys.made(last), Buffer.from([0xff, 0])),
      ];
      await direct.txn({ compare: [], success, failure: [] });
      const hit = [first, fifth, sixth, eleventh, last];
      for (const limit of [1, 2, 100]) {
        const { listed, damaged } = await listWhole(store, limit);
        assert.deepEqual(
          listed,
          TOKENS.filter((each) => !hit.includes(each)),
          `pages of ${limit}`,
        );
        assert.deepEqual(
          damaged.map(([each]) => each),
          hit,
          'each is reported once',
        );
      }
      const query = { states: new Set(['ASSEMBLING'] as const), limit: 100 };
      // The other store has intact copies in memory.
      const fresh = await openEtcdStore({ endpoints, prefix, policy });
      t.after(() => fresh.close());
      const page = await listClusters(fresh, query, millis(Date.now()));
      assert.equal(
        page.clusters.length,
        TOKENS.length - hit.length,
        'nor do they stop the list of the newest',
      );
      await expectRefusal('INTERNAL', store.list(undefined, 100));
      const dry = await run(['export', '--dry-run', '--etcd', endpoints.join(','), '--etcd-prefix', prefix]);
      assert.equal(dry.code, 1, dry.stderr);
      assert.match(dry.stdout, /^would export: 7 tokens with 7 members\nleft out: .* 5 damaged\n$/);
      assert.equal(dry.stderr.match(/^token c[^ ]*\.\.\.: /gm)?.length, hit.length, dry.stderr);
    });
  });
});
