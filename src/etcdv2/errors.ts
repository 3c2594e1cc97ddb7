/** A body that is too long, or too long on its way. */
export type Unread = 'TOO_LARGE' | 'TOO_SLOW';

/** A refusal in etcd's v2 form: `{"errorCode", "message", "cause", "index"}`. */
export interface V2Error {
  readonly type: 'ERROR';
  readonly status: number;
  readonly errorCode: number;
  /** What is wrong, in a word or two. A node prints `CODE: message (cause) [index]` in its log. */
  readonly message: string;
  /** For a person, on one line and without double quotes, which logs escape: the details, and what to do. */
  readonly cause: string;
  /** The store's revision; 0 when it was not asked. */
  readonly index: bigint;
  /** The size of the cluster to make a new token for: the reply ends the cause with the command. */
  readonly newTokenSize?: number;
  /** The methods that the path has, where the refused one is none of them. */
  readonly allow?: string;
  /** Whether the answer is bare text, as /new gives it. */
  readonly plain?: boolean;
  /** Why the body was not read to its end. */
  readonly unread?: Unread;
  /** When to come again, in ms. */
  readonly retryAfter?: number;
}

/** etcd's codes that are used here, with etcd's words for them. */
export const MESSAGES = {
  100: 'Key not found',
  101: 'Compare failed',
  102: 'Not a file',
  105: 'Key already exists',
  108: 'Directory not empty',
  110: 'Refused',
  201: 'PrevValue is Required in POST form',
  203: 'The given index in POST form is not a number',
  209: 'Invalid field',
  210: 'Invalid POST form',
  300: 'Raft Internal Error',
  301: 'During Leader Election',
  401: 'The event in requested index is outdated and cleared',
} as const satisfies Record<number, string>;

export type ErrorCode = keyof typeof MESSAGES;

/** A refusal with etcd's own message for its code, unless another is given. */
export function v2Error(
  status: number,
  errorCode: ErrorCode,
  cause: string,
  more: Partial<Pick<V2Error, 'message' | 'index' | 'newTokenSize' | 'allow' | 'plain' | 'unread'>> = {},
): V2Error {
  return { type: 'ERROR', status, errorCode, message: MESSAGES[errorCode], cause, index: 0n, ...more };
}

/** A parameter or a body that cannot be accepted as it is. */
export function invalidField(cause: string): V2Error {
  return v2Error(400, 209, cause);
}

/** A method that the path does not have. */
export function notAllowed(allow: string): V2Error {
  const cause = `this path takes ${allow.replaceAll(',', ', ')}`;
  return v2Error(405, 110, cause, { message: 'Method Not Allowed', allow });
}

/** What a mistake of one node leaves as it was; etcd's own next line says to get a new token, whatever happened. */
export const TOKEN_GOOD = 'the token is still good';

/** For nodes of etcd 0.4, whose discovery was another one. */
export const SINCE_ETCD_2 = 'upgrade etcd, as this service serves etcd 2.0 and later';
