import { CLUSTER_LIMITS } from '../limits.ts';
import { memberBytes } from './bytes.ts';
import { isComplete, isStandby, standbys } from './cluster.ts';
import { DiscoveryError } from './errors.ts';
import type { Cluster, Member, Millis, Registration } from './types.ts';

// What a complete cluster refuses.

export const MEMBER_ADD = 'add this node to the running cluster with etcdctl member add instead';

interface Newcomer extends Registration {
  readonly whenFull: 'REFUSE' | 'STANDBY';
}

export function checkRoom(cluster: Cluster, newcomer: Newcomer): void {
  const { whenFull } = newcomer;
  if (!isComplete(cluster)) return;
  if (whenFull === 'REFUSE') {
    throw new DiscoveryError('CLUSTER_FULL', `the cluster has ${all(cluster)}; ${MEMBER_ADD}`, { cluster });
  }
  if (standbys(cluster).length >= CLUSTER_LIMITS.standbys) {
    throw new DiscoveryError(
      'TOO_MANY_STANDBYS',
      `the cluster has ${all(cluster)} and ${CLUSTER_LIMITS.standbys} standbys; ${MEMBER_ADD}`,
      { cluster },
    );
  }
  checkStandbysBytes(cluster, newcomer);
}

/** Of a complete cluster, whose members are final: whoever comes or is replaced is a standby. */
export function checkStandbysBytes(cluster: Cluster, wanted: Registration): void {
  if (!isComplete(cluster)) return;
  let bytes = memberBytes(wanted);
  for (const each of standbys(cluster)) if (each.id !== wanted.id) bytes += memberBytes(each);
  const most = CLUSTER_LIMITS.standbysBytes;
  if (bytes <= most) return;
  throw new DiscoveryError(
    'TOO_MANY_STANDBYS',
    `the standbys of the cluster take ${most} bytes at most, and would take ${bytes} with this one; ${MEMBER_ADD}`,
    { cluster },
  );
}

/**
 * The write that completes a cluster fixes its members for good: nodes have left with the list, and one that read
 * another later would start a second cluster. Standbys are on no list.
 */
export function checkNotFinal(cluster: Cluster, member: Member): void {
  if (!isComplete(cluster) || isStandby(cluster, member.id)) return;
  throw new DiscoveryError(
    'CLUSTER_FORMED',
    `the cluster has formed, and its members are final here; change the running cluster with etcdctl member remove and etcdctl member add (etcd-discovery join-late writes the line)`,
    { member, cluster },
  );
}

/** A node that lost its data must not come back as a fresh member of a running cluster. */
export function checkRetry(cluster: Cluster, member: Member, now: Millis): void {
  // A clock that was put back makes no retry of an old registration.
  const apart = Math.abs(now - member.registerTime);
  if (!isComplete(cluster) || cluster.allowRejoin || apart <= CLUSTER_LIMITS.retryWindow) return;
  const why = isStandby(cluster, member.id)
    ? `the cluster has ${all(cluster)}, and this one came later; ${MEMBER_ADD}`
    : 'the cluster is complete with this member in it: start the node with the data it had, or replace it with etcdctl member remove and member add';
  throw new DiscoveryError('REJOIN_REFUSED', why, { member, cluster });
}

const all = ({ size }: Cluster): string => (size === 1 ? 'its one member' : `all of its ${size} members`);
