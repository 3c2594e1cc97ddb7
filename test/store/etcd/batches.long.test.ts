import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { IRangeRequest, IRangeResponse, ITxnRequest, ITxnResponse } from 'etcd3';
import { decideDeregister, decideRegister } from '../../../src/discovery/decide.ts';
import { type CreateCommand, decideCreate } from '../../../src/discovery/decide-create.ts';
import type { Decide, Written } from '../../../src/discovery/store.ts';
import type { Description, Token } from '../../../src/discovery/types.ts';
import { ByteCount } from '../../../src/store/etcd/byte-count.ts';
import { Cache } from '../../../src/store/etcd/cache.ts';
import { EtcdConnection } from '../../../src/store/etcd/client/connection.ts';
import { Health } from '../../../src/store/etcd/client/health.ts';
import { Keys } from '../../../src/store/etcd/log/keys.ts';
import { EtcdReader } from '../../../src/store/etcd/read.ts';
import { TokenCount } from '../../../src/store/etcd/token-count.ts';
import { Writer } from '../../../src/store/etcd/write.ts';
import { bytesBound } from '../../../src/store/refusals.ts';
import { BackingEtcd } from '../../etcd/harness/backing.ts';
import { Scene } from '../../etcd/harness/scene.ts';
import { expectRefusal } from '../laws/subject.ts';
import { at, create, node, size, token } from '../support/commands.ts';
import { forEachEtcd, newPrefix } from '../support/etcd.ts';

/** Records the requests it sends. */
class RecordingConnection extends EtcdConnection {
  txns: ITxnRequest[] = [];
  ranges: IRangeRequest[] = [];
  /** Thrown in place of the response to the next transaction, which etcd has applied. */
  answer: Error | undefined;

  override async txn(request: ITxnRequest): Promise<ITxnResponse> {
    this.txns.push(request);
    const { answer } = this;
    this.answer = undefined;
    const response = await super.txn(request);
    if (answer !== undefined) throw answer;
    return response;
  }

  override range(request: IRangeRequest): Promise<IRangeResponse> {
    this.ranges.push(request);
    return super.range(request);
  }
}

interface Parts {
  readonly connection: RecordingConnection;
  readonly keys: Keys;
  readonly reader: EtcdReader;
  readonly create: (token: Token, more?: Partial<CreateCommand>) => Promise<Written>;
  readonly register: (token: Token, number: number) => Promise<Written>;
  readonly deregister: (token: Token, number: number) => Promise<Written>;
}

