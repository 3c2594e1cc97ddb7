import { DiscoveryError } from './errors.ts';
import type { Cluster, Member, MemberId, Millis, Revision } from './types.ts';

export type State = 'ASSEMBLING' | 'COMPLETE' | 'EXPIRED' | 'DELETED';

export function stateOf(cluster: Cluster, now: Millis): State {
  if (cluster.deleteTime !== undefined) return 'DELETED';
  if (now >= cluster.expireTime) return 'EXPIRED';
  return isComplete(cluster) ? 'COMPLETE' : 'ASSEMBLING';
}

export function isComplete(cluster: Cluster): boolean {
  return cluster.members.length >= cluster.size;
}

export const MEMBER_ADD = 'add this node to the running cluster with etcdctl member add';

/** Whether the cluster was ever complete. Expiry and deletion do not change this. */
export function hasFormed(cluster: Cluster): boolean {
  return cluster.formed === true || isComplete(cluster);
}

export function ranked(cluster: Cluster): readonly Member[] {
  return cluster.members.slice(0, cluster.size);
}

export function standbys(cluster: Cluster): readonly Member[] {
  return cluster.members.slice(cluster.size);
}

export function isStandby(cluster: Cluster, id: MemberId): boolean {
  if (cluster.members.length <= cluster.size) return false;
  return cluster.members.findIndex((member) => member.id === id) >= cluster.size;
}

/** Returns when the last ranked member registered, or when the token was created if no member has. */
export function lastRegistered(cluster: Cluster): Millis {
  return ranked(cluster).reduce(
    (latest, { registerTime }) => (registerTime > latest ? registerTime : latest),
    cluster.createTime,
  );
}

/** Returns when the record became, or will become, a tombstone. The retention time starts then. */
export function endTime(cluster: Cluster): Millis {
  return cluster.deleteTime ?? cluster.expireTime;
}

/**
 * Returns the value of etcd's `--initial-cluster`. Empty until the cluster is complete, because a shorter
 * list would start a different cluster.
 */
export function initialCluster(cluster: Cluster): string {
  if (!isComplete(cluster)) return '';
  let list = '';
  for (const { name, peerUrls } of ranked(cluster)) {
    for (const url of peerUrls) list += list === '' ? `${name}=${url}` : `,${name}=${url}`;
  }
  return list;
}

/** Returns the cluster, or throws if the token is unknown. */
export function requireKnown(cluster: Cluster | undefined, revision?: Revision): Cluster {
  if (cluster !== undefined) return cluster;
  throw new DiscoveryError(
    'TOKEN_NOT_FOUND',
    'no such token: it is mistyped, was never created here, or ended long ago; check it, or create a new one',
    at(revision),
  );
}

/** Returns the cluster, or throws if it can no longer be joined and watched. */
export function requireLive(cluster: Cluster | undefined, now: Millis, revision?: Revision): Cluster {
  return requireWhole(requireNotEnded(cluster, now, revision), revision);
}

/** Returns the cluster, or throws if its members cannot be read. Those of an expired token can. */
export function requireListed(cluster: Cluster | undefined, now: Millis, revision?: Revision): Cluster {
  return requireWhole(requireNotDeleted(requireKnown(cluster, revision), now, revision), revision);
}

function requireWhole(found: Cluster, revision: Revision | undefined): Cluster {
  if (found.formed !== true) return found;
  throw new DiscoveryError(
    'CLUSTER_FORMED',
    `a member was removed from this token after the cluster was complete; its place cannot be filled again; ${MEMBER_ADD}`,
    { cluster: found, ...at(revision) },
  );
}

/** Returns the cluster, or throws if its token has expired or was deleted. */
export function requireNotEnded(cluster: Cluster | undefined, now: Millis, revision?: Revision): Cluster {
  const found = requireNotDeleted(requireKnown(cluster, revision), now, revision);
  if (now >= found.expireTime) {
    throw new DiscoveryError(
      'TOKEN_EXPIRED',
      `the token expired ${ago(found.expireTime, now)}${afterExpiry(found)}`,
      { cluster: found, ...at(revision) },
    );
  }
  return found;
}

/** Returns the cluster, or throws if its token was deleted. */
export function requireNotDeleted(found: Cluster, now: Millis, revision?: Revision): Cluster {
  if (found.deleteTime === undefined) return found;
  const when = ago(found.deleteTime, now);
  throw new DiscoveryError(
    'TOKEN_DELETED',
    found.closedByRestore
      ? `the service was restored from a backup ${when} and closed this token, because nodes may have registered after the backup; create a new one and start all nodes with it`
      : `the token was deleted ${when}${hasFormed(found) ? AFTER_COMPLETE : '; create a new one'}`,
    { cluster: found, ...at(revision) },
  );
}

/** Does not suggest a new token: it would lead a late node into a different cluster than the running one. */
const AFTER_COMPLETE = `, after its cluster was complete; ${MEMBER_ADD}`;

function afterExpiry(expired: Cluster): string {
  if (hasFormed(expired)) return AFTER_COMPLETE;
  return ` with ${whoRegistered(expired)}; reopen it with etcd-discovery reopen, or create a new one`;
}

/**
 * Characters of member names in one message. The number of omitted names follows. Nodes log the message as
 * one line.
 */
const TOLD_CHARACTERS = 200;

function whoRegistered({ members, size }: Cluster): string {
  const names: string[] = [];
  let left = TOLD_CHARACTERS;
  for (const { name } of members) {
    left -= name.length;
    if (left < 0) break;
    names.push(name);
  }
  if (names.length < members.length) names.push(`${members.length - names.length} more`);
  const who = names.length === 0 ? '' : ` (${names.join(', ')})`;
  return `${members.length} of ${size} nodes registered${who}`;
}

function at(revision: Revision | undefined): { revision?: Revision } {
  return revision === undefined ? {} : { revision };
}

function ago(time: Millis, now: Millis): string {
  const seconds = Math.max(0, Math.round((now - time) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
}
