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

/** What a failed call says. */
interface Refusal {
  readonly reason: keyof typeof ROWS;
  readonly words: string;
  readonly detail: ErrorDetail | undefined;
  /** When the service takes the call again, in ms; undefined when it does not say. */
  readonly retryAfter?: number | undefined;
}

/** Whether a client gets no word of a thrown value, which the log then must have. */
export function isDefect(thrown: unknown): boolean {
  return refusalOf(thrown) === undefined && !isUnreachable(thrown);
}

/** The v2 error for whatever a call of the service threw. */
export function refuse(thrown: unknown, request: V2Request): V2Error {
  const refusal = decode(thrown);
  const error = translate(refusal, request);
  if (request.type === 'NEW') return { ...error, plain: true };
  if (refusal.reason === ErrorReason.TOO_MANY_REQUESTS) return later(error, request);
  return error.status >= 500 && endsNode(request) ? lastWords(error) : error;
}

/** The v2 error for a request whose body is not read: where a value must be, any will do. */
export function refuseUnread(refusal: ConnectError, method: string, target: string): V2Error {
  const form = method === 'PUT' && !asksForNew(target) ? 'value=a=http://a:1' : '';
  const parsed = parseRequest({ method, target, form, otherBody: false });
  if (parsed.type !== 'ERROR') return refuse(refusal, parsed);
  return refuse(refusal, parsed.plain === true ? { type: 'NEW', size: 3 } : { type: 'VERSION' });
}

/** Why the service refused. */
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
    const words = 'the discovery service behind this gateway cannot be reached now; try again';
    return { reason: ErrorReason.STORE_UNAVAILABLE, words, detail };
  }
  return { reason: ErrorReason.INTERNAL, words: FAILED, detail: undefined };
}

/** Whether nobody answered the call. */
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
      // Its node would form another cluster than the one that runs.
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

/** Whether a node that gets a 5xx for this gives up, without a word of it in its log. */
function endsNode(request: V2Request): boolean {
  if (request.type === 'REGISTER') return request.condition.type === 'CREATE';
  return request.type === 'WAIT' && typeof request.awaited === 'object';
}

/** A node ends at any 4xx, and comes again by itself after a 5xx to what it reads. */
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
