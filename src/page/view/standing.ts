import { type Cluster, ClusterState } from '../../../gen/discovery/v1/cluster_pb.ts';

/** Standing is the state of a cluster as a page shows it, including why it cannot be joined. */
export type Standing = 'assembling' | 'complete' | 'formed' | 'expired' | 'deleted' | 'closed';

export function standingOf({ state, formed, closedByRestore }: Cluster): Standing {
  if (state === ClusterState.DELETED) return closedByRestore ? 'closed' : 'deleted';
  if (state === ClusterState.EXPIRED) return 'expired';
  if (state === ClusterState.COMPLETE) return 'complete';
  // It was complete, and has lost a member under an older version of the service.
  return formed ? 'formed' : 'assembling';
}

/** Whether nothing changes any more unless the token is reopened. */
export function hasEnded(cluster: Cluster): boolean {
  return !['assembling', 'complete'].includes(standingOf(cluster));
}

export const STANDING_NAMES: Readonly<Record<Standing, string>> = {
  assembling: 'Assembling',
  complete: 'Complete',
  formed: 'Formed',
  expired: 'Expired',
  deleted: 'Deleted',
  closed: 'Closed',
};

/** Describes the state in one sentence. */
export function summary(cluster: Cluster): string {
  const { size, memberCount, formed } = cluster;
  const missing = size - memberCount;
  const registered = `${memberCount} of ${size} ${nodes(size)} registered, ${missing} missing`;
  switch (standingOf(cluster)) {
    case 'assembling':
      return `${registered}.`;
    case 'complete':
      return size === 1 ? 'The node has registered.' : `All ${size} nodes have registered.`;
    case 'formed':
      return 'A member was removed from this token after the cluster was complete.';
    case 'expired':
      return formed
        ? 'The cluster was complete before its token expired.'
        : `The token has expired: ${registered}.`;
    case 'deleted':
      return formed
        ? 'The cluster was complete before its token was deleted.'
        : 'The token was deleted before the cluster was complete.';
    case 'closed':
      return 'This token was closed when the service was restored from a backup.';
  }
}

function nodes(count: number): string {
  return count === 1 ? 'node' : 'nodes';
}
