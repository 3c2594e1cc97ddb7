import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type State, stateOf } from '../../../src/discovery/cluster.ts';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { type ListQuery, listClusters } from '../../../src/discovery/list-clusters.ts';
import { byPlace, PHASES, type Phase, type Place, phaseOf } from '../../../src/discovery/newest.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import type { Store } from '../../../src/discovery/store.ts';
import {
  type CallerName,
  type Cluster,
  type Millis,
  millis,
  type Token,
} from '../../../src/discovery/types.ts';
import { LIST_LIMITS } from '../../../src/limits.ts';
import { create, node, size, token, ttl } from '../support/commands.ts';
import { Random, seedOfRun } from '../support/random.ts';
import type { Subject } from './subject.ts';

const DAY = 86_400_000;
const ALL: ReadonlySet<State> = new Set(['ASSEMBLING', 'COMPLETE', 'EXPIRED', 'DELETED']);

export function newestLaws({ start, newPlace, reopen }: Subject): void {
  describe('the list of the newest clusters', () => {
    test('has each cluster once, in its phase, in pages of any size', async () => {
      const { store } = await start();
      for (const phase of PHASES) assert.deepEqual(await store.newest(phase, undefined, 10), []);
      const clusters = await createThirty(store);
      for (const phase of PHASES) {
        const expected = clusters.filter((cluster) => phaseOf(cluster) === phase).map(placeOf);
        assert.ok(expected.length > 5);
        for (const limit of [1, 4, 100]) assert.deepEqual(await listPhase(store, phase, limit), expected);
      }
    });

    test('is the same after a restart, creators included', async () => {
      const place = newPlace();
      const before = await reopen(place);
      const clusters = await createThirty(before.store);
      const { store } = await reopen(place);
      const listed = await listAll(store, { states: ALL, limit: 7 }, millis(Date.now()));
      assert.deepEqual(listed, clusters);
      assert.deepEqual(new Set(listed.map(({ creator }) => creator)), new Set([undefined, 'ci']));
    });

    test('filters by state and by creation time', async () => {
      const { store } = await start();
      const clusters = await createThirty(store);
      // By then, some have expired and some have not.
      const now = millis(Math.max(...clusters.map(({ createTime }) => createTime)) + 90_000);
      for (const state of ALL) {
        const states = new Set([state]);
        const expected = clusters.filter((cluster) => stateOf(cluster, now) === state);
        assert.ok(expected.length > 3, state);
        assert.deepEqual(await listAll(store, { states, limit: 3 }, now), expected);
        const madeBy = clusters[15]?.createTime as Millis;
        const older = expected.filter(({ createTime }) => createTime <= madeBy);
        assert.deepEqual(await listAll(store, { states, madeBy, limit: 3 }, now), older);
      }
    });

    test('has each lasting cluster once while others are created, change phase and are deleted', async () => {
      const { store } = await start();
      const random = new Random(seedOfRun());
      const kept = await createThirty(store);
      const others: Token[] = [];
      const disturb = async (): Promise<void> => {
        const made = millis(Date.now() - random.pick([10 * DAY, 0, -DAY]));
        const fresh = token();
        await new Discovery(store, DEFAULT_POLICY, () => made).createToken(
          create(fresh, { ...size(1), ...ttl(60_000) }),
        );
        others.push(fresh);
        const discovery = new Discovery(store, DEFAULT_POLICY);
        const some = random.pick(others);
        const step = random.pick(['REGISTER', 'DELETE', 'SWEEP']);
        if (step === 'REGISTER') await discovery.register(some, node(1)).catch(() => {});
        if (step === 'DELETE') await discovery.deleteToken(some).catch(() => {});
        if (step === 'SWEEP') await store.sweep(millis(Date.now() - 5 * DAY), random.between(1, 5));
        // The lasting clusters change phase too.
        await discovery.register(random.pick(kept).token, node(random.between(7, 9))).catch(() => {});
      };
      for (let round = 0; round < 3; round++) {
        const listed: Cluster[] = [];
        let after: Place | undefined;
        do {
          const limit = random.between(1, 6);
          const disturbing = [disturb(), disturb()];
          const page = await listClusters(
            store,
            { states: ALL, limit, ...(after && { after }) },
            millis(Date.now()),
          );
          await Promise.all(disturbing);
          listed.push(...page.clusters);
          after = page.next;
        } while (after !== undefined);
        const tokens = listed.map((cluster) => cluster.token);
        assert.equal(new Set(tokens).size, tokens.length, 'twice');
        assert.deepEqual(
          tokens.filter((each) => !others.includes(each)),
          kept.map((cluster) => cluster.token),
        );
        assert.deepEqual([...listed].sort(byPlace), listed);
      }
    });

    test('reads a bounded number of clusters for a page, however many there are', async () => {
      const { store, discovery } = await start();
      const made = LIST_LIMITS.clustersPerPage + 300;
      const tokens = Array.from({ length: made }, () => token());
      await Promise.all(tokens.map((t) => discovery.createToken(create(t, size(1)))));
      let reads = 0;
      const counted: Pick<Store, 'newest' | 'read'> = {
        newest: async (phase: Phase, after, limit) => {
          const places = await store.newest(phase, after, limit);
          reads += places.length;
          return places;
        },
        read: (t) => {
          reads += 1;
          return store.read(t);
        },
      };
      const now = millis(Date.now());
      // No cluster matches: the page ends early, and the next one continues from there.
      const states = new Set<State>(['EXPIRED']);
      const first = await listClusters(counted, { states, limit: 10 }, now);
      assert.deepEqual([first.clusters.length, first.looked], [0, LIST_LIMITS.clustersPerPage]);
      assert.ok(reads <= 3 * LIST_LIMITS.clustersPerPage);
      const second = await listClusters(counted, { states, limit: 10, after: first.next as Place }, now);
      assert.deepEqual([second.clusters.length, second.looked, second.next], [0, 300, undefined]);
      reads = 0;
      await listClusters(counted, { states: new Set(['COMPLETE', 'DELETED']), limit: 10 }, now);
      assert.equal(reads, 0, 'clusters in other phases are not read');
      const few = await listClusters(counted, { states: new Set(['ASSEMBLING']), limit: 10 }, now);
      assert.deepEqual([few.clusters.length, few.looked], [10, 10]);
      assert.equal((await listAll(counted, { states: ALL, limit: 200 }, now)).length, made);
    });
  });
}

