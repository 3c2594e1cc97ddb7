import { constants } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import type { Connection } from './connection.ts';
import { guardHandshakes } from './handshakes.ts';
import { Http1Connection, type OnRequest } from './http1-connection.ts';
import type { PortLimits } from './limits.ts';
import { reasonByStatus } from './refusals.ts';
import { METHODS, type Refusal } from './reply.ts';
import type { PortSetup } from './setup.ts';
import { CIPHERS, type TlsIdentity } from './tls.ts';

/** Requests that are read before the first of them is begun: more are so old then that V8 moves them in memory. */
const READ_TOGETHER = 64;

export interface Http1 {
  /** The listener of the port. It hands no socket to HTTP/1 by itself. */
  readonly server: Server;
  /** The event by which it hands over a socket that HTTP can be spoken on. */
  readonly ready: 'connection' | 'secureConnection';
  adopt(socket: Socket): Connection;
  /** Proves itself with this from the next handshake on. */
  renew(tls: TlsIdentity): void;
}

/**
 * HTTP/1.0 and 1.1. A peer that closes its sending side is taken as gone (Node's default): a waiter whose
 * process died looks just so.
 */
export function createHttp1(setup: PortSetup, onRequest: OnRequest): Http1 {
  const { limits, tls, onRefused } = setup;
  const server = createListener(limits, tls);
  const ready = tls === undefined ? 'connection' : 'secureConnection';
  server.maxHeadersCount = 0; // Node would drop the rest in silence; the guard counts
  const connections = new WeakMap<Duplex, Http1Connection>();
  const listeners = server.listeners(ready) as ((this: Server, socket: Socket) => void)[];
  server.removeAllListeners(ready);
  if (tls !== undefined) guardHandshakes(server, setup);

  const beginSoon = readTogether(onRequest);
  const breakOff = (socket: Duplex, refusal: Refusal): void => {
    const connection = connections.get(socket);
    const why = reasonByStatus(refusal.status);
    // A socket that is broken off can have more bad bytes.
    if (connection?.breakOff(refusal) && why !== undefined) onRefused(why);
  };
  const begin = (request: IncomingMessage, response: ServerResponse): void => {
    setup.onArrival(request);
    connections.get(request.socket)?.begin(request, response);
  };
  // What a client expects is for the guard to refuse: Node would answer by itself.
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
      return connection;
    },
  };
}

/**
 * What a turn of the event loop brings is read first and then begun, so that the answers leave one after the other:
 * to read and answer by turns takes half as long again.
 */
function readTogether(onRequest: OnRequest): OnRequest {
  let come: [IncomingMessage, ServerResponse][] = [];
  const beginAll = (): void => {
    const all = come;
    come = [];
    // One that came after the sockets were read, late in the last turn, may be over by now: it would never end.
    for (const [request, response] of all) if (!response.destroyed) onRequest(request, response);
  };
  return (request, response) => {
    come.push([request, response]);
    if (come.length === 1) setImmediate(beginAll);
    else if (come.length === READ_TOGETHER) beginAll();
  };
}

function createListener(limits: PortLimits, tls: TlsIdentity | undefined): Server {
  const options = {
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
    // No client needs one, and each costs us more than it costs the client.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}

const NO_PROXY: Refusal = {
  status: 405,
  text: 'CONNECT is not allowed: this is not a proxy.',
  headers: { Allow: METHODS },
};

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
