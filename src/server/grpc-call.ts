import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import {
  type ContextValues,
  createHandlerContext,
  type HandlerContext,
  type MethodImplSpec,
  type UnaryRequest,
} from '@connectrpc/connect';
import { parseTimeout } from '@connectrpc/connect/protocol-grpc';
import { universalRequestFromNodeRequest } from '@connectrpc/connect-node';

export type UnarySpec = Extract<MethodImplSpec, { kind: 'unary' }>;

/**
 * One call, as interceptors and the handler see it. Nearly all of them want the message alone: what takes long to
 * make (headers, signals, the URL) is made when it is asked for, by Connect, and so is the same as Connect's own.
 */
export class UnaryCall implements UnaryRequest, HandlerContext {
  readonly stream = false;
  readonly message: MessageShape<DescMessage>;
  readonly values: ContextValues;
  readonly protocolName = 'grpc';
  readonly method: UnarySpec['method'];
  readonly #request: Http2ServerRequest;
  readonly #response: Http2ServerResponse;
  readonly #deadline: number | undefined;
  #made: ReturnType<typeof createHandlerContext> | undefined;

  constructor(
    { method }: UnarySpec,
    message: MessageShape<DescMessage>,
    values: ContextValues,
    request: Http2ServerRequest,
    response: Http2ServerResponse,
  ) {
    this.method = method;
    this.message = message;
    this.values = values;
    this.#request = request;
    this.#response = response;
    const { timeoutMs } = parseTimeout(timeoutOf(request), Number.POSITIVE_INFINITY);
    this.#deadline = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
  }

  /** The context, once somebody has needed it. */
  get made(): HandlerContext | undefined {
    return this.#made;
  }

  get service(): UnarySpec['method']['parent'] {
    return this.method.parent;
  }

  get contextValues(): ContextValues {
    return this.values;
  }

  get requestMethod(): string {
    return this.#request.method;
  }

  get url(): string {
    return this.#context().url;
  }

  get signal(): AbortSignal {
    return this.#context().signal;
  }

  get header(): Headers {
    return this.#context().requestHeader;
  }

  get requestHeader(): Headers {
    return this.#context().requestHeader;
  }

  get responseHeader(): Headers {
    return this.#context().responseHeader;
  }

  get responseTrailer(): Headers {
    return this.#context().responseTrailer;
  }

  timeoutMs(): number | undefined {
    return this.#deadline === undefined ? undefined : this.#deadline - performance.now();
  }

  /** Nothing more is done for this call: ends its deadline, and whatever listens to its signal. */
  end(reason?: unknown): void {
    this.#made?.abort(reason);
  }

  #context(): HandlerContext {
    if (this.#made !== undefined) return this.#made;
    const { url, header, signal } = universalRequestFromNodeRequest(
      this.#request,
      this.#response,
      undefined,
      this.values,
    );
    const timeoutMs = this.timeoutMs();
    this.#made = createHandlerContext({
      service: this.service,
      method: this.method,
      protocolName: this.protocolName,
      requestMethod: this.requestMethod,
      url,
      requestHeader: header,
      requestSignal: signal,
      ...(timeoutMs !== undefined && { timeoutMs }),
      contextValues: this.values,
    });
    // Its client went before there was a signal that could hear of it.
    if (this.#request.stream.destroyed) this.#made.abort();
    return this.#made;
  }
}

/** The deadline as the client wrote it; null when there is none. */
export function timeoutOf({ headers }: Http2ServerRequest): string | null {
  return headers['grpc-timeout']?.toString() ?? null;
}
