import { eventBytes } from './bytes.ts';
import { isComplete } from './cluster.ts';
import { handOver } from './member-index.ts';
import type {
  CallerName,
  Cluster,
  ClusterSize,
  Description,
  Locks,
  Member,
  MemberId,
  Millis,
  Registration,
  Revision,
  Token,
} from './types.ts';

/** Change is a decision that is not committed yet. The store assigns its revision. */
export type Change =
  | {
      readonly type: 'CREATED';
      readonly time: Millis;
      readonly token: Token;
      readonly size: ClusterSize;
      readonly description: Description;
      readonly allowRejoin: boolean;
      readonly locks?: Locks;
      readonly creator?: CallerName;
      readonly expireTime: Millis;
    }
  | { readonly type: 'TOKEN_REOPENED'; readonly time: Millis; readonly expireTime: Millis }
  | {
      readonly type: 'REGISTERED' | 'REPLACED';
      readonly time: Millis;
      readonly member: Registration;
      readonly wouldReplace?: true;
    }
  | { readonly type: 'DEREGISTERED'; readonly time: Millis; readonly id: MemberId }
  | { readonly type: 'TOKEN_DELETED'; readonly time: Millis; readonly byRestore?: true };

/** Event is one committed change to the members of a cluster, as watchers receive it. */
export interface Event {
  readonly type: 'REGISTERED' | 'REPLACED' | 'DEREGISTERED' | 'TOKEN_DELETED' | 'TOKEN_REOPENED';
  readonly revision: Revision;
  readonly time: Millis;
  /** The member after the change, or the removed member. */
  readonly member?: Member;
  /** The member before a replacement. */
  readonly previous?: Member;
  /**
   * Set on a new member that was registered by a call that would have replaced one. The v2 dialect reports
   * another action for it.
   */
  readonly wouldReplace?: true;
  /** All members and standbys that were removed with a deleted token. */
  readonly removed?: readonly Member[];
  /** When a reopened token expires. */
  readonly expireTime?: Millis;
  readonly complete: boolean;
  readonly memberCount: number;
  readonly standbyCount: number;
}

export interface Applied {
  readonly cluster: Cluster;
  /** The event for watchers. Unset for the creation of a token, which cannot have watchers yet. */
  readonly event?: Event;
}

/**
 * Returns the cluster after a change, and the event that describes the change. Pure: every store commits the
 * result.
 */
export function apply(cluster: Cluster | undefined, change: Change, revision: Revision): Applied {
  if (change.type === 'CREATED') return { cluster: created(change, revision) };
  if (cluster === undefined) throw new TypeError(`a change of type ${change.type} needs a cluster`);
  const event = eventOf(cluster, change, revision);
  const after = replay(cluster, event);
  // Watchers receive the deletion only. The record keeps its cause for later readers.
  const isByRestore = change.type === 'TOKEN_DELETED' && change.byRestore;
  return { cluster: isByRestore ? { ...after, closedByRestore: true } : after, event };
}

/**
 * Returns the cluster after an event of its log. A replaced member may be missing, because the event that
 * registered it may have been dropped.
 */
export function replay(cluster: Cluster, event: Event): Cluster {
  const { type } = event;
  const { members } = cluster;
  switch (type) {
    case 'TOKEN_REOPENED':
      return { ...changed(cluster, members, event), expireTime: requireFact(event.expireTime) };
    case 'REGISTERED': {
      const member = requireFact(event.member);
      const after = [...members, member];
      handOver(members, after, member);
      return changed(cluster, after, event);
    }
    case 'REPLACED':
      return cut(changed(cluster, withMember(members, requireFact(event.member)), event), event);
    case 'DEREGISTERED': {
      const { id } = requireFact(event.member);
      const after = members.filter((each) => each.id !== id);
      return shrunk(cluster, cut(changed(cluster, after, event), event));
    }
    case 'TOKEN_DELETED':
      return shrunk(cluster, { ...changed(cluster, [], event), deleteTime: event.time });
  }
}

function shrunk(before: Cluster, after: Cluster): Cluster {
  return isComplete(before) && !isComplete(after) ? { ...after, formed: true } : after;
}

/**
 * Whether nodes that read the members before the event must read them again. An etcd node never forgets a
 * member that it has seen, so a node that saw a removed member would wait for a different set than a node
 * that arrives later. Changes to the standbys of a complete cluster are not cuts.
 */
export function isCut({ type, complete }: Pick<Event, 'type' | 'complete'>): boolean {
  return !complete && (type === 'REPLACED' || type === 'DEREGISTERED');
}

