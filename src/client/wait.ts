import { Code, ConnectError } from '@connectrpc/connect';
import { ClusterState } from '../../gen/discovery/v1/cluster_pb.ts';
import type { ListMembersResponse } from '../../gen/discovery/v1/service_pb.ts';
import type { DiscoveryClient } from './discovery-client.ts';
import { type WatchOptions, watchCluster } from './watch.ts';

/**
 * Waits until a cluster is complete, across restarts of the service, and returns its members with the
 * `initialCluster`. Throws the service's ConnectError if the token is unknown, expires or is deleted, and the
 * signal's reason if the signal is aborted. `AbortSignal.timeout(...)` bounds the wait.
 */
export async function waitForCluster(
  client: DiscoveryClient,
  token: string,
  options: WatchOptions = {},
): Promise<ListMembersResponse> {
  for await (const { list } of watchCluster(client, token, options)) {
    if (list.cluster?.state === ClusterState.COMPLETE) return list;
  }
  // The token was deleted during the wait: this call fails with the service's error, which says when.
  await client.listMembers({ token }, options.signal && { signal: options.signal });
  throw new ConnectError('the token was deleted', Code.FailedPrecondition);
}
