import { durationMs } from '@bufbuild/protobuf/wkt';
import { ConnectError } from '@connectrpc/connect';
import { type ErrorDetail, ErrorDetailSchema, ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { RetryInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';

/**
 * Why the service refused a call, with what a program needs to act on it. Undefined for whatever else was
 * thrown: nobody answered, or who answered was not the service.
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

/** The reason by its name in the API. Undefined as above, and for a reason that is newer than this program. */
export function reasonOf(thrown: unknown): ReasonName | undefined {
  const detail = refusalOf(thrown);
  return detail === undefined ? undefined : NAMES.get(detail.reason);
}

/** Whether a reason is none that is newer than this program. */
export function isKnown(reason: ErrorReason): boolean {
  return NAMES.has(reason);
}

/** When the service takes the same call again, in ms from now. Undefined when it does not say. */
export function retryAfterOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof ConnectError)) return undefined;
  const delay = thrown.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return delay === undefined ? undefined : durationMs(delay);
}
