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

const MEMBER_ADD = 'add this node with etcdctl member add';

/** Whether it was ever complete, which its end does not undo. */
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

/** When the last of its members registered, those past its size left out; when it was made, while there is none. */
export function lastRegistered(cluster: Cluster): Millis {
  return ranked(cluster).reduce(
    (latest, { registerTime }) => (registerTime > latest ? registerTime : latest),
    cluster.createTime,
  );
}

/** When the record became a tombstone, or will: the retention time counts from here. */
export function endTime(cluster: Cluster): Millis {
  return cluster.deleteTime ?? cluster.expireTime;
}

/** etcd's `--initial-cluster`; empty until the cluster is complete, as a shorter list starts another one. */
export function initialCluster(cluster: Cluster): string {
  if (!isComplete(cluster)) return '';
  let list = '';
  for (const { name, peerUrls } of ranked(cluster)) {
    for (const url of peerUrls) list += list === '' ? `${name}=${url}` : `,${name}=${url}`;
  }
  return list;
}

/** The cluster, if it is known at all. */
export function requireKnown(cluster: Cluster | undefined, revision?: Revision): Cluster {
  if (cluster !== undefined) return cluster;
  throw new DiscoveryError(
    'TOKEN_NOT_FOUND',
    'no such token: it was never made here, is mistyped, or ended long ago; make a new one',
    at(revision),
  );
}

/** The cluster, if it can still be joined and watched. */
export function requireLive(cluster: Cluster | undefined, now: Millis, revision?: Revision): Cluster {
  return requireWhole(requireNotEnded(cluster, now, revision), revision);
}

/** The cluster, if its members can be read: an expired token still has them. */
export function requireListed(cluster: Cluster | undefined, now: Millis, revision?: Revision): Cluster {
  return requireWhole(requireNotDeleted(requireKnown(cluster, revision), now, revision), revision);
}

function requireWhole(found: Cluster, revision: Revision | undefined): Cluster {
  if (found.formed !== true) return found;
  throw new DiscoveryError(
    'CLUSTER_FORMED',
    `the cluster has formed, and lost a member here since: whoever took its place would not be one of it; ${MEMBER_ADD}`,
    { cluster: found, ...at(revision) },
  );
}

/** The cluster, unless its token has expired or was deleted. */
export function requireNotEnded(cluster: Cluster | undefined, now: Millis, revision?: Revision): Cluster {
  const found = requireNotDeleted(requireKnown(cluster, revision), now, revision);
  if (now >= found.expireTime) {
    throw new DiscoveryError(
      'TOKEN_EXPIRED',
      `the token expired ${ago(found.expireTime, now)}; ${afterExpiry(found)}`,
      { cluster: found, ...at(revision) },
    );
  }
  return found;
}

/** The cluster, unless somebody deleted its token. */
export function requireNotDeleted(found: Cluster, now: Millis, revision?: Revision): Cluster {
  if (found.deleteTime === undefined) return found;
  const when = ago(found.deleteTime, now);
  throw new DiscoveryError(
    'TOKEN_DELETED',
    found.closedByRestore
      ? `the service was restored from a backup ${when}, which closed this token: nodes may have registered after the backup; make a new one, and start all nodes with it`
      : `the token was deleted ${when}; ${afterEnd(found)}`,
    { cluster: found, ...at(revision) },
  );
}

/** A new token would lead a node that comes late to another cluster than the one that runs. */
function afterEnd(ended: Cluster): string {
  return hasFormed(ended) ? `its cluster has formed; ${MEMBER_ADD}` : 'make a new one';
}

function afterExpiry(expired: Cluster): string {
  if (hasFormed(expired)) return afterEnd(expired);
  return `${whoRegistered(expired)}; reopen it with etcd-discovery reopen, or make a new one`;
}

/** Names of this many characters are told, and how many more there are: a node logs them in one line. */
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
  const who = names.length === 0 ? '' : `: ${names.join(', ')}`;
  return `${members.length} of ${size} registered${who}`;
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
