import { Code, type ConnectError } from '@connectrpc/connect';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { refusalOf } from './refusal.ts';

/** Whether the same call may succeed a little later. It says nothing of whether the call has had its effect. */
export function isTransient(error: ConnectError): boolean {
  const refusal = refusalOf(error);
  if (refusal !== undefined) {
    return refusal.reason === ErrorReason.SHUTTING_DOWN || refusal.reason === ErrorReason.STORE_UNAVAILABLE;
  }
  // A connection that was reset is `aborted` in Node.js; one that failed is a TypeError of fetch's.
  const codes = [Code.Unavailable, Code.Aborted, Code.DeadlineExceeded];
  return codes.includes(error.code) || error.cause instanceof TypeError;
}

/** Whether a stream that had begun was cut off on its way: any failure that is not an answer of the service's. */
export function isCutOff(error: ConnectError): boolean {
  const answers = [Code.Unauthenticated, Code.PermissionDenied, Code.Unimplemented];
  return isTransient(error) || (refusalOf(error) === undefined && !answers.includes(error.code));
}

const UNREACHED = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];

/** Whether the call certainly never reached a service. Only Node.js tells; a browser does not. */
export function wasNeverSent({ cause }: ConnectError): boolean {
  return (
    cause instanceof Error &&
    'code' in cause &&
    typeof cause.code === 'string' &&
    UNREACHED.includes(cause.code)
  );
}
