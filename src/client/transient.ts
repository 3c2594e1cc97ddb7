import { Code, type ConnectError } from '@connectrpc/connect';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { backoffMs } from './backoff.ts';
import { isKnown, refusalOf, retryAfterOf } from './refusal.ts';

const TRANSIENT: readonly ErrorReason[] = [
  ErrorReason.SHUTTING_DOWN,
  ErrorReason.STORE_UNAVAILABLE,
  ErrorReason.TOO_MANY_REQUESTS,
];

/** Whether the same call may succeed a little later. It does not say whether the call took effect. */
export function isTransient(error: ConnectError): boolean {
  const refusal = refusalOf(error);
  // The code decides for a reason newer than this program.
  if (refusal !== undefined && isKnown(refusal.reason)) return TRANSIENT.includes(refusal.reason);
  // In Node.js a connection reset is `aborted`. A failed connection is a TypeError of fetch.
  const codes = [Code.Unavailable, Code.Aborted, Code.DeadlineExceeded];
  if (codes.includes(error.code) || error.cause instanceof TypeError) return true;
  // connect-node reports these as `internal`: an idle connection that was closed, and a host without a route.
  return networkCodeOf(error) === 'EPIPE' || wasNeverSent(error);
}

/** Whether an open stream was cut off on the way: any failure that is not a response of the service. */
export function isCutOff(error: ConnectError): boolean {
  const answers = [Code.Unauthenticated, Code.PermissionDenied, Code.Unimplemented];
  return isTransient(error) || (refusalOf(error) === undefined && !answers.includes(error.code));
}

const UNREACHED = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];

/**
 * Returns the delay in ms after the n-th consecutive failure: a backoff, plus the delay that the service asks
 * for.
 */
export function pauseAfter(error: ConnectError, failures: number): number {
  return (retryAfterOf(error) ?? 0) + backoffMs(failures);
}

/** Whether the call was rejected before it had any effect. */
export function wasTurnedAway(error: ConnectError): boolean {
  return refusalOf(error)?.reason === ErrorReason.TOO_MANY_REQUESTS;
}

/** Whether the call certainly never reached a service. Only Node.js can tell; browsers cannot. */
export function wasNeverSent(error: ConnectError): boolean {
  return UNREACHED.includes(networkCodeOf(error));
}

/** Returns Node.js's code of a network failure, or an empty string. */
function networkCodeOf({ cause }: ConnectError): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
}
