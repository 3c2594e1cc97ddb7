import { create } from '@bufbuild/protobuf';
import { type Cluster, ClusterSchema } from '../../gen/discovery/v1/cluster_pb.ts';
import type { WatchCreateRequest } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { reasonOf, refusalOf } from '../client/refusal.ts';
import { type LocalClient, requireMessage } from '../etcd/client.ts';
import { V3_LIMITS } from '../limits.ts';
import { compacted, isAway, outside, REASONS, refusal } from './errors.ts';
import { isEmpty, parseSpan, type Span } from './keys.ts';

/** A cluster as it was at a revision of the store. */
export interface Found {
  readonly cluster: Cluster;
  readonly revision: bigint;
}

/** The keys that a request wants to watch beside the watches of its stream, or why it is refused. */
export function spanToWatch(
  { key, rangeEnd, startRevision, watchId }: WatchCreateRequest,
  watches: ReadonlyMap<bigint, unknown>,
): Span | string {
  const span = parseSpan(key, rangeEnd);
  if (startRevision < 0n) return compacted().rawMessage;
  if (span === undefined) return outside().rawMessage;
  if (isEmpty(span)) return REASONS.emptyRange;
  if (watches.has(watchId) && watchId !== 0n) return REASONS.takenId;
  if (watches.size >= V3_LIMITS.watchesPerStream) {
    return `a stream carries at most ${V3_LIMITS.watchesPerStream} watches; open another`;
  }
  return span;
}

/** The cluster that a watch begins on, or why it is refused. Rejects when the service is away, or has failed. */
export async function clusterToWatch(
  client: LocalClient,
  { token }: Span,
  { startRevision }: WatchCreateRequest,
): Promise<Found | string> {
  try {
    const { cluster, revision } = await client.getCluster({ token });
    return { cluster: requireMessage(cluster), revision };
  } catch (thrown) {
    if (reasonOf(thrown) === undefined || isAway(thrown)) throw thrown;
    // Who begins in the past has seen the token; a node that is refused begins again at once, and for ever.
    if (reasonOf(thrown) !== 'TOKEN_NOT_FOUND' || startRevision === 0n) return refusal(thrown).rawMessage;
    return { cluster: create(ClusterSchema, { token }), revision: refusalOf(thrown)?.revision ?? 0n };
  }
}
