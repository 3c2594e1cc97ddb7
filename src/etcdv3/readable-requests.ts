import { Code, ConnectError } from '@connectrpc/connect';
import { gone, invalid, isV3Defect } from './errors.ts';

/**
 * ReadableRequests are the requests of a stream. A malformed message is the client's mistake, but decoding it throws an
 * internal error, which would be logged as a defect of the service. A client that disconnects is not a defect
 * either.
 */
export class ReadableRequests<Request> implements AsyncIterableIterator<Request, undefined> {
  readonly #requests: AsyncIterator<Request>;

  constructor(requests: AsyncIterable<Request>) {
    this.#requests = requests[Symbol.asyncIterator]();
  }

  next(): Promise<IteratorResult<Request, undefined>> {
    return this.#requests.next().catch(unreadable);
  }

  /** Called when the reader leaves. */
  async return(): Promise<IteratorResult<Request, undefined>> {
    await this.#requests.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

function unreadable(thrown: unknown): never {
  const error = ConnectError.from(thrown);
  if (error.code === Code.Internal) throw invalid(error.rawMessage);
  throw isV3Defect(error) ? gone() : error;
}
