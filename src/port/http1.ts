import { constants } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import type { Connection } from './connection.ts';
import { Http1Response } from './counted-response.ts';
import { ignore } from './dispatch.ts';
import { guardHandshakes } from './handshakes.ts';
import { Http1Connection, type OnRequest } from './http1-connection.ts';
import type { PortLimits } from './limits.ts';
import { reasonByStatus } from './refusals.ts';
import { METHODS, type Refusal } from './reply.ts';
import type { PortSetup } from './setup.ts';
import { CIPHERS, type TlsIdentity } from './tls.ts';
import type { Turns } from './turns.ts';

/**
 * The number of requests read before the first is handled. With more, V8 would move them in memory before
 * they are used.
 */
const READ_TOGETHER = 64;

/** The number of these handled in one callback. */
const BEGUN_TOGETHER = 8;

export interface Http1 {
  /** The listener of the port. It does not pass sockets to HTTP/1 by itself. */
  readonly server: Server;
  /** The event with which the listener emits a socket that is ready for HTTP. */
  readonly ready: 'connection' | 'secureConnection';
  adopt(socket: Socket): Connection;
  /** Uses this identity from the next handshake on. */
  renew(tls: TlsIdentity): void;
}

/**
 * Serves HTTP/1.0 and 1.1. A peer that closes its sending side counts as gone (Node's default), because a
 * waiting node whose process died looks the same.
 */
export function createHttp1(setup: PortSetup, onRequest: OnRequest): Http1 {
  const { limits, tls, onRefused } = setup;
  const server = createListener(limits, tls);
  const ready = tls === undefined ? 'connection' : 'secureConnection';
  server.maxHeadersCount = 0; // Node would drop the rest silently; the guard counts
  const connections = new WeakMap<Duplex, Http1Connection>();
  const listeners = server.listeners(ready) as ((this: Server, socket: Socket) => void)[];
  server.removeAllListeners(ready);
  if (tls !== undefined) guardHandshakes(server, setup);

  const beginSoon = readTogether(onRequest, setup.turns);
  const breakOff = (socket: Duplex, refusal: Refusal): void => {
    const connection = connections.get(socket);
    const why = reasonByStatus(refusal.status);
    // After the connection has been broken off, the socket can still deliver bad bytes.
    if (connection?.breakOff(refusal) && why !== undefined) onRefused(why);
  };
  const begin = (request: IncomingMessage, response: ServerResponse): void => {
    setup.onArrival(request);
    connections.get(request.socket)?.begin(request, response);
  };
  // The guard rejects unknown expectations; Node would answer by itself.
  server.on('request', begin).on('checkExpectation', begin);
  server.on('clientError', (error: ParseError, socket) => {
    const refusal = refusalFor(error);
    if (refusal === undefined) socket.destroy();
    else breakOff(socket, refusal);
  });
  server.on('connect', (_request, socket) => breakOff(socket, NO_PROXY));

  return {
    server,
    ready,
    renew(identity) {
      if (server instanceof TlsServer) server.setSecureContext(secureOptions(identity));
    },
    adopt(socket) {
      const connection = new Http1Connection(socket, setup, beginSoon);
      connections.set(socket, connection);
      for (const listener of listeners) listener.call(server, socket);
      // With another listener, Node.js parses what the socket emits, not what its handle reads. Reason: when a
      // request arrives while the last response still waits for the client, Node.js pauses the parser after the
      // request's head, but a TLS handle continues with the records that it already has, and the parser rejects
      // the body in them. Remove when it is not rejected (test: paused-tls).
      if (tls !== undefined) socket.on('data', ignore);
      return connection;
    },
  };
}

/**
 * Reads all requests of one event-loop turn before handling any, so that responses are written back to back;
 * alternating takes half as long again. Each callback handles only a few, because what they make ready runs
 * after it, and only then is their duration known.
 */
function readTogether(onRequest: OnRequest, turns: Turns): OnRequest {
  const come: [IncomingMessage, ServerResponse][] = [];
  const beginOne = (): void => {
    const [request, response] = come.shift() ?? [];
    // A request that arrived late in the last turn may already be over: its response would never end.
    if (request !== undefined && response?.destroyed === false) onRequest(request, response);
  };
  const beginSome = (): void => {
    let count = Math.min(BEGUN_TOGETHER, come.length - turns.shortWaiting);
    for (const hasTime = turns.hasTime(count); count > 0; count -= 1) {
      if (hasTime) beginOne();
      else turns.shortLater(beginOne);
    }
  };
  return (request, response) => {
    come.push([request, response]);
    const fresh = come.length - turns.shortWaiting;
    if (fresh % BEGUN_TOGETHER === 1) setImmediate(beginSome);
    if (fresh >= READ_TOGETHER) beginSome();
  };
}

function createListener(limits: PortLimits, tls: TlsIdentity | undefined): Server {
  const options = {
    headersTimeout: limits.headersTimeout,
    requestTimeout: limits.requestTimeout,
    keepAliveTimeout: limits.keepAliveTimeout,
    connectionsCheckingInterval: limits.sweepInterval,
    maxHeaderSize: limits.headerBytes,
    requireHostHeader: false, // the guard returns a readable error
    insecureHTTPParser: false,
    ServerResponse: Http1Response as typeof ServerResponse,
    keepAlive: true,
    keepAliveInitialDelay: limits.tcpKeepAlive,
    noDelay: true,
  };
  if (tls === undefined) return createServer(options);
  return createTlsServer({
    ...options,
    ...secureOptions(tls),
    requestCert: tls.clientCa !== undefined,
    rejectUnauthorized: true,
    ALPNProtocols: ['h2', 'http/1.1'],
    handshakeTimeout: limits.handshakeTimeout,
  });
}

function secureOptions({ cert, key, clientCa, clientCrls }: TlsIdentity): SecureContextOptions {
  return {
    cert,
    key,
    ...(clientCa !== undefined && { ca: clientCa }),
    ...(clientCrls !== undefined && { crl: [...clientCrls] }),
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    // No client needs renegotiation, and it costs the service more than the client.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}

const NO_PROXY: Refusal = {
  status: 405,
  text: 'CONNECT is not allowed: this is not a proxy.',
  headers: { Allow: METHODS },
};

type ParseError = Error & { readonly code?: string; readonly reason?: string };

/** Returns the error for a peer whose bytes cannot be parsed. Undefined: the peer is gone. */
function refusalFor({ code = '', reason }: ParseError): Refusal | undefined {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, text: 'Request timeout: the request did not arrive in time.' };
    case 'HPE_HEADER_OVERFLOW':
      return {
        status: 431,
        text: 'Request line and headers too large: at most 16 KiB are accepted.',
      };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: 413, text: 'Chunk extensions too large.' };
    default:
      if (!code.startsWith('HPE_')) return undefined;
      return {
        status: 400,
        text: `Bad request: this is not valid HTTP (${reason ?? 'it cannot be parsed'}).`,
      };
  }
}
