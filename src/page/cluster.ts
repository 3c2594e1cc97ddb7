import { create } from '@bufbuild/protobuf';
import { type Cluster, ClusterSchema } from '../../gen/discovery/v1/cluster_pb.ts';
import type { ListMembersResponse } from '../../gen/discovery/v1/service_pb.ts';

/** ClusterView is what a page shows of a cluster. */
export interface ClusterView extends Pick<ListMembersResponse, 'members' | 'standbys' | 'initialCluster'> {
  readonly cluster: Cluster;
}

/** Returns the members as the service lists them. Throws if the cluster is missing, which never happens. */
export function viewOf(list: ListMembersResponse): ClusterView {
  const { cluster, members, standbys, initialCluster } = list;
  if (cluster === undefined) throw new TypeError('the response of the discovery service has no cluster');
  return { cluster, members, standbys, initialCluster };
}

/** Returns the view of a cluster that has ended, with its members if they are known. */
export function endedView(cluster: Cluster, last?: ClusterView): ClusterView {
  const { members = [], standbys = [] } = last ?? {};
  const counts = last && { memberCount: members.length, standbyCount: standbys.length };
  return { cluster: create(ClusterSchema, { ...cluster, ...counts }), members, standbys, initialCluster: '' };
}
