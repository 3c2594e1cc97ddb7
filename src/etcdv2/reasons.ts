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
export const ROWS = {
  [ErrorReason.UNSPECIFIED]: { status: 500, errorCode: 300, message: 'Internal error', cause: 'WORDS' },
  [ErrorReason.INVALID_ARGUMENT]: { status: 400, errorCode: 209, cause: 'WORDS' },
  [ErrorReason.TOKEN_NOT_FOUND]: { status: 404, errorCode: 100, cause: 'WORDS_NEW_TOKEN' },
  [ErrorReason.TOKEN_EXPIRED]: {
    status: 404,
    errorCode: 100,
    message: 'Token expired',
    cause: 'WORDS_NEW_TOKEN',
  },
  [ErrorReason.TOKEN_DELETED]: {
    status: 404,
    errorCode: 100,
    message: 'Token deleted',
    cause: 'WORDS_NEW_TOKEN',
  },
  [ErrorReason.TOKEN_EXISTS]: { status: 412, errorCode: 105, cause: 'WORDS' },
  [ErrorReason.CUSTOM_TOKEN_REFUSED]: { status: 403, errorCode: 110, cause: 'WORDS_NEW_TOKEN' },
  [ErrorReason.TOO_MANY_TOKENS]: {
    status: 429,
    errorCode: 110,
    message: 'Too many tokens',
    cause: 'WORDS',
  },
  [ErrorReason.MEMBER_NOT_FOUND]: { status: 404, errorCode: 100, cause: 'KEY' },
  [ErrorReason.MEMBER_EXISTS]: { status: 412, errorCode: 105, cause: 'KEY' },
  [ErrorReason.NAME_TAKEN]: {
    status: 412,
    errorCode: 101,
    message: 'Name is taken',
    cause: 'WORDS_TOKEN_GOOD',
  },
  [ErrorReason.PEER_URL_TAKEN]: {
    status: 412,
    errorCode: 101,
    message: 'Peer URL is taken',
    cause: 'WORDS_TOKEN_GOOD',
  },
  [ErrorReason.CLUSTER_FULL]: { status: 403, errorCode: 110, message: 'Cluster is full', cause: 'WORDS' },
  [ErrorReason.TOO_MANY_STANDBYS]: {
    status: 403,
    errorCode: 110,
    message: 'Cluster is full',
    cause: 'WORDS',
  },
  [ErrorReason.REJOIN_REFUSED]: { status: 412, errorCode: 101, message: 'Rejoin refused', cause: 'WORDS' },
  [ErrorReason.REVISION_MISMATCH]: { status: 412, errorCode: 101, cause: 'WORDS' },
  [ErrorReason.REVISION_COMPACTED]: { status: 400, errorCode: 401, cause: 'WORDS_TOKEN_GOOD' },
  [ErrorReason.SHUTTING_DOWN]: {
    status: 500,
    errorCode: 301,
    message: 'Service is stopping',
    cause: 'WORDS',
  },
  [ErrorReason.STORE_UNAVAILABLE]: {
    status: 500,
    errorCode: 300,
    message: 'Store is unavailable',
    cause: 'WORDS',
  },
  [ErrorReason.INTERNAL]: { status: 500, errorCode: 300, message: 'Internal error', cause: 'WORDS' },
  [ErrorReason.UNAUTHENTICATED]: {
    status: 401,
    errorCode: 110,
    message: 'Credentials needed',
    cause: 'WORDS',
  },
  [ErrorReason.FORBIDDEN]: { status: 403, errorCode: 110, message: 'Secret refused', cause: 'WORDS' },
  [ErrorReason.TOO_MANY_REQUESTS]: {
    status: 429,
    errorCode: 110,
    message: 'Too many requests',
    cause: 'WORDS',
  },
  [ErrorReason.CLUSTER_FORMED]: {
    status: 403,
    errorCode: 110,
    message: 'Cluster has formed',
    cause: 'WORDS',
  },
  [ErrorReason.TOKEN_WORN_OUT]: {
    status: 403,
    errorCode: 110,
    message: 'Token is worn out',
    cause: 'WORDS',
  },
  [ErrorReason.DISCOVERY_TEXT_DIFFERS]: {
    status: 412,
    errorCode: 101,
    message: 'Discovery text differs',
    cause: 'WORDS_TOKEN_GOOD',
  },
} as const satisfies Record<(typeof ErrorReason)[keyof typeof ErrorReason], Row>;
