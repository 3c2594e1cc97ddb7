import { Code, ConnectError } from '@connectrpc/connect';
import { DiscoveryError, type Reason } from '../discovery/errors.ts';
import { FAILED } from '../values/sentences.ts';
import { detailsOf } from './error-details.ts';
import type { Clock } from './messages.ts';

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
 * The refusal as every RPC protocol carries it: a code, words for a person, details for a program. One that a client
 * should come again for says when: to gRPC's clients in a RetryInfo, to those of HTTP in `Retry-After`. A refusal of a
 * cluster needs a clock, to say how the cluster stands.
 */
export function connectError(error: DiscoveryError, clock?: Clock): ConnectError {
  const { retryAfter } = error.facts;
  const metadata =
    retryAfter === undefined ? undefined : { 'Retry-After': String(Math.ceil(retryAfter / 1000)) };
  return new ConnectError(error.message, CODES[error.reason], metadata, detailsOf(error, clock));
}

/** Any thrown value as a DiscoveryError: what is not one is a defect, whose text stays in the log. */
export function asDiscoveryError(thrown: unknown): DiscoveryError {
  if (thrown instanceof DiscoveryError) return thrown;
  return new DiscoveryError('INTERNAL', FAILED, { cause: thrown });
}
