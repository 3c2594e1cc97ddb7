import { type Cluster, isComplete, type Member, standbys } from './cluster.ts';
import type {
  ClusterSize,
  Description,
  MemberId,
  MemberName,
  Millis,
  PeerUrl,
  Revision,
  Token,
} from './model.ts';

/** A change that was decided and is not yet committed: the store gives it its revision. */
export type Change =
  | {
      readonly type: 'CREATED';
      readonly time: Millis;
      readonly token: Token;
      readonly size: ClusterSize;
      readonly description: Description;
      readonly allowRejoin: boolean;
      readonly expireTime: Millis;
    }
  | { readonly type: 'REGISTERED' | 'REPLACED'; readonly time: Millis; readonly member: Registration }
  | { readonly type: 'DEREGISTERED'; readonly time: Millis; readonly id: MemberId }
  | { readonly type: 'TOKEN_DELETED'; readonly time: Millis };

/** What a node says of itself. */
export interface Registration {
  readonly id: MemberId;
  readonly name: MemberName;
  readonly peerUrls: readonly PeerUrl[];
}

/** One committed change to the members of a cluster, as watchers get it. */
export interface Event {
  readonly type: 'REGISTERED' | 'REPLACED' | 'DEREGISTERED' | 'TOKEN_DELETED';
  readonly revision: Revision;
  readonly time: Millis;
  /** The member after the change, or as it was when it left. */
  readonly member?: Member;
  /** The member before a replacement. */
  readonly previous?: Member;
  /** Everyone who went with a deleted token. */
  readonly removed?: readonly Member[];
  readonly complete: boolean;
  readonly memberCount: number;
  readonly standbyCount: number;
}

export interface Applied {
  readonly cluster: Cluster;
  /** What watchers are told; the making of a token has nobody to tell. */
  readonly event?: Event;
}

/** The cluster after a change, and the event that tells of it. Pure: every store commits what this returns. */
export function apply(cluster: Cluster | undefined, change: Change, revision: Revision): Applied {
  if (change.type === 'CREATED') {
    const { type: _, time, ...rest } = change;
    return {
      cluster: { ...rest, createTime: time, createRevision: revision, modRevision: revision, members: [] },
    };
  }
  if (cluster === undefined) throw new TypeError(`a change of type ${change.type} needs a cluster`);
  const { time } = change;
  switch (change.type) {
    case 'REGISTERED': {
      const member = {
        ...change.member,
        registerTime: time,
        createRevision: revision,
        modRevision: revision,
        version: 1,
      };
      return told(
        { ...cluster, members: [...cluster.members, member] },
        { type: change.type, member, revision, time },
      );
    }
    case 'REPLACED': {
      const previous = memberOf(cluster, change.member.id);
      const version = previous.version + 1;
      const member = { ...previous, ...change.member, modRevision: revision, version };
      const members = cluster.members.map((each) => (each === previous ? member : each));
      return told({ ...cluster, members }, { type: change.type, member, previous, revision, time });
    }
    case 'DEREGISTERED': {
      const member = memberOf(cluster, change.id);
      const members = cluster.members.filter((each) => each !== member);
      return told({ ...cluster, members }, { type: change.type, member, revision, time });
    }
    case 'TOKEN_DELETED':
      return told(
        { ...cluster, members: [], deleteTime: time },
        { type: change.type, removed: cluster.members, revision, time },
      );
  }
}

type Telling = Omit<Event, 'complete' | 'memberCount' | 'standbyCount'>;

function told(changed: Cluster, telling: Telling): Applied {
  const cluster = { ...changed, modRevision: telling.revision };
  const standbyCount = standbys(cluster).length;
  const memberCount = cluster.members.length - standbyCount;
  return { cluster, event: { ...telling, complete: isComplete(cluster), memberCount, standbyCount } };
}

function memberOf(cluster: Cluster, id: MemberId): Member {
  const member = cluster.members.find((each) => each.id === id);
  if (member === undefined) throw new TypeError('the change names a member that the cluster does not have');
  return member;
}
