import { constants } from 'node:http2';
import { Answer } from './answer.ts';
import type { PortRequest, PortResponse } from './connection.ts';
import type { Http1Response, Http2Response } from './counted-response.ts';
import { checkRequest } from './guard.ts';
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
    this.running += 1;
    const answer = new Answer(request, response, this.setup);
    (response as Http1Response | Http2Response).answer = answer;
    response.on('close', () => {
      this.setup.unread.forget(answer);
      this.running -= 1;
      if (this.running === 0) this.onIdle?.();
    });
    // Without a listener, an error event would end the process: the peer is gone, or a handler wrote after
    // the end.
    response.on('error', ignore);
    const { limits, onRefused } = this.setup;
    const refusal = this.running > limits.requests ? BUSY : checkRequest(request, limits);
    if (refusal === undefined) return this.handle(request, response);
    const why = refusal === BUSY ? 'requests' : reasonByStatus(refusal.status);
    if (why !== undefined) onRefused(why);
    this.refuse(request, response, refusal);
  }

  private handle(request: PortRequest, response: PortResponse): void {
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
      const result = this.setup.handler(request, response);
      if (result instanceof Promise) result.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  private refuse(request: PortRequest, response: PortResponse, { status, text, headers }: Refusal): void {
    // The failed handler may have set headers that do not match the error, such as a length.
    for (const name of response.getHeaderNames()) {
      if (name !== 'connection' && name !== 'x-request-id') response.removeHeader(name);
    }
    const type = 'text/plain; charset=utf-8';
    const page = text === '' ? undefined : this.setup.errorPage(request, { status, text, type });
    const body = page?.body ?? (text === '' ? '' : `${text}\n`);
    const content =
      text === ''
        ? {}
        : { 'Content-Type': type, ...page?.headers, 'Content-Length': Buffer.byteLength(body) };
    response.writeHead(status, { ...content, ...NO_STORE, ...headers });
    response.end(body);
  }
}

/** A listener for errors of sockets and responses. Without one, they would end the process. */
export function ignore(): void {}

function isGone(request: PortRequest, response: PortResponse): boolean {
  if ('stream' in response) return response.stream.closed || response.stream.destroyed;
  return request.readableAborted || response.destroyed;
}

/** Node's errors of reading and writing have a code. A handler's defect has none and must be reported. */
const isOfStream = (error: unknown): boolean => error instanceof Error && 'code' in error;

/** Aborts the response: the only way left to show that it is incomplete. */
function cutOff(response: PortResponse): void {
  if ('stream' in response) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else response.destroy();
}
