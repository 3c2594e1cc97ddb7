import { clone, create } from '@bufbuild/protobuf';
import { type Timestamp, timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import {
  type Cluster,
  ClusterSchema,
  ClusterState,
  type Member,
  type MemberEvent,
  MemberEventType,
} from '../../gen/discovery/v1/cluster_pb.ts';
import { type ListMembersResponse, ListMembersResponseSchema } from '../../gen/discovery/v1/service_pb.ts';
import { peerWarnings } from '../values/peer-warnings.ts';
import { warningMessage } from './warnings.ts';

/**
 * Returns the members after a change, given those before it, as ListMembers would return them at the event's
 * revision.
 */
export function applyEvent(list: ListMembersResponse, event: MemberEvent): ListMembersResponse {
  const all = inRank(membersAfter([...list.members, ...list.standbys], event));
  const { state, memberCount, standbyCount, revision } = event;
  const cluster = list.cluster === undefined ? create(ClusterSchema) : clone(ClusterSchema, list.cluster);
  cluster.state = state;
  cluster.memberCount = memberCount;
  cluster.standbyCount = standbyCount;
  cluster.modRevision = revision;
  if (state === ClusterState.COMPLETE) cluster.formed = true;
  else if (event.type === MemberEventType.REPLACED || event.type === MemberEventType.DEREGISTERED) {
    cluster.cutRevision = revision;
  }
  if (event.type === MemberEventType.TOKEN_DELETED && event.time !== undefined) {
    cluster.deleteTime = event.time;
  }
  if (event.expireTime !== undefined) cluster.expireTime = event.expireTime;
  movePurgeTime(cluster, list.cluster);
  const members = all.slice(0, memberCount);
  cluster.warnings = peerWarnings(members).map(warningMessage);
  return create(ListMembersResponseSchema, {
    cluster,
    members,
    standbys: all.slice(memberCount),
    initialCluster: state === ClusterState.COMPLETE ? initialCluster(members) : '',
    revision,
  });
}

/** Keeps the time between the end of the token and its purge as it was before the change. */
function movePurgeTime(cluster: Cluster, before: Cluster | undefined): void {
  const [end, endBefore] = [endOf(cluster), before && endOf(before)];
  if (end === undefined || endBefore === undefined || before?.purgeTime === undefined) return;
  const retention = timestampMs(before.purgeTime) - timestampMs(endBefore);
  cluster.purgeTime = timestampFromMs(timestampMs(end) + retention);
}

function endOf({ deleteTime, expireTime }: Cluster): Timestamp | undefined {
  return deleteTime ?? expireTime;
}

/** Returns new messages with their ranks: the given ones are shared and must not be modified. */
function inRank(members: readonly Member[]): Member[] {
  return members.map((member, i) => (member.rank === i + 1 ? member : { ...member, rank: i + 1 }));
}

function membersAfter(members: readonly Member[], { type, member }: MemberEvent): Member[] {
  switch (type) {
    case MemberEventType.REGISTERED:
      return member === undefined ? [...members] : [...members, member];
    case MemberEventType.REPLACED:
      return members.map((each) => (each.id === member?.id ? member : each));
    case MemberEventType.DEREGISTERED:
      return members.filter(({ id }) => id !== member?.id);
    case MemberEventType.TOKEN_DELETED:
      return [];
    default:
      return [...members];
  }
}

function initialCluster(members: readonly Member[]): string {
  return members.flatMap(({ name, peerUrls }) => peerUrls.map((url) => `${name}=${url}`)).join(',');
}
