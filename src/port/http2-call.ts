import {
  Http2ServerRequest,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { Http2Response } from './counted-response.ts';
import type { Gate } from './gate.ts';
import { endUnread } from './http2-unread.ts';

const NO_HEADERS: readonly string[] = [];
const NO_TRAILERS: OutgoingHttpHeaders = {};
const AFTER_TRAILERS = { waitForTrailers: true };

/** The headers of nearly every call, because V8 looks up a name again each time it is put in lower case. */
const LOWER_CASE: ReadonlyMap<string, string> = new Map(
  ['X-Request-Id', 'Cache-Control', 'content-type'].map((name) => [name, name.toLowerCase()]),
);

/** Http2Pair is a request and its response as Node makes them. */
export interface Http2Pair {
  readonly request: Http2ServerRequest;
  readonly response: Http2Response;
}

/**
 * Http2Call is a request over HTTP/2 with a body, and its response, directly on their stream. Node's own objects
 * for them are a fifth of the work of a call.
 */
export class Http2Call {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  rawHeaders: readonly string[];
  /** The socket of the connection. */
  readonly socket: Socket;
  readonly httpVersion = '2.0';
  answer: Gate | undefined;
  readonly #head: Record<string, string | number> = {};
  #trailers: OutgoingHttpHeaders = NO_TRAILERS;
  #isEnded = false;
  #response: Http2Response | undefined;
  /** Calls every listener, in order. Not a list, because copying it for each listener takes ten times as long. */
  #onClose: (() => void) | undefined;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
    socket: Socket,
  ) {
    this.stream = stream;
    this.headers = headers;
    this.rawHeaders = rawHeaders;
    this.socket = socket;
    // One listener for all, because each costs a stream of node:http2 more than it does.
    stream.on('close', () => this.#onClose?.());
    // Without a listener, an error event would end the process: the peer is gone.
    stream.on('error', ignoreError);
  }

  get method(): string {
    return this.headers[':method'] ?? '';
  }

  get url(): string {
    return this.headers[':path'] ?? '';
  }

  set url(url: string) {
    this.headers[':path'] = url;
  }

  get authority(): string | undefined {
    return this.headers[':authority'] ?? this.headers.host;
  }

  get headersSent(): boolean {
    return this.stream.headersSent;
  }

  get statusCode(): number {
    return Number(this.stream.sentHeaders?.[':status'] ?? 200);
  }

  /** Whether the response was ended here, and not by the client's leaving. */
  get writableEnded(): boolean {
    return this.#isEnded || this.#response?.writableEnded === true;
  }

  onClose(listener: () => void): void {
    const before = this.#onClose;
    this.#onClose =
      before === undefined
        ? listener
        : () => {
            before();
            listener();
          };
  }

  getHeaderNames(): string[] {
    return Object.keys(this.#head);
  }

  setHeader(name: string, value: string): void {
    this.#head[lowerCase(name)] = value;
  }

  removeHeader(name: string): void {
    delete this.#head[name];
  }

  writeHead(status: number, headers: Readonly<Record<string, string | number>>): void {
    if (this.#isGone()) return;
    const head = this.#head;
    for (const name in headers) head[lowerCase(name)] = headers[name] ?? '';
    head[':status'] = status;
    this.stream.respond(head, AFTER_TRAILERS);
    // Only Node's own objects would need them again.
    this.rawHeaders = NO_HEADERS;
  }

  /** Sets the trailers to send after the body. */
  setTrailers(trailers: OutgoingHttpHeaders): void {
    this.#trailers = trailers;
  }

  /** Returns false if the client has to read before it gets more. */
  write(chunk: Buffer): boolean {
    return this.answer?.lets(chunk) !== false && this.stream.write(chunk);
  }

  end(chunk?: Buffer | string): void {
    if (this.#isGone() || this.answer?.lets(chunk) === false) return;
    this.#isEnded = true;
    const { stream } = this;
    stream.on('wantTrailers', () => stream.sendTrailers(this.#trailers));
    if (!stream.readableEnded) stream.on('finish', () => endUnread(stream));
    stream.end(chunk);
  }

  #isGone(): boolean {
    return this.stream.destroyed || this.stream.closed;
  }

  /** Returns Node's own objects for the same request. Call it once; from then on, only they may be used. */
  asPair(): Http2Pair {
    const request = new Http2ServerRequest(this.stream, this.headers, {}, this.rawHeaders);
    const response = new Http2Response(this.stream);
    response.answer = this.answer;
    for (const [name, value] of Object.entries(this.#head)) response.setHeader(name, value);
    this.#response = response;
    return { request, response };
  }
}

function lowerCase(name: string): string {
  return LOWER_CASE.get(name) ?? name.toLowerCase();
}

function ignoreError(): void {}
