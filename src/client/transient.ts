import { Code, type ConnectError } from '@connectrpc/connect';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { backoffMs } from './backoff.ts';
import { isKnown, refusalOf, retryAfterOf } from './refusal.ts';

const TRANSIENT: readonly ErrorReason[] = [
  ErrorReason.SHUTTING_DOWN,
  ErrorReason.STORE_UNAVAILABLE,
  ErrorReason.TOO_MANY_REQUESTS,
];

/** Whether the same call may succeed a little later. It says nothing of whether the call has had its effect. */
export function isTransient(error: ConnectError): boolean {
  const refusal = refusalOf(error);
  // A reason that is newer than this program tells by its code.
  if (refusal !== undefined && isKnown(refusal.reason)) return TRANSIENT.includes(refusal.reason);
  // A connection that was reset is `aborted` in Node.js; one that failed is a TypeError of fetch's.
  const codes = [Code.Unavailable, Code.Aborted, Code.DeadlineExceeded];
  if (codes.includes(error.code) || error.cause instanceof TypeError) return true;
  // connect-node takes these for `internal`: a connection that was closed while it was idle, a host with no way to it.
  return networkCodeOf(error) === 'EPIPE' || wasNeverSent(error);
}

/** Whether a stream that had begun was cut off on its way: any failure that is not an answer of the service's. */
export function isCutOff(error: ConnectError): boolean {
  const answers = [Code.Unauthenticated, Code.PermissionDenied, Code.Unimplemented];
  return isTransient(error) || (refusalOf(error) === undefined && !answers.includes(error.code));
}

const UNREACHED = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];

/** How long to wait after the n-th failure in a row: a back-off, on top of what the service asks for. In ms. */
export function pauseAfter(error: ConnectError, failures: number): number {
  return (retryAfterOf(error) ?? 0) + backoffMs(failures);
}

/** Whether the call was refused before anything was done. */
export function wasTurnedAway(error: ConnectError): boolean {
  return refusalOf(error)?.reason === ErrorReason.TOO_MANY_REQUESTS;
}

/** Whether the call certainly never reached a service. Only Node.js tells; a browser does not. */
export function wasNeverSent(error: ConnectError): boolean {
  return UNREACHED.includes(networkCodeOf(error));
}

/** What Node.js calls a failure of the network, or nothing. */
function networkCodeOf({ cause }: ConnectError): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
}
