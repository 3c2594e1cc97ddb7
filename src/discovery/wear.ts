import { CLUSTER_LIMITS } from '../limits.ts';
import { changeBytes, registrationBytes } from './bytes.ts';
import { isComplete } from './cluster.ts';
import { DiscoveryError } from './errors.ts';
import type { Cluster, ClusterSize, Registration } from './types.ts';

/** How many changes a token has, its deletion not counted. */
export function mostChanges(size: ClusterSize): number {
  return Math.max(CLUSTER_LIMITS.changesPerToken, size * CLUSTER_LIMITS.changesPerPlace);
}

/** How many bytes these take, the deletion not counted. More than in general for what earlier versions made. */
function mostBytes(size: ClusterSize): number {
  const { changeBytesPerToken, changesPerPlace } = CLUSTER_LIMITS;
  return Math.max(changeBytesPerToken, size * changesPerPlace * registrationBytes(size));
}

/** A change that is about to be made. */
interface Wear {
  readonly membersAfter: number;
  /** Whom it tells of. */
  readonly about: readonly Registration[];
}

/**
 * Refuses a change for which the token has nothing left: neither of its number of changes nor of their bytes. One is
 * kept for each place that is still free then, with as many bytes as the place has, so a registration that takes a
 * free place always has its own: a worn-out token still completes.
 */
export function requireUnworn(cluster: Cluster, { membersAfter, about }: Wear): void {
  const { size, members } = cluster;
  // Data from before changes were counted may have none left.
  if (membersAfter > members.length && membersAfter <= size) return;
  const kept = Math.max(0, size - membersAfter);
  const used = usedUp(cluster, kept, changeBytes(about));
  if (used === undefined) return;
  const why = isComplete(cluster)
    ? `it has had its ${used.most}; change the running cluster with etcdctl member add and member remove instead`
    : `it has had ${used.had} of its ${used.most}, and the others are kept for the members still missing; make a new token`;
  throw new DiscoveryError('TOKEN_WORN_OUT', `the token is worn out: ${why}`, { cluster });
}

/** What there is too little of, in words. */
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
