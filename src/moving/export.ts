import { stateOf } from '../discovery/cluster.ts';
import type { OnDamaged, Store } from '../discovery/store.ts';
import type { Cluster, Millis, Token } from '../discovery/types.ts';
import { clusterLine, endLine, headerLine } from './format.ts';

/** Clusters per read: a few MB at most if they are large. */
const CLUSTERS_PER_READ = 256;

export interface ExportCounts {
  exported: number;
  members: number;
  /** Clusters omitted because nobody can join or read them any more. */
  expired: number;
  deleted: number;
  /** Clusters omitted because they were complete and have lost a member here since. */
  closed: number;
  /** Clusters omitted because their data cannot be read. */
  damaged: number;
}

/**
 * Yields every cluster of a store in the order of their tokens. Damaged clusters are skipped if there is a
 * callback to report them to.
 */
export async function* allClusters(
  store: Pick<Store, 'list'>,
  onDamaged?: OnDamaged,
): AsyncGenerator<Cluster, void, undefined> {
  let after: Token | undefined;
  for (;;) {
    const part = await store.list(after, CLUSTERS_PER_READ, onDamaged);
    if (part.length === 0) return;
    yield* part;
    after = part.at(-1)?.token;
  }
}

/** Yields the lines of an export of a store's live tokens. Counts what they contain and what they omit. */
export async function* exportLines(
  store: Pick<Store, 'list'>,
  now: Millis,
  counts: ExportCounts,
  onDamaged: OnDamaged,
): AsyncGenerator<string, void, undefined> {
  yield headerLine(now);
  const tell: OnDamaged = (token, problem) => {
    counts.damaged += 1;
    onDamaged(token, problem);
  };
  for await (const cluster of allClusters(store, tell)) {
    const state = stateOf(cluster, now);
    if (state === 'DELETED') counts.deleted += 1;
    else if (state === 'EXPIRED') counts.expired += 1;
    else if (cluster.formed === true) counts.closed += 1;
    else {
      yield clusterLine(cluster);
      counts.exported += 1;
      counts.members += cluster.members.length;
    }
  }
  yield endLine(counts.exported);
}
