import { create, type MessageShape } from '@bufbuild/protobuf';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import {
  Access,
  type Cluster as ClusterMessage,
  ClusterState,
  type MemberEvent,
  MemberEventSchema,
  MemberEventType,
  type Member as MemberMessage,
} from '../../gen/discovery/v1/cluster_pb.ts';
import {
  type GetClusterResponse,
  type ListMembersResponse,
  ListMembersResponseSchema,
  type WatchMembersResponse,
  WatchMembersResponseSchema,
  type WatchSnapshot,
  type WatchSnapshotSchema,
} from '../../gen/discovery/v1/service_pb.ts';
import { warningMessage } from '../client/warnings.ts';
import type { Event } from '../discovery/change.ts';
import { endTime, hasFormed, initialCluster, ranked, standbys, stateOf } from '../discovery/cluster.ts';
import type { Policy } from '../discovery/policy.ts';
import { ACCESSES, type Cluster, type Member, type Millis, type Revision } from '../discovery/types.ts';
import { warningsOf } from '../discovery/warnings.ts';
import { memo } from '../values/memo.ts';

// Converts the core's types to the API's messages and decides nothing. The core never modifies a cluster, a
// member or an event, so the message of each is built once and shared by all responses. Nobody may modify it
// either. Messages are made as literals, which have all fields, because `create` goes through the fields of the
// schema one by one.

function timestampOf(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1000);
  return {
    $typeName: 'google.protobuf.Timestamp',
    seconds: BigInt(seconds),
    nanos: (ms - seconds * 1000) * 1_000_000,
  };
}

/** ClusterClock holds the parts of a cluster's message that are not in its record. */
export interface ClusterClock {
  readonly now: () => Millis;
  readonly policy: Pick<Policy, 'retention'>;
}

const clusters = memo<Cluster, ClusterMessage>();

export function clusterMessage(cluster: Cluster, { now, policy }: ClusterClock): ClusterMessage {
  const state = ClusterState[stateOf(cluster, now())];
  const known = clusters.get(cluster);
  // The state of an unchanged cluster depends on the time only.
  if (known?.state === state) return known;
  const memberCount = Math.min(cluster.members.length, cluster.size);
  const message: ClusterMessage = {
    $typeName: 'discovery.v1.Cluster',
    token: cluster.token,
    size: cluster.size,
    description: cluster.description,
    state,
    createTime: timestampOf(cluster.createTime),
    expireTime: timestampOf(cluster.expireTime),
    memberCount,
    standbyCount: cluster.members.length - memberCount,
    allowRejoin: cluster.allowRejoin,
    createRevision: cluster.createRevision,
    modRevision: cluster.modRevision,
    guard: guardOf(cluster),
    warnings: warningsOf(cluster).map(warningMessage),
    formed: hasFormed(cluster),
    cutRevision: cluster.cutRevision ?? 0n,
    closedByRestore: cluster.closedByRestore ?? false,
    purgeTime: timestampOf(endTime(cluster) + policy.retention),
  };
  if (cluster.deleteTime !== undefined) message.deleteTime = timestampOf(cluster.deleteTime);
  clusters.set(cluster, message);
  return message;
}

const views = memo<ClusterMessage, GetClusterResponse>();

/** Returns the response with a cluster. Until something is written, it is the same object. */
export function clusterResponse(
  { cluster, revision }: { readonly cluster: Cluster; readonly revision: Revision },
  clock: ClusterClock,
): GetClusterResponse {
  const message = clusterMessage(cluster, clock);
  const known = views.get(message);
  if (known?.revision === revision) return known;
  const response: GetClusterResponse = {
    $typeName: 'discovery.v1.GetClusterResponse',
    cluster: message,
    revision,
  };
  views.set(message, response);
  return response;
}

function guardOf({ locks }: Cluster): Access[] {
  return ACCESSES.filter((access) => locks?.[access] !== undefined).map((access) => Access[access]);
}

const members = memo<Member, MemberMessage>();

