import { Code, ConnectError } from '@connectrpc/connect';
import { gone, invalid, isDefect } from './errors.ts';

/**
 * The requests of a stream. One that is not the message that it should be is the client's mistake: whoever reads it
 * from the wire throws an internal error, which would be logged as a defect of the service. Nor is it one when the
 * client breaks off.
 */
export async function* requireReadable<Request>(requests: AsyncIterable<Request>): AsyncGenerator<Request> {
  try {
    yield* requests;
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    if (error.code === Code.Internal) throw invalid(error.rawMessage);
    throw isDefect(error) ? gone() : error;
  }
}
