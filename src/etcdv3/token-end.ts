import { ClusterState } from '../../gen/discovery/v1/cluster_pb.ts';
import type { Event } from '../../gen/etcd/mvccpb/kv_pb.ts';
import { reasonOf, refusalOf } from '../client/refusal.ts';
import type { LocalClient } from '../etcd/client.ts';
import { isAway } from './errors.ts';
import type { Watcher } from './watcher.ts';

/**
 * Whether the watch of an expired token must keep waiting. In any other state, the watch itself will find
 * out. A token that was reopened since may have expired again: its changes in between are still to be
 * delivered.
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

/** Returns the error of the service for a token that was deleted a moment ago. */
export async function refusalNow(client: LocalClient, token: string): Promise<unknown> {
  return client.listMembers({ token, refuseExpired: true }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

/** Returns the revision of the last event, which says why the token has ended. */
export function farewellRevision({ isNode, delivered, revision }: Watcher, thrown: unknown): bigint {
  // A node resumes after the last revision that it received: a later one would claim changes that it does not
  // have.
  if (isNode) return delivered;
  const told = refusalOf(thrown)?.revision ?? 0n;
  return told > revision ? told : revision;
}

/**
 * For the log of a node from another store, which would otherwise restart a rejected watch at once, forever.
 */
export function strayFarewell(watcher: Watcher): Event[] {
  return watcher.farewell(STRAY, watcher.delivered);
}

const STRAY =
  'the service was restored or replaced: this node receives the members when the cluster is complete; if it is not among them, start it again';
