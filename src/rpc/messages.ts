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
import { type ListMembersResponse, ListMembersResponseSchema } from '../../gen/discovery/v1/service_pb.ts';
import type { Event } from '../discovery/change.ts';
import {
  type Cluster,
  initialCluster,
  type Member,
  ranked,
  standbys,
  stateOf,
} from '../discovery/cluster.ts';
import type { Millis, Revision } from '../discovery/model.ts';

// The core's types as the API's messages. Nothing is decided here.

export function clusterMessage(cluster: Cluster, now: Millis): ClusterMessage {
  const memberCount = Math.min(cluster.members.length, cluster.size);
  const message = create(ClusterSchema);
  message.token = cluster.token;
  message.size = cluster.size;
  message.description = cluster.description;
  message.state = ClusterState[stateOf(cluster, now)];
  message.createTime = timestampFromMs(cluster.createTime);
  message.expireTime = timestampFromMs(cluster.expireTime);
  if (cluster.deleteTime !== undefined) message.deleteTime = timestampFromMs(cluster.deleteTime);
  message.memberCount = memberCount;
  message.standbyCount = cluster.members.length - memberCount;
  message.allowRejoin = cluster.allowRejoin;
  message.createRevision = cluster.createRevision;
  message.modRevision = cluster.modRevision;
  return message;
}

export function memberMessage(member: Member): MemberMessage {
  const message = create(MemberSchema);
  message.id = member.id;
  message.name = member.name;
  message.peerUrls = [...member.peerUrls];
  message.registerTime = timestampFromMs(member.registerTime);
  message.createRevision = member.createRevision;
  message.modRevision = member.modRevision;
  message.version = BigInt(member.version);
  return message;
}

export function membersMessage(cluster: Cluster, revision: Revision, now: Millis): ListMembersResponse {
  const message = create(ListMembersResponseSchema);
  message.cluster = clusterMessage(cluster, now);
  message.members = ranked(cluster).map(memberMessage);
  message.standbys = standbys(cluster).map(memberMessage);
  message.initialCluster = initialCluster(cluster);
  message.revision = revision;
  return message;
}

export function eventMessage(event: Event): MemberEvent {
  const message = create(MemberEventSchema);
  message.type = MemberEventType[event.type];
  message.revision = event.revision;
  message.time = timestampFromMs(event.time);
  if (event.member !== undefined) message.member = memberMessage(event.member);
  if (event.previous !== undefined) message.previous = memberMessage(event.previous);
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
