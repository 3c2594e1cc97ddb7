import { ConnectError } from '@connectrpc/connect';
import { type ErrorDetail, ErrorDetailSchema } from '../../gen/discovery/v1/error_pb.ts';

/**
 * Why the service refused a call, with what a program needs to act on it. Undefined for whatever else was
 * thrown: nobody answered, or who answered was not the service.
 */
export function refusalOf(thrown: unknown): ErrorDetail | undefined {
  return thrown instanceof ConnectError ? thrown.findDetails(ErrorDetailSchema)[0] : undefined;
}