function cut(after: Cluster, event: Event): Cluster {
  return isCut(event) ? { ...after, cutRevision: event.revision } : after;
}

type About = Pick<Event, 'member' | 'previous' | 'wouldReplace' | 'removed' | 'expireTime'>;

/** Returns an event after which the cluster has these numbers of members and standbys. */
export function makeEvent(
  { type, revision, time }: Pick<Event, 'type' | 'revision' | 'time'>,
  { count, size }: { readonly count: number; readonly size: number },
  about: About,
): Event {
  const standbyCount = Math.max(0, count - size);
  const memberCount = count - standbyCount;
  return { type, revision, time, complete: count >= size, memberCount, standbyCount, ...about };
}

function eventOf(
  { members, size }: Cluster,
  change: Exclude<Change, { readonly type: 'CREATED' }>,
  revision: Revision,
): Event {
  const { type, time } = change;
  const event = (count: number, about: About): Event =>
    makeEvent({ type, revision, time }, { count, size }, about);
  switch (type) {
    case 'TOKEN_REOPENED':
      return event(members.length, { expireTime: change.expireTime });
    case 'REGISTERED': {
      return event(members.length + 1, {
        member: madeMember(change.member, time, revision),
        ...(change.wouldReplace && { wouldReplace: true }),
      });
    }
    case 'REPLACED': {
      const previous = memberOf(members, change.member.id);
      const version = previous.version + 1;
      // Sets the discovery text of the new registration, and removes the old one if the new one has none.
      const { discoveryText: _, ...kept } = previous;
      const member = { ...kept, ...change.member, modRevision: revision, version };
      return event(members.length, { member, previous });
    }
    case 'DEREGISTERED':
      return event(members.length - 1, { member: memberOf(members, change.id) });
    case 'TOKEN_DELETED':
      return event(0, { removed: members });
  }
}

// Lists every field: V8 needs microseconds for an object literal that continues after a spread, and longer to read
// such an object.

function madeMember({ id, name, peerUrls, discoveryText }: Registration, time: Millis, at: Revision): Member {
  return {
    id,
    name,
    peerUrls,
    registerTime: time,
    createRevision: at,
    modRevision: at,
    version: 1,
    ...(discoveryText !== undefined && { discoveryText }),
  };
}

function created(change: Extract<Change, { readonly type: 'CREATED' }>, revision: Revision): Cluster {
  const cluster: Cluster = {
    token: change.token,
    size: change.size,
    description: change.description,
    allowRejoin: change.allowRejoin,
    createTime: change.time,
    expireTime: change.expireTime,
    createRevision: revision,
    modRevision: revision,
    changeCount: 0,
    changeBytes: 0,
    members: [],
  };
  const { locks, creator } = change;
  if ((locks ?? creator) === undefined) return cluster;
  return { ...cluster, ...(locks && { locks }), ...(creator !== undefined && { creator }) };
}

function changed(cluster: Cluster, members: readonly Member[], event: Event): Cluster {
  const { revision } = event;
  const changeCount = cluster.changeCount + 1;
  const changeBytes = cluster.changeBytes + eventBytes(event);
  const { locks, creator, deleteTime, cutRevision, formed } = cluster;
  if ((locks ?? creator ?? deleteTime ?? cutRevision ?? formed) !== undefined) {
    return { ...cluster, members, changeCount, changeBytes, modRevision: revision };
  }
  return {
    token: cluster.token,
    size: cluster.size,
    description: cluster.description,
    allowRejoin: cluster.allowRejoin,
    createTime: cluster.createTime,
    expireTime: cluster.expireTime,
    createRevision: cluster.createRevision,
    modRevision: revision,
    changeCount,
    changeBytes,
    members,
  };
}

/** Replaces the member with the same ID, or inserts the member at its rank. */
function withMember(members: readonly Member[], member: Member): readonly Member[] {
  const at = members.findIndex((each) => each.id === member.id);
  if (at >= 0) return members.with(at, member);
  const before = members.findLastIndex((each) => each.createRevision < member.createRevision);
  return members.toSpliced(before + 1, 0, member);
}

function memberOf(members: readonly Member[], id: MemberId): Member {
  const member = members.find((each) => each.id === id);
  if (member === undefined)
    throw new TypeError('the change refers to a member that the cluster does not have');
  return member;
}

function requireFact<T>(fact: T | undefined): T {
  if (fact === undefined) throw new TypeError('an event lacks its token or member');
  return fact;
}
