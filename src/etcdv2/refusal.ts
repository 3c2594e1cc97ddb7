import { Code, ConnectError } from '@connectrpc/connect';
import type { Member } from '../../gen/discovery/v1/cluster_pb.ts';
import { type ErrorDetail, ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { refusalOf, retryAfterOf } from '../client/refusal.ts';
import { FAILED } from '../values/sentences.ts';
import { MESSAGES, TOKEN_GOOD, type V2Error, v2Error } from './errors.ts';
import { parseRequest } from './parse.ts';
import { asksForNew } from './parse-new.ts';
import { ROWS, type Row } from './reasons.ts';
import { keys } from './reply.ts';
import type { V2Request } from './request.ts';

/** Refusal is the content of a failed call. */
interface Refusal {
  readonly reason: keyof typeof ROWS;
  readonly words: string;
  readonly detail: ErrorDetail | undefined;
  /** When the service accepts the call again, in ms. Undefined if it does not say. */
  readonly retryAfter?: number | undefined;
}

/** Whether the message of a thrown value is kept from the client, so that it must be logged. */
export function isDefect(thrown: unknown): boolean {
  return refusalOf(thrown) === undefined && !isUnreachable(thrown);
}

/** Converts whatever a call of the service threw to a v2 error. */
export function refuse(thrown: unknown, request: V2Request): V2Error {
  const refusal = decode(thrown);
  const error = translate(refusal, request);
  if (request.type === 'NEW') return { ...error, plain: true };
  if (refusal.reason === ErrorReason.TOO_MANY_REQUESTS) return later(error, request);
  return error.status >= 500 && endsNode(request) ? lastWords(error) : error;
}

/** Converts an error for a request whose body is not read. Where a value is required, any will do. */
export function refuseUnread(refusal: ConnectError, method: string, target: string): V2Error {
  const form = method === 'PUT' && !asksForNew(target) ? 'value=a=http://a:1' : '';
  const parsed = parseRequest({ method, target, form, otherBody: false });
  if (parsed.type !== 'ERROR') return refuse(refusal, parsed);
  return refuse(refusal, parsed.plain === true ? { type: 'NEW', size: 3 } : { type: 'VERSION' });
}

/** Returns why the service rejected the call. */
export function v2ReasonOf(thrown: unknown): keyof typeof ROWS {
  return decode(thrown).reason;
}

function decode(thrown: unknown): Refusal {
  const detail = refusalOf(thrown);
  if (detail !== undefined && thrown instanceof ConnectError) {
    const known = Object.hasOwn(ROWS, detail.reason);
    const reason = known ? (detail.reason as keyof typeof ROWS) : ErrorReason.INTERNAL;
    return { reason, words: thrown.rawMessage, detail, retryAfter: retryAfterOf(thrown) };
  }
  if (isUnreachable(thrown)) {
    const words = 'the gateway cannot reach the discovery service; try again';
    return { reason: ErrorReason.STORE_UNAVAILABLE, words, detail };
  }
  return { reason: ErrorReason.INTERNAL, words: FAILED, detail: undefined };
}

/** Whether the service could not be reached. */
function isUnreachable(thrown: unknown): boolean {
  return thrown instanceof ConnectError && UNREACHABLE.includes(thrown.code);
}

const UNREACHABLE: readonly Code[] = [Code.Unavailable, Code.DeadlineExceeded];

function translate({ reason, words, detail, retryAfter }: Refusal, request: V2Request): V2Error {
  const row: Row = ROWS[reason];
  const error = v2Error(row.status, row.errorCode, words, {
    message: row.message ?? MESSAGES[row.errorCode],
    index: detail?.revision ?? 0n,
    ...(retryAfter !== undefined && { retryAfter }),
  });
  if (reason === ErrorReason.INVALID_ARGUMENT) return invalidArgument(error, detail, request);
  if (reason === ErrorReason.REVISION_MISMATCH) return compareFailed(error, detail?.member, request);
  switch (row.cause) {
    case 'WORDS':
      return error;
    case 'WORDS_NEW_TOKEN':
      // A new token would lead its node into a different cluster than the running one.
      if (detail?.cluster?.formed === true) return error;
      return {
        ...error,
        newTokenSize: request.type === 'MAKE_TOKEN' ? request.size : (detail?.cluster?.size ?? 3),
      };
    case 'WORDS_TOKEN_GOOD':
      return { ...error, cause: `${words}; ${TOKEN_GOOD}` };
    case 'KEY':
      return { ...error, cause: keyOf(request) ?? words };
  }
}

/** A malformed token does not name a key; anything else that is malformed is the node's own mistake. */
function invalidArgument(error: V2Error, detail: ErrorDetail | undefined, request: V2Request): V2Error {
  if (detail?.field === 'token' && request.type !== 'MAKE_TOKEN') {
    const cause = `${error.cause}; create a new one`;
    return v2Error(404, 100, cause, { index: error.index, newTokenSize: 3 });
  }
  return request.type === 'REGISTER' ? { ...error, cause: `${error.cause}; ${TOKEN_GOOD}` } : error;
}

/** With etcd's message, which programs that compare and swap may rely on. */
function compareFailed(error: V2Error, member: Member | undefined, request: V2Request): V2Error {
  if (request.type !== 'REGISTER' || request.condition.type !== 'COMPARE') return error;
  const { prevIndex } = request.condition;
  if (member === undefined || prevIndex === 0n) return error;
  return { ...error, cause: `[${prevIndex} != ${member.modRevision}]` };
}

/** Whether a node gives up at a 5xx for this request without logging it. */
function endsNode(request: V2Request): boolean {
  if (request.type === 'REGISTER') return request.condition.type === 'CREATE';
  return request.type === 'WAIT' && typeof request.awaited === 'object';
}

/** A node exits at any 4xx, and retries reads after a 5xx. */
function later(error: V2Error, request: V2Request): V2Error {
  if (endsNode(request)) return { ...lastWords(error), status: error.status };
  return READS.includes(request.type) ? { ...error, status: 503, errorCode: 300 } : error;
}

const READS: ReadonlyArray<V2Request['type']> = ['GET_SIZE', 'GET_CONFIG', 'LIST', 'GET_MEMBER', 'WAIT'];

function lastWords(error: V2Error): V2Error {
  return { ...error, status: 409, cause: `${error.cause}; ${TOKEN_GOOD}: start this node again` };
}

function keyOf(request: V2Request): string | undefined {
  if (!('token' in request)) return undefined;
  return 'id' in request ? keys.member(request.token, request.id) : keys.token(request.token);
}
