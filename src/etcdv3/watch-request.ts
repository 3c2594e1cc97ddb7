import { create } from '@bufbuild/protobuf';
import { type Cluster, ClusterSchema } from '../../gen/discovery/v1/cluster_pb.ts';
import type { WatchCreateRequest } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { reasonOf, refusalOf } from '../client/refusal.ts';
import { type LocalClient, requireMessage } from '../etcd/client.ts';
import { V3_LIMITS } from '../limits.ts';
import { compactedError, isAway, outside, REASONS, refusal } from './errors.ts';
import { isEmpty, type KeySpan, parseSpan } from './keys.ts';

/** Found is a cluster at a revision of the store. */
export interface Found {
  readonly cluster: Cluster;
  readonly revision: bigint;
}

/** Returns the keys to watch in addition to the stream's watches, or why the request is rejected. */
export function spanToWatch(
  { key, rangeEnd, startRevision, watchId }: WatchCreateRequest,
  watches: ReadonlyMap<bigint, unknown>,
): KeySpan | string {
  const span = parseSpan(key, rangeEnd);
  if (startRevision < 0n) return compactedError().rawMessage;
  if (span === undefined) return outside().rawMessage;
  if (isEmpty(span)) return REASONS.emptyRange;
  if (watches.has(watchId) && watchId !== 0n) return REASONS.takenId;
  if (watches.size >= V3_LIMITS.watchesPerStream) {
    return `a stream can carry at most ${V3_LIMITS.watchesPerStream} watches; open another stream`;
  }
  return span;
}

/**
 * Returns the cluster on which a watch starts, or why it is rejected. Rejects if the service is unavailable
 * or has failed.
 */
export async function clusterToWatch(
  client: LocalClient,
  { token }: KeySpan,
  { startRevision }: WatchCreateRequest,
): Promise<Found | string> {
  try {
    const { cluster, revision } = await client.getCluster({ token });
    return { cluster: requireMessage(cluster), revision };
  } catch (thrown) {
    if (reasonOf(thrown) === undefined || isAway(thrown)) throw thrown;
    // A watch from the past has seen the token. A node whose watch is rejected would restart it at once,
    // forever.
    if (reasonOf(thrown) !== 'TOKEN_NOT_FOUND' || startRevision === 0n) return refusal(thrown).rawMessage;
    return { cluster: create(ClusterSchema, { token }), revision: refusalOf(thrown)?.revision ?? 0n };
  }
}
