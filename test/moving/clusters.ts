import { Discovery } from '../../src/discovery/discovery.ts';
import { DEFAULT_POLICY } from '../../src/discovery/policy.ts';
import type { Store } from '../../src/discovery/store.ts';
import type { Cluster } from '../../src/discovery/types.ts';
import { type Description, millis } from '../../src/discovery/types.ts';
import { allClusters } from '../../src/moving/export.ts';
import { create, HOUR, node, size, token, ttl, urls } from '../store/support/commands.ts';
import type { Random } from '../store/support/random.ts';

/** Fills a store with clusters of every kind, created and joined over the last half hour. */
export async function fill(store: Store, random: Random, count: number): Promise<void> {
  let now = Date.now() - HOUR / 2;
  const discovery = new Discovery(store, DEFAULT_POLICY, () => millis(now));
  for (let i = 0; i < count; i++) {
    now += random.between(0, 1000);
    const t = token();
    const members = random.between(1, 5);
    await discovery.createToken(
      create(t, {
        ...size(members),
        ...ttl(random.pick([HOUR, 24 * HOUR])),
        allowRejoin: random.chance(0.3),
        description: random.pick(['', 'a cluster', 'été — "quoted"\u{1f600}']) as Description,
      }),
    );
    const nodes = [1, 2, 3, 4, 5, 6, 7].slice(0, random.between(0, members + 2));
    for (const n of nodes.sort(() => random.next() - 0.5)) {
      now += random.between(0, 1000);
      const more = urls(`http://10.1.0.${n}:2380`, `https://[::${n}]:2380`);
      await discovery.register(t, node(n, { whenFull: 'STANDBY', peerUrls: more }));
      // Members of a complete cluster cannot be replaced.
      if (n !== nodes[0] || members === 1 || random.chance(0.7)) continue;
      now += random.between(0, 1000);
      await discovery.register(t, node(n, { mode: 'REPLACE' }));
    }
  }
}

/** Returns what must be the same in every store: everything except the revisions. */
export async function contents(store: Store): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const cluster of allClusters(store)) found.push(withoutHistory(cluster));
  return found;
}

function withoutHistory(cluster: Cluster): unknown {
  const {
    createRevision: _,
    modRevision: __,
    changeCount: ___,
    changeBytes: _____,
    cutRevision: ____,
    members,
    ...rest
  } = cluster;
  return {
    ...rest,
    members: members.map(({ id, name, peerUrls, registerTime }) => ({ id, name, peerUrls, registerTime })),
  };
}
