import { ConnectError } from '@connectrpc/connect';
import type { Cluster } from '../../gen/discovery/v1/cluster_pb.ts';
import type { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { reasonOf, refusalOf, retryAfterOf } from '../client/refusal.ts';
import type { StartRefusal } from '../etcd/start/answer.ts';

/** BootProblem says why no node can be started, and what to do. */
export interface BootProblem {
  /** The HTTP status. `curl -f` fails for all of them. */
  readonly status: number;
  /** The reason for programs. */
  readonly reason: string;
  readonly message: string;
  readonly next?: string | undefined;
  /** When to retry, in ms. */
  readonly retryAfter?: number | undefined;
  readonly isDefect?: boolean;
}

interface Row {
  readonly status: number;
  /** The next step, where the service's message does not say so. */
  readonly next?: string;
}

const COMPARE = 'check the token and the address of the service';
const LATER = 'retry in a moment (curl --retry)';
// For reasons that the calls made here do not return.
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
  UNAUTHENTICATED: { status: 401, next: 'append the secret to the token: /_start/TOKEN:SECRET' },
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

const DEFECT: BootProblem = {
  status: 500,
  reason: 'INTERNAL',
  message: 'internal error: the log of the service has the details',
  isDefect: true,
};

/** Converts a thrown value: an error of the service keeps its message; anything else is a defect. */
export function startProblemOf(thrown: unknown, serviceUrl: string): BootProblem {
  const detail = refusalOf(thrown);
  if (detail === undefined || !(thrown instanceof ConnectError)) return DEFECT;
  const reason = reasonOf(thrown) ?? 'UNSPECIFIED';
  const row: Row = REFUSALS[reason];
  const next = row.status === 410 ? nextOfEnded(detail.cluster, serviceUrl) : row.next;
  return { status: row.status, reason, message: thrown.rawMessage, next, retryAfter: retryAfterOf(thrown) };
}

/** Suggests no new token: it would lead a node of a running cluster into a different one. */
function nextOfEnded(cluster: Cluster | undefined, serviceUrl: string): string {
  if (cluster?.formed === true) {
    return 'start an existing member with its data; add a new node to the cluster with etcdctl member add';
  }
  return `create a new token and start all nodes with it: curl '${serviceUrl}/new?size=${cluster?.size ?? 3}'`;
}

/** Converts the error for a node that cannot be started as requested. */
export function takenProblem({ reason, message, next }: StartRefusal): BootProblem {
  return { status: 409, reason, message, next };
}
