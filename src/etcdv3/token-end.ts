import { ClusterState } from '../../gen/discovery/v1/cluster_pb.ts';
import type { Event } from '../../gen/etcd/mvccpb/kv_pb.ts';
import { reasonOf, refusalOf } from '../client/refusal.ts';
import type { LocalClient } from '../etcd/client.ts';
import { isAway } from './errors.ts';
import type { Watcher } from './watcher.ts';

/**
 * Whether the watch of an expired token has to wait on: whatever else it is, the watch itself will meet it. One that was
 * reopened since may have expired once more by now: what happened in between is still to be told.
 */
export async function isStillExpired(client: LocalClient, { span, seen }: Watcher): Promise<boolean> {
  return client.getCluster({ token: span.token }).then(
    ({ cluster }) => cluster?.state === ClusterState.EXPIRED && cluster.modRevision <= seen,
    (thrown: unknown) => isAway(thrown),
  );
}

export function isTokenGone(thrown: unknown): boolean {
  const reason = reasonOf(thrown);
  return reason === 'TOKEN_DELETED' || reason === 'TOKEN_EXPIRED' || reason === 'TOKEN_NOT_FOUND';
}

/** How the service refuses a token that was deleted a moment ago. */
export async function refusalNow(client: LocalClient, token: string): Promise<unknown> {
  return client.listMembers({ token, refuseExpired: true }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

/** The revision of the last event, which says why the token has ended. */
export function farewellRevision({ isNode, delivered, revision }: Watcher, thrown: unknown): bigint {
  // A node comes again after the last revision that it was told: past what it was not told it would look as if it had it.
  if (isNode) return delivered;
  const told = refusalOf(thrown)?.revision ?? 0n;
  return told > revision ? told : revision;
}

/** For the log of a node from another store, which would begin a watch that is refused again at once, and for ever. */
export function strayFarewell(watcher: Watcher): Event[] {
  return watcher.farewell(STRAY, watcher.delivered);
}

const STRAY =
  'the service was restored, or is another one than before: the members are told when the cluster is complete; if this node is not among them, start it again';
