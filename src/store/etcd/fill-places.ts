import { endTime } from '../../discovery/cluster.ts';
import { phaseOf } from '../../discovery/newest.ts';
import type { Cluster, Token } from '../../discovery/types.ts';
import type { Connection } from './client/connection.ts';
import { listClusters } from './list.ts';
import type { Keys } from './log/keys.ts';
import { madeAt, put } from './log/operations.ts';
import type { Reader } from './read.ts';

/** Clusters given their places in one transaction. */
const TOGETHER = 25;
/** How often one is looked at again that changed meanwhile. */
const ATTEMPTS = 10;

interface Filling {
  readonly connection: Pick<Connection, 'txn'>;
  readonly reader: Pick<Reader, 'range' | 'history'>;
  readonly keys: Keys;
  readonly isOver: () => boolean;
}

/**
 * Gives tokens that an earlier version made their places among the newest, where some have none. Rejects when etcd fails:
 * the next start goes on.
 */
export async function fillPlaces(filling: Filling): Promise<void> {
  const { reader, keys, isOver } = filling;
  const count = async (span: typeof keys.ends): Promise<number> =>
    (await reader.range(() => ({ ...span, count_only: true }))).count;
  // Asked for together they are of one moment; a token that is made in between would look as if it had none.
  const [places, ends] = await Promise.all([count(keys.places), count(keys.ends)]);
  if (places >= ends) return;
  for (let after: Token | undefined; !isOver(); ) {
    const clusters = await listClusters(reader, keys, after, TOGETHER, () => {});
    after = clusters.at(-1)?.token;
    if (after === undefined) return;
    await place(filling, clusters);
  }
}

async function place({ connection, reader, keys }: Filling, clusters: readonly Cluster[]): Promise<void> {
  let left = clusters;
  for (let attempt = 0; attempt < ATTEMPTS && left.length > 0; attempt++) {
    const success = left.map((cluster) => ({ request_txn: placing(keys, cluster) }));
    const { responses } = await connection.txn({ compare: [], success, failure: [] });
    const lost = left.filter((_, i) => responses[i]?.response_txn.succeeded !== true);
    const found = await Promise.all(lost.map(({ token }) => reader.history(token)));
    left = found.flatMap(({ folded }) => folded?.record.cluster ?? []);
  }
}

/** On the condition that the cluster is as it was read. */
function placing(keys: Keys, cluster: Cluster) {
  const { token, changeCount, modRevision } = cluster;
  const head = keys.change(token, changeCount);
  return {
    compare: [
      { key: head, target: 'Mod' as const, result: 'Equal' as const, mod_revision: String(modRevision) },
    ],
    success: [
      put(keys.place(phaseOf(cluster), cluster), Buffer.alloc(0)),
      put(keys.end(endTime(cluster), token), madeAt(cluster)),
    ],
    failure: [],
  };
}
