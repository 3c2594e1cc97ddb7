import { listOf } from '../values/list.ts';
/** UnreadReason says why a body was not read: too long, or too slow. */
export type UnreadReason = 'TOO_LARGE' | 'TOO_SLOW';

/** V2Error is an error in etcd's v2 format: `{"errorCode", "message", "cause", "index"}`. */
export interface V2Error {
  readonly type: 'ERROR';
  readonly status: number;
  readonly errorCode: number;
  /** A short description. A node logs `CODE: message (cause) [index]`. */
  readonly message: string;
  /** Details and what to do, for people: on one line and without double quotes, which logs escape. */
  readonly cause: string;
  /** The store's revision. 0 if the store was not read. */
  readonly index: bigint;
  /** The size for a new token: the response appends the command that creates one to the cause. */
  readonly newTokenSize?: number;
  /** The methods of the path, if the request's method is not one of them. */
  readonly allow?: string;
  /** Whether the response is plain text, as for /new. */
  readonly plain?: boolean;
  /** Why the body was not read completely. */
  readonly unread?: UnreadReason;
  /** When to retry, in ms. */
  readonly retryAfter?: number;
}

/** The etcd error codes used here, with etcd's messages. */
export const MESSAGES = {
  100: 'Key not found',
  101: 'Compare failed',
  102: 'Not a file',
  105: 'Key already exists',
  108: 'Directory not empty',
  110: 'Rejected',
  201: 'PrevValue is Required in POST form',
  203: 'The given index in POST form is not a number',
  209: 'Invalid field',
  210: 'Invalid POST form',
  300: 'Raft Internal Error',
  301: 'During Leader Election',
  401: 'The event in requested index is outdated and cleared',
} as const satisfies Record<number, string>;

export type ErrorCode = keyof typeof MESSAGES;

/** Returns an error with etcd's message for its code, unless another message is given. */
export function v2Error(
  status: number,
  errorCode: ErrorCode,
  cause: string,
  more: Partial<Pick<V2Error, 'message' | 'index' | 'newTokenSize' | 'allow' | 'plain' | 'unread'>> = {},
): V2Error {
  return { type: 'ERROR', status, errorCode, message: MESSAGES[errorCode], cause, index: 0n, ...more };
}

/** Returns the error for an invalid parameter or body. */
export function invalidField(cause: string): V2Error {
  return v2Error(400, 209, cause);
}

/** Returns the error for a method that the path does not have. */
export function notAllowed(allow: string): V2Error {
  const cause = `this path does not support the method; use ${listOf(allow.split(','), 'or')}`;
  return v2Error(405, 110, cause, { message: 'Method Not Allowed', allow });
}

/**
 * Appended to errors that do not spend the token, because etcd's next log line always says to get a new one.
 */
export const TOKEN_GOOD = 'the token is still valid';

/** For etcd 0.4 nodes, whose discovery protocol was different. */
export const SINCE_ETCD_2 = 'this service supports etcd 2.0 and later; upgrade etcd';
