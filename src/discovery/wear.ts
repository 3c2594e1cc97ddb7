import { CLUSTER_LIMITS } from '../limits.ts';
import { isComplete } from './cluster.ts';
import { DiscoveryError } from './errors.ts';
import type { Cluster, ClusterSize } from './types.ts';

/** How many changes a token has, its deletion not counted. */
export function mostChanges(size: ClusterSize): number {
  return Math.max(CLUSTER_LIMITS.changesPerToken, size * CLUSTER_LIMITS.changesPerPlace);
}

/**
 * Refuses a change after which the cluster would have so many members, when the token has no change left for it. One
 * is kept for each place that is still free then, so a registration that takes a free place always has its own: a
 * worn-out token still completes.
 */
export function requireUnworn(cluster: Cluster, membersAfter: number): void {
  const { size, members, changeCount } = cluster;
  // Data from before changes were counted may have none left.
  if (membersAfter > members.length && membersAfter <= size) return;
  const most = mostChanges(size);
  const kept = Math.max(0, size - membersAfter);
  if (changeCount + 1 + kept <= most) return;
  const why = isComplete(cluster)
    ? `it has had its ${most} changes; change the running cluster with etcdctl member add and member remove instead`
    : `it has had ${changeCount} of its ${most} changes, and the others are kept for the members still missing; make a new token`;
  throw new DiscoveryError('TOKEN_WORN_OUT', `the token is worn out: ${why}`, { cluster });
}
