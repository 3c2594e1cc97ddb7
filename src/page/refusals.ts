import { ConnectError } from '@connectrpc/connect';
import type { Cluster } from '../../gen/discovery/v1/cluster_pb.ts';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { refusalOf, retryAfterOf } from '../client/refusal.ts';
import type { Reply } from './reply.ts';

/** PageRefusal says why the service rejected a call, as a page shows it. */
export interface PageRefusal {
  readonly reason: ErrorReason;
  /** The service's message. */
  readonly text: string;
  /** In its proto spelling. Empty if the error is not about a field. */
  readonly field: string;
  /** The cluster that has ended. */
  readonly cluster: Cluster | undefined;
}

/** Returns what was rejected. Undefined for network failures and defects. */
export function pageRefusalOf(thrown: unknown): PageRefusal | undefined {
  const detail = refusalOf(thrown);
  if (detail === undefined || !(thrown instanceof ConnectError)) return undefined;
  const { reason, field, cluster } = detail;
  return { reason, text: thrown.rawMessage, field, cluster };
}

/** Adds the retry delay to a reply, if the error has one. */
export function sayWhen(reply: Reply, refused: unknown): Reply {
  const retryAfter = retryAfterOf(refused);
  if (retryAfter === undefined) return reply;
  return { ...reply, headers: { ...reply.headers, 'Retry-After': String(Math.ceil(retryAfter / 1000)) } };
}

interface Row {
  /** The HTTP status. */
  readonly status: number;
  readonly title: string;
  /** Replaces the service's message. */
  readonly lead?: string;
  readonly advice: string;
}

const COMPARE = 'Check the address: it must exactly match the one that you received.';
const NOT_NOW = 'No data was lost. Reload this page in a moment.';
// For reasons of calls that the page does not make.
const OTHER: Row = {
  status: 400,
  title: 'Request rejected',
  advice: 'Check the address, or go back to the home page.',
};

/** The page's only table of reasons: the status, and what to do. */
const REFUSALS = {
  [ErrorReason.UNSPECIFIED]: OTHER,
  [ErrorReason.INVALID_ARGUMENT]: {
    status: 400,
    title: 'Not a valid token',
    advice: COMPARE,
  },
  [ErrorReason.TOKEN_NOT_FOUND]: {
    status: 404,
    title: 'Token not found',
    lead: 'The address is mistyped, or the token was never created here or ended long ago.',
    advice: `${COMPARE} A node that was started with this token reports the same error in its log.`,
  },
  [ErrorReason.TOKEN_EXPIRED]: { status: 410, title: 'This token has expired', advice: 'Create a new one.' },
  [ErrorReason.TOKEN_DELETED]: { status: 410, title: 'This token was deleted', advice: 'Create a new one.' },
  [ErrorReason.TOO_MANY_TOKENS]: {
    status: 503,
    title: 'Too many tokens',
    advice:
      'Ask the operator of this service to raise the limit, or try again when old tokens have been removed.',
  },
  [ErrorReason.SHUTTING_DOWN]: { status: 503, title: 'The service is restarting', advice: NOT_NOW },
  [ErrorReason.STORE_UNAVAILABLE]: {
    status: 503,
    title: 'The service cannot reach its data',
    advice: NOT_NOW,
  },
  [ErrorReason.INTERNAL]: { status: 500, title: 'The service failed', advice: NOT_NOW },
  [ErrorReason.UNAUTHENTICATED]: {
    status: 401,
    title: 'Secret required',
    lead: 'Enter the secret of the token, or your own secret for this service, to see the cluster.',
    advice:
      'The person who created the token has its secret. The operator of this service issues secrets for the service.',
  },
  [ErrorReason.FORBIDDEN]: {
    status: 403,
    title: 'Wrong secret',
    lead: 'This secret does not let you see the cluster.',
    advice: 'Check the secret, or ask the person who created the token.',
  },
  [ErrorReason.TOO_MANY_REQUESTS]: { status: 429, title: 'Too many requests', advice: NOT_NOW },
  [ErrorReason.TOKEN_EXISTS]: OTHER,
  [ErrorReason.CUSTOM_TOKEN_REFUSED]: OTHER,
  [ErrorReason.MEMBER_NOT_FOUND]: OTHER,
  [ErrorReason.MEMBER_EXISTS]: OTHER,
  [ErrorReason.NAME_TAKEN]: OTHER,
  [ErrorReason.PEER_URL_TAKEN]: OTHER,
  [ErrorReason.CLUSTER_FULL]: OTHER,
  [ErrorReason.TOO_MANY_STANDBYS]: OTHER,
  [ErrorReason.REJOIN_REFUSED]: OTHER,
  [ErrorReason.REVISION_MISMATCH]: OTHER,
  [ErrorReason.REVISION_COMPACTED]: OTHER,
  [ErrorReason.CLUSTER_FORMED]: OTHER,
  [ErrorReason.TOKEN_WORN_OUT]: OTHER,
  [ErrorReason.DISCOVERY_TEXT_DIFFERS]: OTHER,
} as const satisfies Record<(typeof ErrorReason)[keyof typeof ErrorReason], Row>;

/** Returns the row of a reason. A reason newer than this table gets the same row as unused ones. */
export function rowOf(reason: ErrorReason): Row {
  return (REFUSALS as Readonly<Record<number, Row>>)[reason] ?? OTHER;
}
