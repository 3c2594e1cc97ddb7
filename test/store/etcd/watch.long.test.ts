import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Etcd3, type ITxnRequest } from 'etcd3';
import type { Revision } from '../../../src/discovery/types.ts';
import { EtcdConnection } from '../../../src/store/etcd/client/connection.ts';
import { Keys } from '../../../src/store/etcd/log/keys.ts';
import { WatchLoop } from '../../../src/store/etcd/watch-loop.ts';
import { BackingEtcd } from '../../etcd/harness/backing.ts';
import { Scene } from '../../etcd/harness/scene.ts';
import type { Etcd } from '../../etcd/harness/versions.ts';
import { waitFor } from '../../support/wait.ts';
import { forEachEtcd, newPrefix } from '../support/etcd.ts';
import { Random, seedOfRun } from '../support/random.ts';

// The loop over a real etcd, behind a proxy that breaks its connections. The writer bypasses the proxy.

interface Setup {
  readonly scene: Scene;
  readonly backing: BackingEtcd;
  /** Puts that many keys, one after the other. */
  readonly write: (count: number) => Promise<void>;
  /** The revisions of the puts. */
  readonly written: bigint[];
  /** Starts a watch from before the first put. */
  readonly watch: (more?: Partial<Watched>) => Watched;
}

interface Watched {
  readonly reported: bigint[];
  /** The revisions at which the watch caught up by reading. */
  readonly caughtUp: bigint[];
  readonly outages: string[];
  onReported: () => void;
}

type Body = (setUp: Setup) => Promise<void>;

await forEachEtcd((label, etcd) => {
  describe(`a watch on ${label}`, { concurrency: 3 }, () => {
    const it = (name: string, body: Body, members: 1 | 3 = 1): void => {
      test(name, async (t) => {
        const scene = await Scene.open(t);
        await body(await setUp(scene, etcd, members));
      });
    };

    it('reports each change once when its stream is cut at any moment', async ({
      backing,
      write,
      written,
      watch,
    }) => {
      const random = new Random(seedOfRun());
      const watched = watch();
      const proxy = backing.members[0]?.proxy;
      assert.ok(proxy);
      for (let i = 0; i < 12; i++) {
        const writing = write(40);
        await sleep(random.between(0, 40));
        proxy.cut();
        await sleep(random.between(0, 10));
        proxy.restore();
        await writing;
      }
      await waitForAll(watched, written);
      assert.deepEqual(watched.reported, written);
      assert.deepEqual(watched.caughtUp, []);
    });

    it('reports each change once when its stream is cut before and during catching up', async ({
      backing,
      write,
      written,
      watch,
    }) => {
      // etcd delivers history a thousand revisions at a time.
      await write(2500);
      const proxy = backing.members[0]?.proxy;
      assert.ok(proxy);
      proxy.cut();
      const watched = watch();
      let parts = 0;
      watched.onReported = () => {
        parts += 1;
        if (parts > 2) return;
        proxy.cut();
        setTimeout(() => proxy.restore(), 20);
      };
      await sleep(50);
      proxy.restore();
      await waitForAll(watched, written);
      assert.deepEqual(watched.reported, written);
      assert.ok(parts > 2, 'the stream was cut during the history');
    });

    it('catches up by reading when its revision was compacted, and continues from there', async ({
      backing,
      write,
      written,
      watch,
    }) => {
      const watched = watch();
      const proxy = backing.members[0]?.proxy;
      assert.ok(proxy);
      await write(5);
      await waitForAll(watched, written);
      proxy.cut();
      await write(5);
      await backing.compact();
      proxy.restore();
      await waitFor('the watch to catch up', () => watched.caughtUp.length > 0);
      const [at = 0n] = watched.caughtUp;
      assert.ok(at >= (written.at(-1) ?? 0n), 'it read everything that it missed');
      await write(5);
      await waitFor('the later changes', () => watched.reported.at(-1) === written.at(-1));
      assert.deepEqual(watched.reported, [...written.slice(0, 5), ...written.slice(10)]);
      assert.equal(watched.caughtUp.length, 1);
    });

    it('misses nothing while etcd compacts after every few changes', async ({
      backing,
      write,
      written,
      watch,
    }) => {
      const watched = watch();
      for (let i = 0; i < 15; i++) {
        await write(7);
        await backing.compact();
      }
      await waitFor('the last change', () => lastRevision(watched) >= (written.at(-1) ?? 0n));
      checkNoGap(watched, written);
    });

    it('replaces a connection that has gone silent', async ({ backing, write, written, watch }) => {
      const watched = watch();
      const proxy = backing.members[0]?.proxy;
      assert.ok(proxy);
      await write(3);
      await waitForAll(watched, written);
      proxy.stall();
      await write(3);
      // A stalled connection stays silent forever: only an unanswered keepalive reveals it.
      proxy.restore();
      await waitForAll(watched, written);
      assert.deepEqual(watched.reported, written);
    });

    it('retries after a rejection', async ({ backing, write, written, watch }) => {
      await write(3);
      // Without a user, etcd rejects the watch in the stream.
      await backing.enableAuth({ root: 'secret' });
      const watched = watch();
      await waitFor('a few rejections', () => watched.outages.length > 0);
      assert.deepEqual(watched.reported, []);
      await disableAuth(backing);
      await waitForAll(watched, written);
      assert.deepEqual(watched.reported, written);
    });

    it('reports each change once while the leader changes and while there is no leader', async ({
      backing,
      write,
      written,
      watch,
    }) => {
      const watched = watch();
      for (let i = 0; i < 2; i++) {
        await write(5);
        const leader = await backing.leader();
        await leader.crash();
        await write(5);
        leader.startAgain();
        await backing.healthy();
      }
      // Two of three members are frozen: the third keeps the watch open, but has nothing to report.
      const [first, ...others] = backing.members;
      for (const member of others) member.freeze();
      await sleep(1500);
      for (const member of others) member.thaw();
      assert.ok(first);
      await write(5);
      await waitForAll(watched, written);
      assert.deepEqual(watched.reported, written);
    }, 3);
  });
});

