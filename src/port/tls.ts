import type { Server, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { OnRefused } from './refusals.ts';
import type { Protocol } from './sniff.ts';
import { type Warner, warnRarely } from './warn-rarely.ts';

/** What a server proves itself with: the contents of the files. */
export interface TlsIdentity {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** With it every client needs a certificate by one of these. */
  readonly clientCa?: Buffer;
}

/** What is spoken over TLS: what the client chose, else HTTP/1.1. Undefined in clear text. */
export function protocolByAlpn(socket: Socket): Protocol | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  return socket.alpnProtocol === 'h2' ? 'http2' : 'http1';
}

type HandshakeError = Error & { readonly reason?: string; readonly code?: string };

/** Tells the operator why clients do not get through: they speak clear text, do not trust the certificate, ... */
export function tellHandshakeFailures(server: Server, log: Warner, onRefused: OnRefused): void {
  // Every scanner and every retry of a misled client makes failures.
  const warn = warnRarely(log);
  server.on('tlsClientError', ({ reason, code }: HandshakeError, socket: TLSSocket) => {
    if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') onRefused('slow_sender');
    // Those without a reason of TLS have left, or were cut off.
    if (reason === undefined) return;
    onRefused('handshake');
    const what = reason === 'http request' ? 'a client spoke clear HTTP' : 'a TLS handshake failed';
    warn({ reason, remote: socket.remoteAddress }, what);
  });
}
