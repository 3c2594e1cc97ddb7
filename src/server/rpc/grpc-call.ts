import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  type ContextValues,
  type HandlerContext,
  type MethodImplSpec,
} from '@connectrpc/connect';
import { type Http2Call, reachedUrl } from '../../port/port.ts';
import { grpcTimeoutMs } from './deadline.ts';
import { timeoutOf, webHeadersOf } from './grpc-head.ts';

/** Input is a message, or a stream of messages. */
export type Input = MessageShape<DescMessage> | AsyncIterable<MessageShape<DescMessage>>;

// Shared, because creating an error is most of its cost.
export const GONE = new ConnectError('the client canceled the call', Code.Canceled);
const OVER = new ConnectError('the call has ended', Code.Canceled);

/**
 * GrpcCall is one call as the handler sees it. Most handlers need only the message, so
 * whatever is expensive (headers, the signal, the URL) is created on demand.
 */
export class GrpcCall implements HandlerContext {
  /** Whether the client or the service may send several messages. */
  readonly stream: boolean;
  readonly method: MethodImplSpec['method'];
  readonly message: Input;
  readonly values: ContextValues;
  readonly protocolName = 'grpc';
  readonly #call: Http2Call;
  /** On the clock of `performance.now()`. */
  readonly #deadline: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #abort: AbortController | undefined;
  #requestHeader: Headers | undefined;
  #header: Headers | undefined;
  #trailer: Headers | undefined;

  constructor({ kind, method }: MethodImplSpec, message: Input, values: ContextValues, call: Http2Call) {
    this.stream = kind !== 'unary';
    this.method = method;
    this.message = message;
    this.values = values;
    this.#call = call;
    const timeout = timeoutOf(call.headers);
    const timeoutMs = timeout === null ? undefined : grpcTimeoutMs(timeout);
    this.#deadline = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
  }

  get service(): MethodImplSpec['method']['parent'] {
    return this.method.parent;
  }

  get contextValues(): ContextValues {
    return this.values;
  }

  get requestMethod(): string {
    return this.#call.method;
  }

  get url(): string {
    return new URL(this.#call.url, reachedUrl(this.#call)).href;
  }

  get header(): Headers {
    this.#requestHeader ??= webHeadersOf(this.#call.headers);
    return this.#requestHeader;
  }

  get requestHeader(): Headers {
    return this.header;
  }

  get responseHeader(): Headers {
    this.#header ??= new Headers();
    return this.#header;
  }

  get responseTrailer(): Headers {
    this.#trailer ??= new Headers();
    return this.#trailer;
  }

  /** Returns the headers and trailers that the handler has added, if any. */
  get additions(): { readonly header: Headers | undefined; readonly trailer: Headers | undefined } {
    return { header: this.#header, trailer: this.#trailer };
  }

  /** Returns the time left until the deadline, in whole ms as Connect does. */
  timeoutMs(): number | undefined {
    return this.#deadline === undefined ? undefined : Math.ceil(this.#deadline - performance.now());
  }

  /** Aborted when the client cancels the call, at its deadline, and when the call is over. */
  get signal(): AbortSignal {
    if (this.#abort !== undefined) return this.#abort.signal;
    const abort = new AbortController();
    this.#abort = abort;
    if (this.#call.stream.destroyed) abort.abort(GONE);
    else this.#call.onClose(() => this.end(GONE));
    const timeoutMs = this.timeoutMs();
    if (timeoutMs !== undefined) {
      const expire = (): void =>
        abort.abort(new ConnectError('the operation timed out', Code.DeadlineExceeded));
      if (timeoutMs <= 0) expire();
      else this.#timer = setTimeout(expire, timeoutMs);
    }
    return abort.signal;
  }

  /** Ends the call: nothing more is done for it. */
  end(reason = OVER): void {
    clearTimeout(this.#timer);
    this.#abort?.abort(reason);
  }
}
