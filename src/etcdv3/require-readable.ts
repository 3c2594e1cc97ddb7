import { Code, ConnectError } from '@connectrpc/connect';
import { gone, invalid, isV3Defect } from './errors.ts';

/**
 * Yields the requests of a stream. A malformed message is the client's mistake, but decoding it throws an
 * internal error, which would be logged as a defect of the service. A client that disconnects is not a defect
 * either.
 */
export async function* requireReadable<Request>(requests: AsyncIterable<Request>): AsyncGenerator<Request> {
  try {
    yield* requests;
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    if (error.code === Code.Internal) throw invalid(error.rawMessage);
    throw isV3Defect(error) ? gone() : error;
  }
}
