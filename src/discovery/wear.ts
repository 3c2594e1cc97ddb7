import { CLUSTER_LIMITS } from '../limits.ts';
import { changeBytes, registrationBytes } from './bytes.ts';
import { isComplete } from './cluster.ts';
import { DiscoveryError } from './errors.ts';
import type { Cluster, ClusterSize, Registration } from './types.ts';

/** Returns the maximum number of changes to a token, not counting its deletion. */
export function mostChanges(size: ClusterSize): number {
  return Math.max(CLUSTER_LIMITS.changesPerToken, size * CLUSTER_LIMITS.changesPerPlace);
}

/**
 * Returns the maximum bytes of these changes, not counting the deletion. The limit is higher than the general
 * one where data of earlier versions requires it.
 */
function mostBytes(size: ClusterSize): number {
  const { changeBytesPerToken, changesPerPlace } = CLUSTER_LIMITS;
  return Math.max(changeBytesPerToken, size * changesPerPlace * registrationBytes(size));
}

/** A change that is about to be made. */
interface Wear {
  readonly membersAfter: number;
  /** The members that the change is about. */
  readonly about: readonly Registration[];
}

/**
 * Throws if the token has too few changes or bytes left for a change. For each place that stays free, one
 * change with the bytes of a place is reserved, so a registration that takes a free place always succeeds:
 * even a worn-out token can complete.
 */
export function requireUnworn(cluster: Cluster, { membersAfter, about }: Wear): void {
  const { size, members } = cluster;
  // Data from before changes were counted may have none left.
  if (membersAfter > members.length && membersAfter <= size) return;
  const kept = Math.max(0, size - membersAfter);
  const used = usedUp(cluster, kept, changeBytes(about));
  if (used === undefined) return;
  const why = isComplete(cluster)
    ? `it has used all of its ${used.most}; change the running cluster with etcdctl member add and member remove instead`
    : `it has used ${used.had} of its ${used.most}, and the rest is reserved for the missing members; create a new token`;
  throw new DiscoveryError('TOKEN_WORN_OUT', `the token is worn out: ${why}`, { cluster });
}

/** Names the limit that was reached, for a message. */
function usedUp(
  cluster: Cluster,
  kept: number,
  bytes: number,
): { readonly had: string; readonly most: string } | undefined {
  const most = mostChanges(cluster.size);
  if (cluster.changeCount + 1 + kept > most)
    return { had: `${cluster.changeCount}`, most: `${most} changes` };
  const all = mostBytes(cluster.size);
  if (cluster.changeBytes + bytes + kept * registrationBytes(cluster.size) <= all) return undefined;
  return { had: `${cluster.changeBytes}`, most: `${all} bytes of changes` };
}
