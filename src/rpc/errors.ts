import { Code, ConnectError } from '@connectrpc/connect';
import { DiscoveryError, type Reason } from '../discovery/errors.ts';
import { FAILED } from '../values/sentences.ts';
import { detailsOf } from './error-details.ts';
import type { ClusterClock } from './messages.ts';

const CODES = {
  INVALID_ARGUMENT: Code.InvalidArgument,
  TOKEN_NOT_FOUND: Code.NotFound,
  TOKEN_EXPIRED: Code.FailedPrecondition,
  TOKEN_DELETED: Code.FailedPrecondition,
  TOKEN_EXISTS: Code.AlreadyExists,
  CUSTOM_TOKEN_REFUSED: Code.PermissionDenied,
  TOO_MANY_TOKENS: Code.ResourceExhausted,
  MEMBER_NOT_FOUND: Code.NotFound,
  MEMBER_EXISTS: Code.AlreadyExists,
  NAME_TAKEN: Code.AlreadyExists,
  PEER_URL_TAKEN: Code.AlreadyExists,
  CLUSTER_FULL: Code.FailedPrecondition,
  TOO_MANY_STANDBYS: Code.ResourceExhausted,
  REJOIN_REFUSED: Code.FailedPrecondition,
  REVISION_MISMATCH: Code.Aborted,
  REVISION_COMPACTED: Code.OutOfRange,
  SHUTTING_DOWN: Code.Unavailable,
  STORE_UNAVAILABLE: Code.Unavailable,
  INTERNAL: Code.Internal,
  UNAUTHENTICATED: Code.Unauthenticated,
  FORBIDDEN: Code.PermissionDenied,
  TOO_MANY_REQUESTS: Code.ResourceExhausted,
  CLUSTER_FORMED: Code.FailedPrecondition,
  TOKEN_WORN_OUT: Code.FailedPrecondition,
  DISCOVERY_TEXT_DIFFERS: Code.FailedPrecondition,
} as const satisfies Record<Reason, Code>;

/**
 * Converts an error for all RPC protocols: a code, a message for people and details for programs. An error
 * that is worth retrying says when: in a RetryInfo for gRPC clients, in `Retry-After` for HTTP clients.
 * `clock` is required for errors about a cluster, whose state depends on the time.
 */
export function connectError(error: DiscoveryError, clock?: ClusterClock): ConnectError {
  const { retryAfter } = error.facts;
  const metadata =
    retryAfter === undefined ? undefined : { 'Retry-After': String(Math.ceil(retryAfter / 1000)) };
  return new ConnectError(error.message, CODES[error.reason], metadata, detailsOf(error, clock));
}

/**
 * Converts any thrown value to a DiscoveryError. Other values are defects, whose message stays in the log.
 */
export function asDiscoveryError(thrown: unknown): DiscoveryError {
  if (thrown instanceof DiscoveryError) return thrown;
  return new DiscoveryError('INTERNAL', FAILED, { cause: thrown });
}
