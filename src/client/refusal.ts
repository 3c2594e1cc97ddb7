import { durationMs } from '@bufbuild/protobuf/wkt';
import { ConnectError } from '@connectrpc/connect';
import { type ErrorDetail, ErrorDetailSchema, ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { RetryInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';

/**
 * Returns the details of an error by which the service rejected a call. Undefined for any other error: the
 * service was unreachable, or something else answered.
 */
export function refusalOf(thrown: unknown): ErrorDetail | undefined {
  return thrown instanceof ConnectError ? thrown.findDetails(ErrorDetailSchema)[0] : undefined;
}

export type ReasonName = Exclude<keyof typeof ErrorReason, 'UNSPECIFIED'>;

const NAMES = new Map<number, ReasonName>(
  Object.entries(ErrorReason)
    .filter(([name]) => name !== 'UNSPECIFIED')
    .map(([name, reason]) => [reason, name as ReasonName]),
);

/**
 * Returns the name of the reason in the API. Undefined as above, and for a reason newer than this program.
 */
export function reasonOf(thrown: unknown): ReasonName | undefined {
  const detail = refusalOf(thrown);
  return detail === undefined ? undefined : NAMES.get(detail.reason);
}

/** Whether this program knows the reason. False for newer reasons. */
export function isKnown(reason: ErrorReason): boolean {
  return NAMES.has(reason);
}

/** Returns when the call may be retried, in ms from now. Undefined if the error does not say. */
export function retryAfterOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof ConnectError)) return undefined;
  const delay = thrown.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return delay === undefined ? undefined : durationMs(delay);
}
