import type { Server, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { PortLog } from './port-dispatch.ts';
import type { Protocol } from './sniff.ts';

/** Every scanner and every retry of a misled client makes failures: one line tells of them. */
const LOG_INTERVAL_MS = 60_000;

/** What is spoken over TLS: what the client chose, else HTTP/1.1. Undefined in clear text. */
export function protocolByAlpn(socket: Socket): Protocol | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  return socket.alpnProtocol === 'h2' ? 'http2' : 'http1';
}

/** Tells the operator why clients do not get through: they speak clear text, do not trust the certificate, ... */
export function logHandshakeFailures(server: Server, log: PortLog): void {
  let loggedAt = -LOG_INTERVAL_MS;
  server.on('tlsClientError', ({ reason }: Error & { readonly reason?: string }, socket: TLSSocket) => {
    const now = performance.now();
    // Those without a reason of TLS have left, or were cut off.
    if (reason === undefined || now - loggedAt < LOG_INTERVAL_MS) return;
    loggedAt = now;
    const what = reason === 'http request' ? 'a client spoke clear HTTP' : 'a TLS handshake failed';
    log.warn({ reason, remote: socket.remoteAddress }, `${what}; others are not told of for a minute`);
  });
}
