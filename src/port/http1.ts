import { constants } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import type { Connection } from './connection.ts';
import { Http1Response } from './counted-response.ts';
import { guardHandshakes } from './handshakes.ts';
import { Http1Connection, type OnRequest } from './http1-connection.ts';
import type { PortLimits } from './limits.ts';
import { reasonByStatus } from './refusals.ts';
import { METHODS, type Refusal } from './reply.ts';
import type { PortSetup } from './setup.ts';
import { CIPHERS, type TlsIdentity } from './tls.ts';
import type { Turns } from './turns.ts';

/** Requests that are read before the first of them is begun: more are so old then that V8 moves them in memory. */
const READ_TOGETHER = 64;

/** Of those, begun together. */
const BEGUN_TOGETHER = 8;

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

  const beginSoon = readTogether(onRequest, setup.turns);
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
 * to read and answer by turns takes half as long again. A few are begun in a callback, as what one of them makes ready
 * is done after it: only then is known how long it takes.
 */
function readTogether(onRequest: OnRequest, turns: Turns): OnRequest {
  const come: [IncomingMessage, ServerResponse][] = [];
  const beginOne = (): void => {
    const [request, response] = come.shift() ?? [];
    // One that came after the sockets were read, late in the last turn, may be over by now: it would never end.
    if (request !== undefined && response?.destroyed === false) onRequest(request, response);
  };
  const beginSome = (): void => {
    const hasTime = turns.hasTime();
    for (let count = Math.min(BEGUN_TOGETHER, come.length - queued); count > 0; count -= 1) {
      if (hasTime) beginOne();
      else beginInTurn();
    }
  };
  let queued = 0;
  const beginInTurn = (): void => {
    queued += 1;
    turns.later(() => {
      queued -= 1;
      beginOne();
    });
  };
  return (request, response) => {
    come.push([request, response]);
    const fresh = come.length - queued;
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
    requireHostHeader: false, // the guard says it in words
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
