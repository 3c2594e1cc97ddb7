import { create } from '@bufbuild/protobuf';
import { type Cluster, ClusterSchema } from '../../gen/discovery/v1/cluster_pb.ts';
import type { ListMembersResponse } from '../../gen/discovery/v1/service_pb.ts';

/** What a page shows of a cluster. */
export interface View extends Pick<ListMembersResponse, 'members' | 'standbys' | 'initialCluster'> {
  readonly cluster: Cluster;
}

/** The members as the service lists them. Throws when the cluster is missing, which it never is. */
export function viewOf(list: ListMembersResponse): View {
  const { cluster, members, standbys, initialCluster } = list;
  if (cluster === undefined) throw new TypeError('the answer of the discovery service lacks its cluster');
  return { cluster, members, standbys, initialCluster };
}

/** A cluster that has ended, with the members if they are known. */
export function endedView(cluster: Cluster, last?: View): View {
  const { members = [], standbys = [] } = last ?? {};
  const counts = last && { memberCount: members.length, standbyCount: standbys.length };
  return { cluster: create(ClusterSchema, { ...cluster, ...counts }), members, standbys, initialCluster: '' };
}
