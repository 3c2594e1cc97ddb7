import { ConnectError } from '@connectrpc/connect';
import type { Cluster } from '../../gen/discovery/v1/cluster_pb.ts';
import type { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { reasonOf, refusalOf, retryAfterOf } from '../client/refusal.ts';
import type { Refusal } from '../etcd/start/answer.ts';

/** Why there is nothing to start, and what to do. */
export interface Problem {
  /** Of HTTP: `curl -f` fails at all of them. */
  readonly status: number;
  /** For programs. */
  readonly reason: string;
  readonly message: string;
  readonly next?: string | undefined;
  /** When to ask again, in ms. */
  readonly retryAfter?: number | undefined;
  readonly isDefect?: boolean;
}

interface Row {
  readonly status: number;
  /** Where the service's words do not say what to do. */
  readonly next?: string;
}

const COMPARE = 'compare the token with the one that was made, and the service with the one that made it';
const LATER = 'ask again in a moment, as curl --retry does';
// Reasons of calls that are not made here.
const OTHER: Row = { status: 500 };

const REFUSALS = {
  UNSPECIFIED: OTHER,
  INVALID_ARGUMENT: { status: 400, next: COMPARE },
  TOKEN_NOT_FOUND: { status: 404, next: COMPARE },
  TOKEN_EXPIRED: { status: 410 },
  TOKEN_DELETED: { status: 410 },
  SHUTTING_DOWN: { status: 503, next: LATER },
  STORE_UNAVAILABLE: { status: 503, next: LATER },
  INTERNAL: { status: 500 },
  UNAUTHENTICATED: { status: 401, next: 'write the secret behind the token: /_start/TOKEN:SECRET' },
  FORBIDDEN: { status: 403 },
  TOO_MANY_REQUESTS: { status: 429 },
  TOO_MANY_TOKENS: OTHER,
  TOKEN_EXISTS: OTHER,
  CUSTOM_TOKEN_REFUSED: OTHER,
  MEMBER_NOT_FOUND: OTHER,
  MEMBER_EXISTS: OTHER,
  NAME_TAKEN: OTHER,
  PEER_URL_TAKEN: OTHER,
  CLUSTER_FULL: OTHER,
  TOO_MANY_STANDBYS: OTHER,
  REJOIN_REFUSED: OTHER,
  REVISION_MISMATCH: OTHER,
  REVISION_COMPACTED: OTHER,
  CLUSTER_FORMED: OTHER,
  TOKEN_WORN_OUT: OTHER,
  DISCOVERY_TEXT_DIFFERS: OTHER,
} as const satisfies Record<keyof typeof ErrorReason, Row>;

const DEFECT: Problem = {
  status: 500,
  reason: 'INTERNAL',
  message: 'this is a defect of the service, whose log says why',
  isDefect: true,
};

/** What was thrown: a refusal of the service, in its words, or a defect. */
export function problemOf(thrown: unknown, serviceUrl: string): Problem {
  const detail = refusalOf(thrown);
  if (detail === undefined || !(thrown instanceof ConnectError)) return DEFECT;
  const reason = reasonOf(thrown) ?? 'UNSPECIFIED';
  const row: Row = REFUSALS[reason];
  const next = row.status === 410 ? nextOfEnded(detail.cluster, serviceUrl) : row.next;
  return { status: row.status, reason, message: thrown.rawMessage, next, retryAfter: retryAfterOf(thrown) };
}

/** A new token for a node of a cluster that runs would lead it to another cluster. */
function nextOfEnded(cluster: Cluster | undefined, serviceUrl: string): string {
  if (cluster?.formed === true) {
    return 'start a node that has its data as before; add another to its cluster with etcdctl member add';
  }
  return `make a new token, and start all nodes with it: curl '${serviceUrl}/new?size=${cluster?.size ?? 3}'`;
}

/** Of a node that cannot be started as it was asked. */
export function takenProblem({ reason, message, next }: Refusal): Problem {
  return { status: 409, reason, message, next };
}
