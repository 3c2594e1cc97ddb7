import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import type { ErrorCode } from './errors.ts';

/** Row says how an error of the service appears in the v2 dialect. */
export interface Row {
  readonly status: number;
  /** Nodes exit at any 4xx and log it, except 105 for their own registration, whose text is lost. */
  readonly errorCode: ErrorCode;
  /** Replaces etcd's message for the code. */
  readonly message?: string;
  /** The cause: the service's message, alone or followed by what to do next; or the key, as in etcd. */
  readonly cause: 'WORDS' | 'WORDS_NEW_TOKEN' | 'WORDS_TOKEN_GOOD' | 'KEY';
}

/** All reasons of the service. 5xx only where a node should retry. */
export const ROWS: Readonly<Record<(typeof ErrorReason)[keyof typeof ErrorReason], Row>> = {
  [ErrorReason.UNSPECIFIED]: row(500, 300, 'WORDS', 'Internal error'),
  [ErrorReason.INVALID_ARGUMENT]: row(400, 209, 'WORDS'),
  [ErrorReason.TOKEN_NOT_FOUND]: row(404, 100, 'WORDS_NEW_TOKEN'),
  [ErrorReason.TOKEN_EXPIRED]: row(404, 100, 'WORDS_NEW_TOKEN', 'Token expired'),
  [ErrorReason.TOKEN_DELETED]: row(404, 100, 'WORDS_NEW_TOKEN', 'Token deleted'),
  [ErrorReason.TOKEN_EXISTS]: row(412, 105, 'WORDS'),
  [ErrorReason.CUSTOM_TOKEN_REFUSED]: row(403, 110, 'WORDS_NEW_TOKEN'),
  [ErrorReason.TOO_MANY_TOKENS]: row(429, 110, 'WORDS', 'Too many tokens'),
  [ErrorReason.MEMBER_NOT_FOUND]: row(404, 100, 'KEY'),
  [ErrorReason.MEMBER_EXISTS]: row(412, 105, 'KEY'),
  [ErrorReason.NAME_TAKEN]: row(412, 101, 'WORDS_TOKEN_GOOD', 'Name is taken'),
  [ErrorReason.PEER_URL_TAKEN]: row(412, 101, 'WORDS_TOKEN_GOOD', 'Peer URL is taken'),
  [ErrorReason.CLUSTER_FULL]: row(403, 110, 'WORDS', 'Cluster is full'),
  [ErrorReason.TOO_MANY_STANDBYS]: row(403, 110, 'WORDS', 'Cluster is full'),
  [ErrorReason.REJOIN_REFUSED]: row(412, 101, 'WORDS', 'Rejoin rejected'),
  [ErrorReason.REVISION_MISMATCH]: row(412, 101, 'WORDS'),
  [ErrorReason.REVISION_COMPACTED]: row(400, 401, 'WORDS_TOKEN_GOOD'),
  [ErrorReason.SHUTTING_DOWN]: row(500, 301, 'WORDS', 'Service is stopping'),
  [ErrorReason.STORE_UNAVAILABLE]: row(500, 300, 'WORDS', 'Store is unavailable'),
  [ErrorReason.INTERNAL]: row(500, 300, 'WORDS', 'Internal error'),
  [ErrorReason.UNAUTHENTICATED]: row(401, 110, 'WORDS', 'Credentials required'),
  [ErrorReason.FORBIDDEN]: row(403, 110, 'WORDS', 'Not authorized'),
  [ErrorReason.TOO_MANY_REQUESTS]: row(429, 110, 'WORDS', 'Too many requests'),
  [ErrorReason.CLUSTER_FORMED]: row(403, 110, 'WORDS', 'Cluster is complete'),
  [ErrorReason.TOKEN_WORN_OUT]: row(403, 110, 'WORDS', 'Token is worn out'),
  [ErrorReason.DISCOVERY_TEXT_DIFFERS]: row(412, 101, 'WORDS_TOKEN_GOOD', 'Discovery text differs'),
};

function row(status: number, errorCode: ErrorCode, cause: Row['cause'], message?: string): Row {
  return { status, errorCode, cause, ...(message !== undefined && { message }) };
}
