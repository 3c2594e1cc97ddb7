import { ClusterState, type MemberEvent, MemberEventType } from '../../gen/discovery/v1/cluster_pb.ts';

/**
 * Whether an event takes away what a node that waits from before it has counted. Of a complete cluster only standbys
 * change, which nobody counts.
 */
export function takesFromNodes({ type, state }: MemberEvent): boolean {
  const isGone = type === MemberEventType.DEREGISTERED || type === MemberEventType.REPLACED;
  return isGone && state !== ClusterState.COMPLETE;
}
