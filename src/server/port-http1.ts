import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Connection, StallClock } from './port-connection.ts';
import type { PortLimits } from './port-limits.ts';
import { type Refusal, refuseAndClose } from './port-reply.ts';

export interface Http1 {
  /** The listener of the port. It hands no accepted socket to HTTP/1 by itself. */
  readonly server: Server;
  adopt(socket: Socket): Connection;
}

/**
 * HTTP/1.0 and 1.1. A peer that closes its sending side is taken as gone (Node's default): a waiter whose
 * process died looks just so.
 */
export function createHttp1(
  limits: PortLimits,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): Http1 {
  const server = createServer({
    headersTimeout: limits.headersTimeout,
    requestTimeout: limits.requestTimeout,
    keepAliveTimeout: limits.keepAliveTimeout,
    connectionsCheckingInterval: limits.sweepInterval,
    maxHeaderSize: limits.headerBytes,
    requireHostHeader: false, // the guard says it in words
    insecureHTTPParser: false,
    keepAlive: true,
    keepAliveInitialDelay: limits.tcpKeepAlive,
    noDelay: true,
  });
  server.maxHeadersCount = 0; // Node would drop the rest in silence; the guard counts
  const connections = new WeakMap<Duplex, Http1Connection>();
  const listeners = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
  server.removeAllListeners('connection');

  server.on('request', (request, response) => {
    const connection = connections.get(request.socket);
    if (connection === undefined || !connection.begin(request, response)) request.socket.destroy();
    else onRequest(request, response);
  });
  server.on('clientError', (error: ParseError, socket) => {
    const refusal = refusalFor(error);
    const answerable = connections.get(socket)?.answerable ?? false;
    if (refusal === undefined || !answerable) socket.destroy();
    else refuseAndClose(socket, refusal, limits.lingerTimeout);
  });
  server.on('connect', (_request, socket) => {
    const text = 'CONNECT is not allowed: this is not a proxy.';
    refuseAndClose(socket, { status: 405, text, headers: { Allow: 'GET' } }, limits.lingerTimeout);
  });

  return {
    server,
    adopt(socket) {
      const connection = new Http1Connection(socket, limits);
      connections.set(socket, connection);
      for (const listener of listeners) listener.call(server, socket);
      return connection;
    },
  };
}

class Http1Connection implements Connection {
  private readonly socket: Socket;
  private readonly limits: PortLimits;
  private readonly exchanges = new Map<ServerResponse, IncomingMessage>();
  private readonly stall = new StallClock();
  private idleSince = performance.now();
  private draining = false;

  constructor(socket: Socket, limits: PortLimits) {
    this.socket = socket;
    this.limits = limits;
    socket.once('close', () => {
      // Node tells only the response whose turn it is; pipelined ones behind it would wait for ever.
      for (const response of this.exchanges.keys()) {
        if (response.socket === null) response.destroy().emit('close');
      }
      this.exchanges.clear();
    });
  }

  get inFlight(): number {
    return this.exchanges.size;
  }

  /** Whether bytes written now would be read as the answer to what the peer is just sending. */
  get answerable(): boolean {
    if (this.exchanges.size > 1) return false;
    for (const [response, request] of this.exchanges)
      if (response.headersSent || request.complete) return false;
    return true;
  }

  /** Counts a request in. False: the peer sends requests without waiting for answers, past all reason. */
  begin(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.exchanges.size >= this.limits.pipelined) return false;
    this.exchanges.set(response, request);
    if (this.draining) response.setHeader('Connection', 'close');
    response.once('close', () => {
      this.exchanges.delete(response);
      this.idleSince = performance.now();
      // A response that began before the drain has promised to keep the connection.
      if (this.draining && this.exchanges.size === 0) this.socket.destroySoon();
    });
    return true;
  }

  sweep(now: number): void {
    const { keepAliveTimeout, headersTimeout, stallTimeout } = this.limits;
    const stalled = this.stall.look(this.socket.writableLength, now) > stallTimeout;
    // Node's own time-outs end an idle connection earlier, unless the peer keeps it up with empty lines.
    const idle = this.exchanges.size === 0 && now - this.idleSince > keepAliveTimeout + headersTimeout;
    if (stalled || idle) this.socket.destroy();
  }

  drain(): void {
    this.draining = true;
    if (this.exchanges.size === 0) this.socket.destroySoon();
    for (const response of this.exchanges.keys()) {
      if (!response.headersSent) response.setHeader('Connection', 'close');
    }
  }
}

type ParseError = Error & { readonly code?: string; readonly reason?: string };

/** What to say to a peer whose bytes cannot be taken. Undefined: it is gone. */
function refusalFor({ code = '', reason }: ParseError): Refusal | undefined {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, text: 'Request timeout: the request did not arrive in time.' };
    case 'HPE_HEADER_OVERFLOW':
      return {
        status: 431,
        text: 'The request line and headers are too large: at most 16 KiB are accepted.',
      };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: 413, text: 'The chunk extensions are too large.' };
    default:
      if (!code.startsWith('HPE_')) return undefined;
      return {
        status: 400,
        text: `Bad request: this is not valid HTTP (${reason ?? 'it cannot be parsed'}).`,
      };
  }
}
