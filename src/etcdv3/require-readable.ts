import { Code, ConnectError } from '@connectrpc/connect';
import { invalid } from './errors.ts';

/**
 * The requests of a stream. One that is not the message that it should be is the client's mistake: whoever reads it
 * from the wire throws an internal error, which would be logged as a defect of the service.
 */
export async function* requireReadable<Request>(requests: AsyncIterable<Request>): AsyncGenerator<Request> {
  try {
    yield* requests;
  } catch (thrown) {
    const { code, rawMessage } = ConnectError.from(thrown);
    throw code === Code.Internal ? invalid(rawMessage) : thrown;
  }
}
