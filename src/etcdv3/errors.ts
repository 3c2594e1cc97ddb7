import { Code, ConnectError } from '@connectrpc/connect';
import { type ReasonName, reasonOf, refusalOf } from '../client/refusal.ts';
import { V3_LIMITS } from '../limits.ts';
import { FAILED, STOPPING } from '../values/sentences.ts';

/**
 * Where etcd's dialect has another code than the API: its clients have no name for what exists already. etcd's client
 * repeats a call by itself on `Unavailable` only; a node that bootstraps tries again whatever the code is.
 */
const CODES: Partial<Record<ReasonName, Code>> = {
  TOKEN_EXISTS: Code.FailedPrecondition,
  MEMBER_EXISTS: Code.FailedPrecondition,
  NAME_TAKEN: Code.FailedPrecondition,
  PEER_URL_TAKEN: Code.FailedPrecondition,
};

/** What no client is told the words of: whatever is no error of a call, and a call that failed without a refusal. */
export function isDefect(thrown: unknown): boolean {
  if (!(thrown instanceof ConnectError)) return true;
  return refusalOf(thrown) === undefined && DEFECTS.includes(thrown.code);
}

const DEFECTS: readonly Code[] = [Code.Internal, Code.Unknown, Code.DataLoss];

/** The refusal as an etcd client is told of it. Its words stay the service's; a defect's stay in the log. */
export function refusal(thrown: unknown): ConnectError {
  if (isDefect(thrown) || !(thrown instanceof ConnectError)) return new ConnectError(FAILED, Code.Internal);
  const reason = reasonOf(thrown);
  const code = reason && CODES[reason];
  return code === undefined ? thrown : withCode(thrown, code);
}

/**
 * What etcd's client repeats by itself, with a pause. A node that is refused its watch in any other way takes it for
 * over, and begins the next one at once, and for ever.
 */
export function comeAgain(refused: ConnectError): ConnectError {
  return withCode(refused, Code.Unavailable);
}

function withCode({ rawMessage, metadata, details }: ConnectError, code: Code): ConnectError {
  const error = new ConnectError(rawMessage, code, metadata);
  error.details = details;
  return error;
}

/** Whether the service cannot be asked now: a client has to come again, to it or to its successor. */
export function isAway(thrown: unknown): boolean {
  const reason = reasonOf(thrown);
  return reason === 'SHUTTING_DOWN' || reason === 'STORE_UNAVAILABLE';
}

/**
 * Why a call is over whose signal was aborted. A client that goes may say anything with it (an INTERNAL_ERROR that
 * resets the stream, a connection that is reset): that is no failure of the service.
 */
export function endOf({ reason }: AbortSignal): ConnectError {
  const error = ConnectError.from(reason);
  return isDefect(error) ? gone() : error;
}

export function gone(): ConnectError {
  return new ConnectError('the client has ended the call', Code.Canceled);
}

/** The service stops: etcd's clients come again by themselves. */
export function away(): ConnectError {
  return new ConnectError(STOPPING, Code.Unavailable);
}

/** Keys that are not of one token. Words that say why, as nothing else of this store may be seen. */
export function outside(): ConnectError {
  return new ConnectError(
    'this is a discovery service, not a whole etcd: only the keys of one token can be reached, those under /_etcd/registry/TOKEN/',
    Code.PermissionDenied,
  );
}

/** Something of etcd's API that has no meaning for discovery, and what to do in its place, where there is that. */
export function unsupported(what: string, instead = ''): ConnectError {
  const hint = instead === '' ? '' : `; ${instead}`;
  return new ConnectError(`${what} is not supported by this discovery service${hint}`, Code.Unimplemented);
}

export function invalid(words: string): ConnectError {
  return new ConnectError(words, Code.InvalidArgument);
}

/** Others keep changing the key, faster than it can be looked at and written. */
export function tooContended(): ConnectError {
  return new ConnectError('the key changes faster than it can be written; try again', Code.Aborted);
}

/** The answer to a transaction would hold one list over and over. */
export function tooManyKeys(): ConnectError {
  return invalid(
    `the reads of a transaction answer at most ${V3_LIMITS.keysPerTransaction} keys together; read in several calls`,
  );
}

// etcd's own words: its clients know these errors by them.

/** A read at a revision whose state is no longer held. */
export function compacted(): ConnectError {
  return new ConnectError('etcdserver: mvcc: required revision has been compacted', Code.OutOfRange);
}

/** A read at a revision that is still to come. */
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

/** Why a watch does not begin. */
export const REASONS = {
  emptyRange: 'mvcc: watcher range is empty',
  takenId: 'mvcc: duplicate watch ID provided on the WatchStream',
} as const;

/** The answer to a name and password when nobody is asked for them; clients then go on without. */
export function authenticationIsOff(): ConnectError {
  return new ConnectError('etcdserver: authentication is not enabled', Code.FailedPrecondition);
}

/** A name and password that are not known. */
export function authenticationFailed(): ConnectError {
  return invalid('etcdserver: authentication failed, invalid user ID or password');
}