/** `rank` starts at 1. It is 0 where it is not known. */
export function memberMessage(member: Member, rank: number): MemberMessage {
  let message = members.get(member);
  // The rank of an unchanged member depends only on those before it.
  if (message?.rank !== rank) {
    message = {
      $typeName: 'discovery.v1.Member',
      id: member.id,
      name: member.name,
      peerUrls: [...member.peerUrls],
      registerTime: timestampOf(member.registerTime),
      createRevision: member.createRevision,
      modRevision: member.modRevision,
      version: BigInt(member.version),
      discoveryText: member.discoveryText ?? '',
      rank,
    };
    members.set(member, message);
  }
  return message;
}

const listings = memo<ClusterMessage, ListMembersResponse>();

/** Returns the response with a cluster and its members. Until something is written, it is the same object. */
export function listResponse(
  { cluster, revision }: { readonly cluster: Cluster; readonly revision: Revision },
  clock: ClusterClock,
): ListMembersResponse {
  const message = clusterMessage(cluster, clock);
  const known = listings.get(message);
  if (known?.revision === revision) return known;
  const response = membersMessage(ListMembersResponseSchema, { cluster, revision }, clock);
  listings.set(message, response);
  return response;
}

type Lists = Pick<WatchSnapshot, 'members' | 'standbys' | 'initialCluster'>;

const lists = memo<Cluster, Lists>();

/** Returns the cluster with its members, as a response and as the start of a watch. */
export function membersMessage<Desc extends typeof ListMembersResponseSchema | typeof WatchSnapshotSchema>(
  schema: Desc,
  { cluster, revision }: { readonly cluster: Cluster; readonly revision: Revision },
  clock: ClusterClock,
): MessageShape<Desc> {
  const { members, standbys, initialCluster } = listsOf(cluster);
  const message: Omit<ListMembersResponse, '$typeName'> & { $typeName: string } = {
    $typeName: schema.typeName,
    cluster: clusterMessage(cluster, clock),
    members,
    standbys,
    initialCluster,
    revision,
  };
  return message as MessageShape<Desc>;
}

function listsOf(cluster: Cluster): Lists {
  let list = lists.get(cluster);
  if (list === undefined) {
    list = {
      members: ranked(cluster).map((member, i) => memberMessage(member, i + 1)),
      standbys: standbys(cluster).map((member, i) => memberMessage(member, cluster.size + i + 1)),
      initialCluster: initialCluster(cluster),
    };
    lists.set(cluster, list);
  }
  return list;
}

const updates = memo<Event, WatchMembersResponse>();

/** Returns the event as every watcher of its token receives it. */
export function eventUpdate(event: Event): WatchMembersResponse {
  let message = updates.get(event);
  if (message === undefined) {
    message = create(WatchMembersResponseSchema, { update: { case: 'event', value: eventMessage(event) } });
    updates.set(event, message);
  }
  return message;
}

function eventMessage(event: Event): MemberEvent {
  const message = create(MemberEventSchema);
  message.type = MemberEventType[event.type];
  message.revision = event.revision;
  message.time = timestampOf(event.time);
  if (event.member !== undefined) message.member = memberMessage(event.member, rankAfter(event));
  if (event.previous !== undefined) message.previous = memberMessage(event.previous, 0);
  if (event.wouldReplace) message.wouldReplace = true;
  if (event.expireTime !== undefined) message.expireTime = timestampOf(event.expireTime);
  if (event.removed !== undefined)
    message.removedMembers = event.removed.map((each, i) => memberMessage(each, i + 1));
  message.state = stateAfter(event);
  message.memberCount = event.memberCount;
  message.standbyCount = event.standbyCount;
  return message;
}

/** Returns the rank of a new member, which is the last. For other events the rank is not known. */
function rankAfter({ type, memberCount, standbyCount }: Event): number {
  return type === 'REGISTERED' ? memberCount + standbyCount : 0;
}

function stateAfter(event: Event): ClusterState {
  if (event.type === 'TOKEN_DELETED') return ClusterState.DELETED;
  return event.complete ? ClusterState.COMPLETE : ClusterState.ASSEMBLING;
}
