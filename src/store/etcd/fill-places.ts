import { endTime } from '../../discovery/cluster.ts';
import { phaseOf } from '../../discovery/newest.ts';
import type { Cluster, Token } from '../../discovery/types.ts';
import type { EtcdConnection } from './client/connection.ts';
import { listStoredClusters } from './list.ts';
import type { Keys } from './log/keys.ts';
import { madeAt, putOperation } from './log/operations.ts';
import type { EtcdReader } from './read.ts';

/** Clusters given their places in one transaction. */
const TOGETHER = 25;
/** How often a cluster that changed in the meantime is retried. */
const ATTEMPTS = 10;

interface Filling {
  readonly connection: Pick<EtcdConnection, 'txn'>;
  readonly reader: Pick<EtcdReader, 'page' | 'count' | 'history'>;
  readonly keys: Keys;
  readonly isOver: () => boolean;
}

/**
 * Adds tokens of earlier versions to the index of the newest, if any are missing there. Rejects if etcd
 * fails; the next start continues.
 */
export async function fillPlaces(filling: Filling): Promise<void> {
  const { reader, keys, isOver } = filling;
  // Counted together at one revision: a token created between two counts would seem to be missing.
  const { counts } = await reader.count(keys.places, keys.ends);
  const [places = 0, ends = 0] = counts;
  if (places >= ends) return;
  for (let after: Token | undefined; !isOver(); ) {
    const clusters = await listStoredClusters(reader, keys, after, TOGETHER, () => {});
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

/** Conditional on the cluster being as it was read. */
function placing(keys: Keys, cluster: Cluster) {
  const { token, changeCount, modRevision } = cluster;
  const head = keys.change(token, changeCount);
  return {
    compare: [
      { key: head, target: 'Mod' as const, result: 'Equal' as const, mod_revision: String(modRevision) },
    ],
    success: [
      putOperation(keys.place(phaseOf(cluster), cluster), Buffer.alloc(0)),
      putOperation(keys.end(endTime(cluster), token), madeAt(cluster)),
    ],
    failure: [],
  };
}
