import { type Cluster, ClusterState } from '../../../gen/discovery/v1/cluster_pb.ts';

/** How a cluster stands, as a page tells it: its state, and why nobody can join. */
export type Standing = 'assembling' | 'complete' | 'formed' | 'expired' | 'deleted' | 'closed';

export function standingOf({ state, formed, closedByRestore }: Cluster): Standing {
  if (state === ClusterState.DELETED) return closedByRestore ? 'closed' : 'deleted';
  if (state === ClusterState.EXPIRED) return 'expired';
  if (state === ClusterState.COMPLETE) return 'complete';
  // It was complete, and has lost a member under an older version of the service.
  return formed ? 'formed' : 'assembling';
}

/** Whether nothing changes any more, unless the token is reopened. */
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

/** What a person wants to know first, in a sentence. */
export function summary(cluster: Cluster): string {
  const { size, memberCount, formed } = cluster;
  const missing = size - memberCount;
  const registered = `${memberCount} of ${size} ${nodes(size)} registered, ${missing} missing`;
  switch (standingOf(cluster)) {
    case 'assembling':
      return `${registered}.`;
    case 'complete':
      return size === 1 ? 'The one node is here.' : `All ${size} nodes are here.`;
    case 'formed':
      return 'The cluster has formed, and a member was removed here since.';
    case 'expired':
      return formed
        ? 'The cluster formed before its token expired.'
        : `The token has expired: ${registered}.`;
    case 'deleted':
      return formed
        ? 'The cluster formed before its token was deleted.'
        : 'The token was deleted before the cluster was complete.';
    case 'closed':
      return 'The service was restored from a backup, and that closed this token.';
  }
}

function nodes(count: number): string {
  return count === 1 ? 'node' : 'nodes';
}
