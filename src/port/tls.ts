import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Protocol } from './sniff.ts';

/** What a server proves itself with: the contents of the files. */
export interface TlsIdentity {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** With it every client needs a certificate by one of these. */
  readonly clientCa?: Buffer;
  /** The certificates that these have taken back, each list in PEM: one for every CA. */
  readonly clientCrls?: readonly string[];
  /** Undefined: whatever names they have. */
  readonly clientNames?: readonly string[];
}

/** Those of TLS 1.3, and of TLS 1.2 those with forward secrecy and authenticated encryption: clients have had them since 2015. */
export const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** What is spoken over TLS: what the client chose, else HTTP/1.1. Undefined in clear text. */
export function protocolByAlpn(socket: Socket): Protocol | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  return socket.alpnProtocol === 'h2' ? 'http2' : 'http1';
}