async function setUp(scene: Scene, etcd: Etcd, members: 1 | 3): Promise<Setup> {
  const backing = await BackingEtcd.start(scene, { etcd, members });
  const keys = new Keys(newPrefix());
  const direct = new EtcdConnection({ endpoints: backing.members.map((member) => member.clientUrl) });
  const watching = new EtcdConnection({ endpoints: backing.members.map((member) => member.proxyUrl) });
  const loops: WatchLoop[] = [];
  scene.after(async () => {
    for (const loop of loops) await loop.close();
    direct.close();
    watching.close();
  });
  const written: bigint[] = [];
  const start = BigInt((await direct.range({ key: keys.format })).header.revision) as Revision;
  const put = async (): Promise<void> => {
    const key = Buffer.concat([keys.clusters.key, Buffer.from('t#0000000001')]);
    // Conditional on the last write: without a leader, a put can fail and still be applied, even later.
    const request: ITxnRequest = {
      compare: [{ key, target: 'Mod', result: 'Equal', mod_revision: String(written.at(-1) ?? 0) }],
      success: [{ request_put: { key, value: Buffer.from('x') } }],
      failure: [{ request_range: { key } }],
    };
    for (;;) {
      try {
        const { succeeded, header, responses } = await direct.txn(request);
        const found = responses[0]?.response_range?.kvs[0]?.mod_revision;
        written.push(BigInt(succeeded ? header.revision : (found ?? 0)));
        return;
      } catch {
        await sleep(50);
      }
    }
  };
  return {
    scene,
    backing,
    written,
    write: async (count) => {
      for (let i = 0; i < count; i++) await put();
    },
    watch: () => {
      const watched: Watched = { reported: [], caughtUp: [], outages: [], onReported: () => {} };
      const parts = {
        connection: watching,
        span: keys.clusters,
        health: { failed: (cause: string) => void watched.outages.push(cause), works: () => {} },
        told: (events: ReadonlyArray<{ readonly kv: { readonly mod_revision: string } }>) => {
          for (const { kv } of events) watched.reported.push(BigInt(kv.mod_revision));
          if (events.length > 0) watched.onReported();
        },
        missed: async () => {
          const at = BigInt((await direct.range({ key: keys.format })).header.revision) as Revision;
          watched.caughtUp.push(at);
          return at;
        },
      };
      loops.push(new WatchLoop(parts, start));
      return watched;
    },
  };
}

function waitForAll(watched: Watched, written: readonly bigint[]): Promise<void> {
  return waitFor('every change to be reported', () => watched.reported.length >= written.length);
}

/** Returns the revision up to which it has reported or read. */
function lastRevision({ reported, caughtUp }: Watched): bigint {
  const [a = 0n, b = 0n] = [reported.at(-1), caughtUp.at(-1)];
  return a > b ? a : b;
}

/** Asserts that each change was reported once, or was covered by a read. */
function checkNoGap({ reported, caughtUp }: Watched, written: readonly bigint[]): void {
  assert.deepEqual(reported, [...new Set(reported)], 'no change was reported twice');
  for (const each of written) {
    const isKnown = reported.includes(each) || caughtUp.some((at) => at >= each);
    assert.ok(isKnown, `the change at ${each} was lost`);
  }
}

async function disableAuth(backing: BackingEtcd): Promise<void> {
  const [member] = backing.members;
  assert.ok(member);
  const client = new Etcd3({
    hosts: member.clientUrl,
    auth: { username: 'root', password: 'secret' },
  });
  await client.auth.authDisable();
  client.close();
}
