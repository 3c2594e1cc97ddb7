import { CLUSTER_LIMITS } from '../limits.ts';
import { memberBytes } from './bytes.ts';
import { isComplete, isStandby, MEMBER_ADD, standbys } from './cluster.ts';
import { DiscoveryError } from './errors.ts';
import type { Cluster, Member, Millis, Registration } from './types.ts';

// Checks for changes to a complete cluster.

interface Newcomer extends Registration {
  readonly whenFull: 'REFUSE' | 'STANDBY';
}

export function checkRoom(cluster: Cluster, newcomer: Newcomer): void {
  const { whenFull } = newcomer;
  if (!isComplete(cluster)) return;
  if (whenFull === 'REFUSE') {
    throw new DiscoveryError('CLUSTER_FULL', `${full(cluster)}; ${MEMBER_ADD}`, { cluster });
  }
  if (standbys(cluster).length >= CLUSTER_LIMITS.standbys) {
    throw new DiscoveryError(
      'TOO_MANY_STANDBYS',
      `the cluster already has ${CLUSTER_LIMITS.standbys} standbys, the maximum; ${MEMBER_ADD}`,
      { cluster },
    );
  }
  checkStandbysBytes(cluster, newcomer);
}

/**
 * Throws if the standbys of a complete cluster would take too many bytes. Its members are final, so every
 * registration and replacement concerns a standby.
 */
export function checkStandbysBytes(cluster: Cluster, wanted: Registration): void {
  if (!isComplete(cluster)) return;
  let bytes = memberBytes(wanted);
  for (const each of standbys(cluster)) if (each.id !== wanted.id) bytes += memberBytes(each);
  const most = CLUSTER_LIMITS.standbysBytes;
  if (bytes <= most) return;
  throw new DiscoveryError(
    'TOO_MANY_STANDBYS',
    `the standbys of the cluster would use ${bytes} bytes with this one, and the limit is ${most}; ${MEMBER_ADD}`,
    { cluster },
  );
}

/**
 * Throws if the member is final. The write that completes a cluster fixes its members: nodes have read the
 * list and started, and a node that reads a different list later would start a second cluster. Standbys are
 * on no list.
 */
export function checkNotFinal(cluster: Cluster, member: Member): void {
  if (!isComplete(cluster) || isStandby(cluster, member.id)) return;
  throw new DiscoveryError(
    'CLUSTER_FORMED',
    'the cluster is complete, so its members can no longer change here; use etcdctl member remove and etcdctl member add (etcd-discovery join-late prints the member add command)',
    { member, cluster },
  );
}

/**
 * Throws unless the call is a recent retry: a node that lost its data must not return as a fresh member of a
 * running cluster.
 */
export function checkRetry(cluster: Cluster, member: Member, now: Millis): void {
  // Absolute, so that a clock that was set back does not turn an old registration into a retry.
  const apart = Math.abs(now - member.registerTime);
  if (!isComplete(cluster) || cluster.allowRejoin || apart <= CLUSTER_LIMITS.retryWindow) return;
  const why = isStandby(cluster, member.id)
    ? `this node registered after the cluster was complete; ${MEMBER_ADD}`
    : 'this node is already a member of the complete cluster; start it with its existing data, or replace it with etcdctl member remove and etcdctl member add';
  throw new DiscoveryError('REJOIN_REFUSED', why, { member, cluster });
}

const full = ({ size }: Cluster): string =>
  size === 1
    ? 'the only member of the cluster has registered'
    : `all ${size} members of the cluster have registered`;
