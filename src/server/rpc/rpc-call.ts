import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  type ContextValues,
  type HandlerContext,
  type MethodImplSpec,
} from '@connectrpc/connect';
import { isOver, onClose, type RequestHead, type ResponseHead, reachedUrl } from '../../port/port.ts';
import type { Work } from '../../work.ts';

export interface CallOptions {
  readonly readMaxBytes: number;
  /** Returns the work budget to which a call's response is charged. */
  readonly workOf: (values: ContextValues) => Work;
}

/** The common type of the four kinds of handlers. */
export type Handler = (input: Input, call: RpcCall) => unknown;

/** Input is a message, or a stream of messages. */
export type Input = MessageShape<DescMessage> | AsyncIterable<MessageShape<DescMessage>>;

/**
 * Shared, because creating an error is most of its cost, and on demand, because the first Headers in a process load all
 * of Node's fetch.
 */
function sharedError(message: string): () => ConnectError {
  let error: ConnectError | undefined;
  return () => (error ??= new ConnectError(message, Code.Canceled));
}

export const gone = sharedError('the client canceled the call');
const over = sharedError('the call has ended');

/** Arrival is a call as it has arrived. */
export interface Arrival {
  readonly request: RequestHead;
  readonly response: ResponseHead;
  readonly values: ContextValues;
  readonly protocolName: 'grpc' | 'connect';
  /** The time until its deadline, if it has one. */
  readonly timeoutMs: number | undefined;
}

/**
 * RpcCall is one call as the handler sees it. Most handlers need only the message, so
 * whatever is expensive (headers, the signal, the URL) is created on demand.
 */
export class RpcCall implements HandlerContext {
  /** Whether the client or the service may send several messages. */
  readonly stream: boolean;
  readonly method: MethodImplSpec['method'];
  readonly message: Input;
  readonly values: ContextValues;
  readonly protocolName: string;
  readonly #request: RequestHead;
  readonly #response: ResponseHead;
  /** On the clock of `performance.now()`. */
  readonly #deadline: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #abort: AbortController | undefined;
  #requestHeader: Headers | undefined;
  #header: Headers | undefined;
  #trailer: Headers | undefined;

  constructor(
    { kind, method }: MethodImplSpec,
    message: Input,
    { request, response, values, protocolName, timeoutMs }: Arrival,
  ) {
    this.stream = kind !== 'unary';
    this.method = method;
    this.message = message;
    this.values = values;
    this.protocolName = protocolName;
    this.#request = request;
    this.#response = response;
    this.#deadline = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
  }

  get service(): MethodImplSpec['method']['parent'] {
    return this.method.parent;
  }

  get contextValues(): ContextValues {
    return this.values;
  }

  get requestMethod(): string {
    return this.#request.method ?? '';
  }

  get url(): string {
    return new URL(this.#request.url ?? '', reachedUrl(this.#request)).href;
  }

  get header(): Headers {
    this.#requestHeader ??= webHeadersOf(this.#request.headers);
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
    if (isOver(this.#response)) abort.abort(gone());
    else onClose(this.#response, () => this.end(gone()));
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
  end(reason?: ConnectError): void {
    clearTimeout(this.#timer);
    this.#abort?.abort(reason ?? over());
  }
}

/** Returns the headers of a request, as handlers see them: without those of HTTP/2 itself. */
function webHeadersOf(headers: RequestHead['headers']): Headers {
  const web = new Headers();
  for (const [name, value = []] of Object.entries(headers)) {
    if (name.startsWith(':')) continue;
    for (const each of typeof value === 'string' ? [value] : value) web.append(name, each);
  }
  return web;
}
