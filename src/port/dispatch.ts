import { constants } from 'node:http2';
import { Answer } from './answer.ts';
import type { PortRequest, PortResponse } from './connection.ts';
import type { Http1Response, Http2Response } from './counted-response.ts';
import { checkRequest } from './guard.ts';
import { onClose, type RequestHead, type ResponseHead } from './heads.ts';
import { Http2Call } from './http2-call.ts';
import { reasonByStatus } from './refusals.ts';
import { NO_STORE, type Refusal } from './reply.ts';
import type { PortSetup } from './setup.ts';

/** The response above a limit of all clients. An etcd node that waits for its cluster retries any 5xx. */
export const BUSY: Refusal = {
  status: 503,
  text: 'The service has reached its limit on connections or concurrent requests. Try again in a few seconds.',
  headers: { 'Retry-After': '5' },
};

/** The response to a client above its own connection limit. Not a 4xx, which would end a node. */
export const CROWDED: Refusal = {
  status: 503,
  text: 'This client has reached its limit on connections. Close some, or try again in a few seconds.',
  headers: { 'Retry-After': '5' },
};

/** The response to a client with a valid certificate but without an allowed name. */
export const NOT_NAMED: Refusal = {
  status: 403,
  text: 'The service does not allow the name in this client certificate. Ask its operator.',
};

/** Dispatch validates requests before the handler and turns handler failures into 500s. */
export class Dispatch {
  private readonly setup: PortSetup;
  private running = 0;
  /** Called when the last request in flight has ended. */
  onIdle: (() => void) | undefined;

  constructor(setup: PortSetup) {
    this.setup = setup;
  }

  /** The number of requests without a complete response. */
  get inFlight(): number {
    return this.running;
  }

  request(request: PortRequest, response: PortResponse): void {
    // Without a listener, an error event would end the process: the peer is gone, or a handler wrote after
    // the end.
    response.on('error', ignore);
    const counted = response as Http1Response | Http2Response;
    this.admit(request, counted, () => this.setup.handler(request, response));
  }

  call(call: Http2Call): void {
    this.admit(call, call, () => this.setup.calls?.answer(call));
  }

  private admit(
    request: RequestHead,
    response: Http1Response | Http2Response | Http2Call,
    handle: () => unknown,
  ): void {
    this.running += 1;
    const answer = new Answer(request, response, this.setup);
    response.answer = answer;
    onClose(response, () => {
      this.setup.unread.forget(answer);
      this.running -= 1;
      if (this.running === 0) this.onIdle?.();
    });
    const { limits, onRefused } = this.setup;
    const refusal = this.running > limits.requests ? BUSY : checkRequest(request, limits);
    if (refusal === undefined) return this.handle(request, response, handle);
    const why = refusal === BUSY ? 'requests' : reasonByStatus(refusal.status);
    if (why !== undefined) onRefused(why);
    this.refuse(request, response, refusal);
  }

  private handle(request: RequestHead, response: ResponseHead, handle: () => unknown): void {
    const fail = (error: unknown): void => {
      if (isGone(request, response) && isOfStream(error)) return;
      this.setup.log.error({ err: error, method: request.method }, 'a request handler failed');
      if (response.headersSent) cutOff(response);
      else
        this.refuse(request, response, {
          status: 500,
          text: 'Internal error. The log of the service has the details.',
        });
    };
    try {
      const result = handle();
      if (result instanceof Promise) result.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  private refuse(request: RequestHead, response: ResponseHead, { status, text, headers }: Refusal): void {
    // The failed handler may have set headers that do not match the error, such as a length.
    for (const name of response.getHeaderNames()) {
      if (name !== 'connection' && name !== 'x-request-id') response.removeHeader(name);
    }
    const type = 'text/plain; charset=utf-8';
    // A call does not come from a browser.
    const isPlain = text === '' || request instanceof Http2Call;
    const page = isPlain ? undefined : this.setup.errorPage(request, { status, text, type });
    const body = page?.body ?? (text === '' ? '' : `${text}\n`);
    const content =
      text === ''
        ? {}
        : { 'Content-Type': type, ...page?.headers, 'Content-Length': Buffer.byteLength(body) };
    const head = { ...content, ...NO_STORE, ...headers };
    if (response instanceof Http2Call) {
      response.writeHead(status, head);
      response.end(body);
    } else response.writeHead(status, head).end(body);
  }
}

/** A listener for errors of sockets and responses. Without one, they would end the process. */
export function ignore(): void {}

function isGone(request: RequestHead, response: ResponseHead): boolean {
  if ('stream' in response) return response.stream.closed || response.stream.destroyed;
  return response.destroyed || ('readableAborted' in request && request.readableAborted);
}

/** Node's errors of reading and writing have a code. A handler's defect has none and must be reported. */
const isOfStream = (error: unknown): boolean => error instanceof Error && 'code' in error;

/** Aborts the response: the only way left to show that it is incomplete. */
function cutOff(response: ResponseHead): void {
  if ('stream' in response) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else response.destroy();
}
