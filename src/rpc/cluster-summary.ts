import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { ClusterState } from '../../gen/discovery/v1/cluster_pb.ts';
import { type ClusterSummary, ClusterSummarySchema } from '../../gen/discovery/v1/operator_pb.ts';
import { warningMessage } from '../client/warnings.ts';
import { hasFormed, isComplete, lastRegistered, ranked, standbys, stateOf } from '../discovery/cluster.ts';
import type { Cluster, Millis } from '../discovery/types.ts';
import { warningsOf } from '../discovery/warnings.ts';

/** Returns a cluster as OperatorService shows it. */
export function clusterSummary(cluster: Cluster, now: Millis, label: string): ClusterSummary {
  const members = ranked(cluster);
  const state = stateOf(cluster, now);
  const { createTime, expireTime, deleteTime, size } = cluster;
  const latest = lastRegistered(cluster);
  return create(ClusterSummarySchema, {
    token: cluster.token,
    label,
    description: cluster.description,
    state: ClusterState[state],
    size,
    memberCount: members.length,
    missingCount: state === 'DELETED' || hasFormed(cluster) ? 0 : size - members.length,
    standbyCount: standbys(cluster).length,
    memberNames: members.map(({ name }) => name),
    createTime: timestampFromMs(createTime),
    expireTime: timestampFromMs(expireTime),
    ...(deleteTime !== undefined && { deleteTime: timestampFromMs(deleteTime) }),
    ...(isComplete(cluster) && { completeTime: timestampFromMs(latest) }),
    ...(state === 'ASSEMBLING' && { waitingSince: timestampFromMs(latest) }),
    creator: cluster.creator ?? '',
    warnings: warningsOf(cluster).map(warningMessage),
    guarded: cluster.locks !== undefined,
  });
}
