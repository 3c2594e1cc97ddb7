import { create, type MessageShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  Access,
  type Cluster as ClusterMessage,
  ClusterSchema,
  ClusterState,
  type MemberEvent,
  MemberEventSchema,
  MemberEventType,
  type Member as MemberMessage,
  MemberSchema,
} from '../../gen/discovery/v1/cluster_pb.ts';
import {
  type GetClusterResponse,
  GetClusterResponseSchema,
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

// Converts the core's types to the API's messages and decides nothing. The core never modifies a cluster, a
// member or an event, so the message of each is built once and shared by all responses. Nobody may modify it
// either.

/** ClusterClock holds the parts of a cluster's message that are not in its record. */
export interface ClusterClock {
  readonly now: () => Millis;
  readonly policy: Pick<Policy, 'retention'>;
}

const clusters = new WeakMap<Cluster, ClusterMessage>();

export function clusterMessage(cluster: Cluster, { now, policy }: ClusterClock): ClusterMessage {
  const state = ClusterState[stateOf(cluster, now())];
  const known = clusters.get(cluster);
  // The state of an unchanged cluster depends on the time only.
  if (known?.state === state) return known;
  const memberCount = Math.min(cluster.members.length, cluster.size);
  const message = create(ClusterSchema);
  message.token = cluster.token;
  message.size = cluster.size;
  message.description = cluster.description;
  message.state = state;
  message.createTime = timestampFromMs(cluster.createTime);
  message.expireTime = timestampFromMs(cluster.expireTime);
  if (cluster.deleteTime !== undefined) message.deleteTime = timestampFromMs(cluster.deleteTime);
  message.memberCount = memberCount;
  message.standbyCount = cluster.members.length - memberCount;
  message.allowRejoin = cluster.allowRejoin;
  message.createRevision = cluster.createRevision;
  message.modRevision = cluster.modRevision;
  message.guard = guardOf(cluster);
  message.warnings = warningsOf(cluster).map(warningMessage);
  message.formed = hasFormed(cluster);
  message.cutRevision = cluster.cutRevision ?? 0n;
  message.closedByRestore = cluster.closedByRestore ?? false;
  message.purgeTime = timestampFromMs(endTime(cluster) + policy.retention);
  clusters.set(cluster, message);
  return message;
}

const views = new WeakMap<ClusterMessage, GetClusterResponse>();

/** Returns the response with a cluster. Until something is written, it is the same object. */
export function clusterResponse(
  { cluster, revision }: { readonly cluster: Cluster; readonly revision: Revision },
  clock: ClusterClock,
): GetClusterResponse {
  const message = clusterMessage(cluster, clock);
  const known = views.get(message);
  if (known?.revision === revision) return known;
  const response = create(GetClusterResponseSchema);
  response.cluster = message;
  response.revision = revision;
  views.set(message, response);
  return response;
}

function guardOf({ locks }: Cluster): Access[] {
  return ACCESSES.filter((access) => locks?.[access] !== undefined).map((access) => Access[access]);
}

const members = new WeakMap<Member, MemberMessage>();

/** `rank` starts at 1. It is 0 where it is not known. */
export function memberMessage(member: Member, rank: number): MemberMessage {
  let message = members.get(member);
  // The rank of an unchanged member depends only on those before it.
  if (message?.rank !== rank) {
    message = create(MemberSchema);
    message.id = member.id;
    message.name = member.name;
    message.peerUrls = [...member.peerUrls];
    message.registerTime = timestampFromMs(member.registerTime);
    message.createRevision = member.createRevision;
    message.modRevision = member.modRevision;
    message.version = BigInt(member.version);
    message.discoveryText = member.discoveryText ?? '';
    message.rank = rank;
    members.set(member, message);
  }
  return message;
}

const listings = new WeakMap<ClusterMessage, ListMembersResponse>();

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

const lists = new WeakMap<Cluster, Lists>();

/** Returns the cluster with its members, as a response and as the start of a watch. */
export function membersMessage<Desc extends typeof ListMembersResponseSchema | typeof WatchSnapshotSchema>(
  schema: Desc,
  { cluster, revision }: { readonly cluster: Cluster; readonly revision: Revision },
  clock: ClusterClock,
): MessageShape<Desc> {
  const message: ListMembersResponse | WatchSnapshot = create<
    typeof ListMembersResponseSchema | typeof WatchSnapshotSchema
  >(schema);
  const { members, standbys, initialCluster } = listsOf(cluster);
  message.cluster = clusterMessage(cluster, clock);
  message.members = members;
  message.standbys = standbys;
  message.initialCluster = initialCluster;
  message.revision = revision;
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

const updates = new WeakMap<Event, WatchMembersResponse>();

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
  message.time = timestampFromMs(event.time);
  if (event.member !== undefined) message.member = memberMessage(event.member, rankAfter(event));
  if (event.previous !== undefined) message.previous = memberMessage(event.previous, 0);
  if (event.wouldReplace) message.wouldReplace = true;
  if (event.expireTime !== undefined) message.expireTime = timestampFromMs(event.expireTime);
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
