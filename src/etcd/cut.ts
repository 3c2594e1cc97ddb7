import { ClusterState, type MemberEvent, MemberEventType } from '../../gen/discovery/v1/cluster_pb.ts';

/**
 * Whether an event invalidates what a waiting node has counted before. In a complete cluster only standbys
 * change, which nodes do not count.
 */
export function takesFromNodes({ type, state }: MemberEvent): boolean {
  const isGone = type === MemberEventType.DEREGISTERED || type === MemberEventType.REPLACED;
  return isGone && state !== ClusterState.COMPLETE;
}