await forEachEtcd((label, etcd) => {
  describe(`calls to ${label}`, () => {
    const cleanUps: Array<() => Promise<void>> = [];
    let backing: BackingEtcd;
    before(async () => {
      const scene = await Scene.open({ after: (cleanUp) => cleanUps.push(cleanUp) });
      backing = await BackingEtcd.start(scene, { etcd, members: 1 });
    });
    after(async () => {
      for (const cleanUp of cleanUps) await cleanUp();
    });

    const it = (name: string, body: (parts: Parts) => Promise<void>): void => {
      test(name, async () => {
        const connection = new RecordingConnection({
          endpoints: backing.members.map((member) => member.clientUrl),
        });
        try {
          await body(partsOver(connection));
        } finally {
          connection.close();
        }
      });
    };

    it('writes of many tokens at once share a few transactions', async ({ connection, create, register }) => {
      const tokens = Array.from({ length: 500 }, () => token());
      await Promise.all(tokens.map((t) => create(t)));
      assert.equal(connection.txns.length, 5, 'a hundred writes in each');
      assert.equal(connection.ranges.length, 0, 'no read before the writes');
      await Promise.all(tokens.map((t) => register(t, 1)));
      assert.equal(connection.txns.length, 10);
      assert.equal(connection.ranges.length, 0, 'the written state is cached');
      const alone = token();
      await create(alone);
      assert.equal(connection.txns.length, 11, 'a single write does not wait for others');
    });

    it('a transaction never has two writes of one token', async ({ connection, keys, create, register }) => {
      const tokens = Array.from({ length: 20 }, () => token());
      await Promise.all(tokens.map((t) => create(t, size(9))));
      const done = await Promise.all(
        tokens.flatMap((t) => [1, 2, 3, 4, 5].map(async (n) => ({ t, ...(await register(t, n)) }))),
      );
      let puts = 0;
      for (const { success = [] } of connection.txns) {
        const tokensPut = success
          .flatMap((operation) => operation.request_txn?.success ?? [operation])
          .flatMap(({ request_put: put }) => (put?.key === undefined ? [] : [put.key]))
          .filter((key) => key.toString().startsWith(keys.clusters.key.toString()))
          .map((key) => keys.parseLog(key)?.token);
        assert.equal(new Set(tokensPut).size, tokensPut.length);
        puts += tokensPut.length;
      }
      assert.equal(puts, 120, 'each write was applied once');
      for (const t of tokens) {
        const revisions = done.filter((each) => each.t === t).map((each) => each.revision);
        assert.equal(new Set(revisions).size, 5);
      }
      assert.ok(connection.txns.length < 20, `${connection.txns.length} calls`);
    });

    it('transactions are bounded in bytes', async ({ connection, create }) => {
      const description = 'x'.repeat(100_000) as Description;
      await Promise.all(Array.from({ length: 40 }, () => create(token(), { description })));
      assert.equal(connection.txns.length, 4, 'a megabyte in each');
    });

    it('a rejected transaction is retried in parts, so that only the bad write fails', async ({
      connection,
      create,
      reader,
    }) => {
      const tokens = Array.from({ length: 30 }, () => token());
      const bad = token();
      const tooLarge = create(bad, { description: 'x'.repeat(1_600_000) as Description });
      const refused = expectRefusal('STORE_UNAVAILABLE', tooLarge);
      const made = await Promise.all(tokens.map((t) => create(t)));
      assert.match((await refused).message, /^nothing was changed: .*too large/);
      assert.ok(made.every((each) => each.changed));
      assert.equal((await reader.read(bad)).record, undefined);
      for (const t of tokens) assert.equal((await reader.read(t)).record?.cluster.token, t);
      assert.ok(connection.txns.length < 40);
    });

    it('concurrent reads share one transaction, and those of one token share a range', async ({
      connection,
      create,
      register,
      reader,
    }) => {
      const tokens = [token(), token(), token()];
      for (const t of tokens) await create(t);
      for (const t of tokens) await register(t, 1);
      connection.txns = [];
      const states = await Promise.all(
        Array.from({ length: 300 }, (_, i) => reader.read(tokens[i % 3] as Token)),
      );
      assert.equal(connection.txns.length, 1);
      assert.equal(connection.txns[0]?.success?.length, 3);
      for (const [i, { record }] of states.entries()) {
        assert.equal(record?.cluster.token, tokens[i % 3]);
        assert.equal(record?.cluster.members.length, 1);
      }
      const [first] = tokens as [Token];
      connection.txns = [];
      await Promise.all(Array.from({ length: 300 }, () => reader.read(first)));
      assert.equal(connection.ranges.length, 1);
      assert.equal(connection.txns.length, 0);
    });

    it('a write that etcd applied without a leader succeeds', async ({
      connection,
      create,
      register,
      deregister,
    }) => {
      const t = token();
      await create(t);
      await register(t, 1);
      // etcd's response to a write during which it loses its leader.
      connection.answer = new Error('14 UNAVAILABLE: etcdserver: no leader');
      const { changed, cluster } = await deregister(t, 1);
      assert.ok(changed);
      assert.deepEqual(cluster.members, []);
    });

    it('a registration after another replica changed the token takes two transactions', async ({
      connection,
      create,
      register,
    }) => {
      const t = token();
      await create(t, size(9));
      const other = new RecordingConnection({ endpoints: backing.members.map((member) => member.clientUrl) });
      const elsewhere = partsOver(other, connection);
      await elsewhere.register(t, 1);
      other.close();
      connection.txns = [];
      const { cluster } = await register(t, 2);
      assert.equal(cluster.members.length, 2);
      assert.equal(connection.txns.length, 2, 'the first finds the change, the second follows it');
    });
  });
});

const prefixes = new WeakMap<EtcdConnection, string>();

/** Returns the parts of a store, over the same data as another connection if one is given. */
function partsOver(connection: RecordingConnection, same?: EtcdConnection): Parts {
  const prefix = (same && prefixes.get(same)) ?? newPrefix();
  prefixes.set(connection, prefix);
  const keys = new Keys(prefix);
  const shared = {
    connection,
    keys,
    cache: new Cache(),
    clock: { tick: 0 },
    health: new Health(() => {}),
  };
  const reader = new EtcdReader(shared);
  const tokens = new TokenCount(1_000_000);
  const bytes = new ByteCount();
  const bound = bytesBound(1e12);
  const writer = new Writer({ ...shared, reader, tokens, bytes, bound, committed: () => {} });
  const write = (to: Token, decide: Decide): Promise<Written> => writer.write(to, decide);
  const now = at(Date.now());
  return {
    connection,
    keys,
    reader,
    create: (t, more) => write(t, (cluster) => decideCreate(cluster, create(t, more), now)),
    register: (t, n) => write(t, (cluster) => decideRegister(cluster, node(n), now)),
    deregister: (t, n) => write(t, (cluster) => decideDeregister(cluster, node(n).id, undefined, now)),
  };
}
