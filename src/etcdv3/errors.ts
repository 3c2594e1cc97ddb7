import { Code, ConnectError } from '@connectrpc/connect';
import { type ReasonName, reasonOf, refusalOf } from '../client/refusal.ts';
import { V3_LIMITS } from '../limits.ts';
import { FAILED, STOPPING } from '../values/sentences.ts';

/**
 * Codes in which etcd's dialect differs from the API: its clients do not know already_exists. etcd's client
 * retries on `Unavailable` only; a node that bootstraps retries at any code.
 */
const CODES: Partial<Record<ReasonName, Code>> = {
  TOKEN_EXISTS: Code.FailedPrecondition,
  MEMBER_EXISTS: Code.FailedPrecondition,
  NAME_TAKEN: Code.FailedPrecondition,
  PEER_URL_TAKEN: Code.FailedPrecondition,
};

/**
 * Whether the message is kept from clients: a value that is not a call's error, or a call that failed without
 * a rejection.
 */
export function isV3Defect(thrown: unknown): boolean {
  if (!(thrown instanceof ConnectError)) return true;
  return refusalOf(thrown) === undefined && DEFECTS.includes(thrown.code);
}

const DEFECTS: readonly Code[] = [Code.Internal, Code.Unknown, Code.DataLoss];

/** Converts an error for etcd clients. The service's messages are kept; those of defects stay in the log. */
export function refusal(thrown: unknown): ConnectError {
  if (isV3Defect(thrown) || !(thrown instanceof ConnectError)) return new ConnectError(FAILED, Code.Internal);
  const reason = reasonOf(thrown);
  const code = reason && CODES[reason];
  return code === undefined ? thrown : withCode(thrown, code);
}

/**
 * Converts an error so that etcd's client retries, with a pause. A node whose watch ends with any other error
 * starts the next one at once, forever.
 */
export function comeAgain(refused: ConnectError): ConnectError {
  return withCode(refused, Code.Unavailable);
}

function withCode({ rawMessage, metadata, details }: ConnectError, code: Code): ConnectError {
  const error = new ConnectError(rawMessage, code, metadata);
  error.details = details;
  return error;
}

/** Whether the service is unavailable: the client must retry, with it or its successor. */
export function isAway(thrown: unknown): boolean {
  const reason = reasonOf(thrown);
  return reason === 'SHUTTING_DOWN' || reason === 'STORE_UNAVAILABLE';
}

/**
 * Returns why a call ended whose signal was aborted. A client that disconnects may cause any error (an
 * INTERNAL_ERROR that resets the stream, a connection reset): that is not a failure of the service.
 */
export function endOf({ reason }: AbortSignal): ConnectError {
  const error = ConnectError.from(reason);
  return isV3Defect(error) ? gone() : error;
}

export function gone(): ConnectError {
  return new ConnectError('the client canceled the call', Code.Canceled);
}

/** The service is stopping: etcd's clients retry by themselves. */
export function away(): ConnectError {
  return new ConnectError(STOPPING, Code.Unavailable);
}

/** Keys outside of one token. The message says why, because nothing else of this store is visible. */
export function outside(): ConnectError {
  return new ConnectError(
    'this is a discovery service, not a full etcd: a request can use only the keys of one token, under /_etcd/registry/TOKEN/',
    Code.PermissionDenied,
  );
}

/** A feature of etcd's API without a meaning for discovery, and its replacement if there is one. */
export function unsupported(what: string, instead = ''): ConnectError {
  const hint = instead === '' ? '' : `; ${instead}`;
  return new ConnectError(`${what} is not supported by this discovery service${hint}`, Code.Unimplemented);
}

export function invalid(words: string): ConnectError {
  return new ConnectError(words, Code.InvalidArgument);
}

/** Other writes keep changing the key, faster than it can be read and written. */
export function tooContended(): ConnectError {
  return new ConnectError('too many concurrent writes to this key; try again', Code.Aborted);
}

/** The response to a transaction would contain one list many times. */
export function tooManyKeys(): ConnectError {
  return invalid(
    `the reads of a transaction can return at most ${V3_LIMITS.keysPerTransaction} keys in total; use several calls`,
  );
}

// etcd's own messages: its clients recognise these errors by them.

/** A read at a revision whose state is no longer stored. */
export function compactedError(): ConnectError {
  return new ConnectError('etcdserver: mvcc: required revision has been compacted', Code.OutOfRange);
}

/** A read at a revision in the future. */
export function future(): ConnectError {
  return new ConnectError('etcdserver: mvcc: required revision is a future revision', Code.OutOfRange);
}

export function emptyKey(): ConnectError {
  return invalid('etcdserver: key is not provided');
}

export function invalidSort(): ConnectError {
  return invalid('etcdserver: invalid sort option');
}

export function tooManyOperations(): ConnectError {
  return invalid('etcdserver: too many operations in txn request');
}

export function duplicateKey(): ConnectError {
  return invalid('etcdserver: duplicate key given in txn request');
}

/** Why a watch is not created. */
export const REASONS = {
  emptyRange: 'mvcc: watcher range is empty',
  takenId: 'mvcc: duplicate watch ID provided on the WatchStream',
} as const;

/** The response to a name and password when authentication is off; clients then continue without. */
export function authenticationIsOff(): ConnectError {
  return new ConnectError('etcdserver: authentication is not enabled', Code.FailedPrecondition);
}

/** Invalid name or password. */
export function authenticationFailed(): ConnectError {
  return invalid('etcdserver: authentication failed, invalid user ID or password');
}
