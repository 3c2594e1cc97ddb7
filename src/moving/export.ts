import { stateOf } from '../discovery/cluster.ts';
import type { Store } from '../discovery/store.ts';
import type { Cluster, Millis, Token } from '../discovery/types.ts';
import { clusterLine, endLine, headerLine } from './format.ts';

/** Read at once: some MB at most where clusters are large. */
const CLUSTERS_PER_READ = 256;

export interface ExportCounts {
  exported: number;
  members: number;
  /** Left out, as nobody can join or read them any more. */
  expired: number;
  deleted: number;
  /** Their clusters have formed, and lost a member here since. */
  closed: number;
}

/** Every cluster of a store, by token. */
export async function* allClusters(store: Pick<Store, 'list'>): AsyncGenerator<Cluster, void, undefined> {
  let after: Token | undefined;
  for (;;) {
    const part = await store.list(after, CLUSTERS_PER_READ);
    if (part.length === 0) return;
    yield* part;
    after = part.at(-1)?.token;
  }
}

/** The lines of an export of a store's live tokens. Counts what they tell of, and what they leave out. */
export async function* exportLines(
  store: Pick<Store, 'list'>,
  now: Millis,
  counts: ExportCounts,
): AsyncGenerator<string, void, undefined> {
  yield headerLine(now);
  for await (const cluster of allClusters(store)) {
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
