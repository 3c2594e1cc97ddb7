import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
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
  type ListMembersResponse,
  ListMembersResponseSchema,
  type WatchMembersResponse,
  WatchMembersResponseSchema,
} from '../../gen/discovery/v1/service_pb.ts';
import { warningMessage } from '../client/warnings.ts';
import type { Event } from '../discovery/change.ts';
import { hasFormed, initialCluster, ranked, standbys, stateOf } from '../discovery/cluster.ts';
import type { Cluster, Member, Millis, Revision } from '../discovery/types.ts';
import { warningsOf } from '../discovery/warnings.ts';

// The core's types as the API's messages. Nothing is decided here. The core never changes a cluster, a member or
// an event in place, so the message of each is made once and shared by every answer: nobody may change it either.

const clusters = new WeakMap<Cluster, ClusterMessage>();

export function clusterMessage(cluster: Cluster, now: Millis): ClusterMessage {
  const state = ClusterState[stateOf(cluster, now)];
  const known = clusters.get(cluster);
  // Time alone changes the state of a cluster that is as it was.
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
  message.guarded = cluster.locks !== undefined;
  message.warnings = warningsOf(cluster).map(warningMessage);
  message.formed = hasFormed(cluster);
  message.cutRevision = cluster.cutRevision ?? 0n;
  message.closedByRestore = cluster.closedByRestore ?? false;
  clusters.set(cluster, message);
  return message;
}

const members = new WeakMap<Member, MemberMessage>();

export function memberMessage(member: Member): MemberMessage {
  let message = members.get(member);
  if (message === undefined) {
    message = create(MemberSchema);
    message.id = member.id;
    message.name = member.name;
    message.peerUrls = [...member.peerUrls];
    message.registerTime = timestampFromMs(member.registerTime);
    message.createRevision = member.createRevision;
    message.modRevision = member.modRevision;
    message.version = BigInt(member.version);
    message.discoveryText = member.discoveryText ?? '';
    members.set(member, message);
  }
  return message;
}

type Lists = Pick<ListMembersResponse, 'members' | 'standbys' | 'initialCluster'>;

const lists = new WeakMap<Cluster, Lists>();

export function membersMessage(cluster: Cluster, revision: Revision, now: Millis): ListMembersResponse {
  let list = lists.get(cluster);
  if (list === undefined) {
    list = {
      members: ranked(cluster).map(memberMessage),
      standbys: standbys(cluster).map(memberMessage),
      initialCluster: initialCluster(cluster),
    };
    lists.set(cluster, list);
  }
  const message = create(ListMembersResponseSchema);
  message.cluster = clusterMessage(cluster, now);
  message.members = list.members;
  message.standbys = list.standbys;
  message.initialCluster = list.initialCluster;
  message.revision = revision;
  return message;
}

const updates = new WeakMap<Event, WatchMembersResponse>();

/** The event as every watcher of its token gets it. */
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
  if (event.member !== undefined) message.member = memberMessage(event.member);
  if (event.previous !== undefined) message.previous = memberMessage(event.previous);
  if (event.wouldReplace) message.wouldReplace = true;
  if (event.expireTime !== undefined) message.expireTime = timestampFromMs(event.expireTime);
  if (event.removed !== undefined) message.removedMembers = event.removed.map(memberMessage);
  message.state = stateAfter(event);
  message.memberCount = event.memberCount;
  message.standbyCount = event.standbyCount;
  return message;
}

function stateAfter(event: Event): ClusterState {
  if (event.type === 'TOKEN_DELETED') return ClusterState.DELETED;
  return event.complete ? ClusterState.COMPLETE : ClusterState.ASSEMBLING;
}
