import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import type { ErrorCode } from './errors.ts';

/** How a refusal of the service reads in the v2 dialect. */
export interface Row {
  readonly status: number;
  /** Nodes end at any 4xx and print it, but for 105 on their own registration: its words are lost. */
  readonly errorCode: ErrorCode;
  /** In place of etcd's message for the code. */
  readonly message?: string;
  /** The cause: the service's words, alone or with what to do next; or the key, as etcd has it. */
  readonly cause: 'WORDS' | 'WORDS_NEW_TOKEN' | 'WORDS_TOKEN_GOOD' | 'KEY';
}

/** Every reason of the service. A 5xx is only for what a node does better to try again. */
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
  [ErrorReason.REJOIN_REFUSED]: row(412, 101, 'WORDS', 'Rejoin refused'),
  [ErrorReason.REVISION_MISMATCH]: row(412, 101, 'WORDS'),
  [ErrorReason.REVISION_COMPACTED]: row(400, 401, 'WORDS_TOKEN_GOOD'),
  [ErrorReason.SHUTTING_DOWN]: row(500, 301, 'WORDS', 'Service is stopping'),
  [ErrorReason.STORE_UNAVAILABLE]: row(500, 300, 'WORDS', 'Store is unavailable'),
  [ErrorReason.INTERNAL]: row(500, 300, 'WORDS', 'Internal error'),
  [ErrorReason.UNAUTHENTICATED]: row(401, 110, 'WORDS', 'Credentials needed'),
  [ErrorReason.FORBIDDEN]: row(403, 110, 'WORDS', 'Secret refused'),
  [ErrorReason.TOO_MANY_REQUESTS]: row(429, 110, 'WORDS', 'Too many requests'),
  [ErrorReason.CLUSTER_FORMED]: row(403, 110, 'WORDS', 'Cluster has formed'),
  [ErrorReason.TOKEN_WORN_OUT]: row(403, 110, 'WORDS', 'Token is worn out'),
  [ErrorReason.DISCOVERY_TEXT_DIFFERS]: row(412, 101, 'WORDS_TOKEN_GOOD', 'Discovery text differs'),
};

function row(status: number, errorCode: ErrorCode, cause: Row['cause'], message?: string): Row {
  return { status, errorCode, cause, ...(message !== undefined && { message }) };
}