const placeOf = ({ createTime, token: of }: Cluster): Place => ({ createTime, token: of });

/** Creates thirty clusters in every phase, some of them in the same millisecond, and returns them in list order. */
async function createThirty(store: Store): Promise<Cluster[]> {
  let now = Date.now();
  const discovery = new Discovery(store, DEFAULT_POLICY, () => millis(now));
  const tokens: Token[] = [];
  for (let i = 0; i < 30; i++) {
    if (i % 3 > 0) now += 1 + (i % 5) * 1000;
    const t = token();
    tokens.push(t);
    const creator = i % 2 === 0 ? {} : { creator: 'ci' as CallerName };
    await discovery.createToken(
      create(t, { ...size(2), ...ttl(i % 4 < 2 ? 60_000 : 3_600_000), ...creator }),
    );
    for (let n = 0; n < i % 5; n++) await discovery.register(t, node(n, { whenFull: 'STANDBY' }));
    if (i % 5 === 2 && i % 2 === 0) await discovery.deleteToken(t);
  }
  // Deleted clusters come from these: enough of every phase is left.
  for (const t of tokens.slice(3, 9)) await discovery.deleteToken(t);
  const clusters = await Promise.all(tokens.map(async (t) => (await store.read(t)).cluster as Cluster));
  return clusters.sort(byPlace);
}

async function listPhase(store: Store, phase: Phase, limit: number): Promise<Place[]> {
  const found: Place[] = [];
  for (;;) {
    const part = await store.newest(phase, found.at(-1), limit);
    found.push(...part.map(({ createTime, token: of }) => ({ createTime, token: of })));
    if (part.length < limit) return found;
  }
}

async function listAll(
  store: Pick<Store, 'newest' | 'read'>,
  query: ListQuery,
  now: Millis,
): Promise<Cluster[]> {
  const found: Cluster[] = [];
  let after: Place | undefined;
  do {
    const page = await listClusters(store, { ...query, ...(after && { after }) }, now);
    assert.ok(page.clusters.length <= query.limit);
    found.push(...page.clusters);
    after = page.next;
  } while (after !== undefined);
  return found;
}
