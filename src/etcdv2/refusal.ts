import { Code, ConnectError } from '@connectrpc/connect';
import type { Member } from '../../gen/discovery/v1/cluster_pb.ts';
import { type ErrorDetail, ErrorDetailSchema, ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { type ErrorCode, MESSAGES, TOKEN_GOOD, type V2Error, v2Error } from './errors.ts';
import { keys } from './reply.ts';
import type { V2Request } from './request.ts';

/** How a refusal of the service reads in the v2 dialect. */
interface Row {
  readonly status: number;
  /** Nodes end at any 4xx and print it, but for 105 on their own registration: its words are lost. */
  readonly errorCode: ErrorCode;
  /** In place of etcd's message for the code. */
  readonly message?: string;
  /** The cause: the service's words, alone or with what to do next; or the key, as etcd has it. */
  readonly cause: 'WORDS' | 'WORDS_NEW_TOKEN' | 'WORDS_TOKEN_GOOD' | 'KEY';
}

// 5xx only for what a node does better to try again.
const ROWS = {
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
  [ErrorReason.CUSTOM_TOKEN_REFUSED]: { status: 403, errorCode: 110, cause: 'WORDS' },
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
  [ErrorReason.REVISION_COMPACTED]: { status: 400, errorCode: 401, cause: 'WORDS' },
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
} as const satisfies Record<(typeof ErrorReason)[keyof typeof ErrorReason], Row>;

/** What a failed call says. */
interface Refusal {
  readonly reason: keyof typeof ROWS;
  readonly words: string;
  readonly detail: ErrorDetail | undefined;
}

/** Whether a thrown value is something that nobody foresaw, for the log. */
export function isDefect(thrown: unknown): boolean {
  return !(thrown instanceof ConnectError);
}

/** The v2 error for whatever a call of the service threw. */
export function refuse(thrown: unknown, request: V2Request): V2Error {
  const refusal = refusalOf(thrown);
  const error = sameAddress(refusal, request) ?? translate(refusal, request);
  if (request.type === 'NEW') return { ...error, plain: true };
  return error.status >= 500 && endsNode(request) ? lastWords(error) : error;
}

function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof ConnectError) {
    const [detail] = thrown.findDetails(ErrorDetailSchema);
    // Logs escape double quotes.
    const words = thrown.rawMessage.replaceAll('"', "'");
    if (detail !== undefined) {
      const known = Object.hasOwn(ROWS, detail.reason);
      return { reason: known ? (detail.reason as keyof typeof ROWS) : ErrorReason.INTERNAL, words, detail };
    }
    if (thrown.code === Code.Unavailable || thrown.code === Code.DeadlineExceeded) {
      const words = 'the discovery service behind this gateway cannot be reached now; try again';
      return { reason: ErrorReason.STORE_UNAVAILABLE, words, detail };
    }
  }
  const words = 'the service failed to answer; its log says why, please report it';
  return { reason: ErrorReason.INTERNAL, words, detail: undefined };
}

function translate({ reason, words, detail }: Refusal, request: V2Request): V2Error {
  const row: Row = ROWS[reason];
  const error = v2Error(row.status, row.errorCode, words, {
    message: row.message ?? MESSAGES[row.errorCode],
    index: detail?.revision ?? 0n,
  });
  if (reason === ErrorReason.INVALID_ARGUMENT) return invalidArgument(error, detail, request);
  if (reason === ErrorReason.REVISION_MISMATCH) return compareFailed(error, detail?.member, request);
  switch (row.cause) {
    case 'WORDS':
      return error;
    case 'WORDS_NEW_TOKEN':
      return { ...error, newTokenSize: detail?.cluster?.size ?? 3 };
    case 'WORDS_TOKEN_GOOD':
      return { ...error, cause: `${words}; ${TOKEN_GOOD}` };
    case 'KEY':
      return { ...error, cause: keyOf(request) ?? words };
  }
}

/** A token that cannot be one names no key; what else is malformed is the node's own mistake. */
function invalidArgument(error: V2Error, detail: ErrorDetail | undefined, request: V2Request): V2Error {
  if (detail?.field === 'token' && request.type !== 'MAKE_TOKEN') {
    const cause = `${error.cause}; make a new one`;
    return v2Error(404, 100, cause, { index: error.index, newTokenSize: 3 });
  }
  return request.type === 'REGISTER' ? { ...error, cause: `${error.cause}; ${TOKEN_GOOD}` } : error;
}

/** In etcd's words, which programs that compare and swap may know. */
function compareFailed(error: V2Error, member: Member | undefined, request: V2Request): V2Error {
  if (request.type !== 'REGISTER' || request.condition.type !== 'COMPARE') return error;
  const { prevIndex } = request.condition;
  if (member === undefined || prevIndex === 0n) return error;
  return { ...error, cause: `[${prevIndex} != ${member.modRevision}]` };
}

/**
 * etcd makes a member's id of its peer URLs. So a node that has another node's URL comes with that node's id:
 * in the v2 dialect this, and not the id, is its mistake.
 */
function sameAddress({ reason, detail }: Refusal, request: V2Request): V2Error | undefined {
  const holder = detail?.member;
  if (reason !== ErrorReason.MEMBER_EXISTS || holder === undefined || request.type !== 'REGISTER') return;
  const url = request.member.peerUrls.find((wanted) =>
    holder.peerUrls.some((held) => held.toLowerCase() === wanted.toLowerCase()),
  );
  if (url === undefined || holder.name === request.member.name) return undefined;
  const { status, errorCode, message } = ROWS[ErrorReason.PEER_URL_TAKEN];
  const cause = `the peer URL ${url} is taken by the member '${holder.name}'; give this node other --initial-advertise-peer-urls, or --name ${holder.name} if it is that member; ${TOKEN_GOOD}`;
  return v2Error(status, errorCode, cause, { message, index: detail?.revision ?? 0n });
}

/** Whether a node that gets a 5xx for this gives up, without a word of it in its log. */
function endsNode(request: V2Request): boolean {
  if (request.type === 'REGISTER') return request.condition.type === 'CREATE';
  return request.type === 'WAIT' && typeof request.awaited === 'object';
}

function lastWords(error: V2Error): V2Error {
  return { ...error, status: 409, cause: `${error.cause}; ${TOKEN_GOOD}: start this node again` };
}

function keyOf(request: V2Request): string | undefined {
  if (!('token' in request)) return undefined;
  return 'id' in request ? keys.member(request.token, request.id) : keys.token(request.token);
}
