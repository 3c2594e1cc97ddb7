import type { Client } from '@connectrpc/connect';
import { type Cluster, ClusterState } from '../../gen/discovery/v1/cluster_pb.ts';
import type { DiscoveryService, GetClusterResponse } from '../../gen/discovery/v1/service_pb.ts';

export type DiscoveryClient = Client<typeof DiscoveryService>;

/** The message that every answer of its kind carries; protobuf cannot say so in its types. */
export function present<T>(message: T | undefined): T {
  if (message === undefined) throw new TypeError('the answer of the discovery service lacks a message');
  return message;
}

/** A cluster whose token is live. Rejects with the service's own words when it has ended. */
export async function liveCluster(
  client: DiscoveryClient,
  token: string,
): Promise<{ cluster: Cluster; response: GetClusterResponse }> {
  const response = await client.getCluster({ token });
  const cluster = present(response.cluster);
  if (cluster.state === ClusterState.EXPIRED || cluster.state === ClusterState.DELETED) {
    // An ended cluster can be looked at, but not listed.
    await client.listMembers({ token });
  }
  return { cluster, response };
}
