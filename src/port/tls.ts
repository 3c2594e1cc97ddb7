import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Protocol } from './sniff.ts';

/** TlsIdentity is the contents of a server's TLS files. */
export interface TlsIdentity {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** With it, every client needs a certificate signed by one of these CAs. */
  readonly clientCa?: Buffer;
  /** The certificates that these CAs have revoked: one list in PEM for each CA. */
  readonly clientCrls?: readonly string[];
  /** The allowed names of client certificates. Undefined: any name. */
  readonly clientNames?: readonly string[];
}

/**
 * The ciphers of TLS 1.3, and those of TLS 1.2 with forward secrecy and authenticated encryption, which
 * clients have supported since 2015.
 */
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

/**
 * Returns the protocol that the client chose by ALPN, or HTTP/1.1 without a choice. Undefined in plaintext.
 */
export function protocolByAlpn(socket: Socket): Protocol | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  return socket.alpnProtocol === 'h2' ? 'http2' : 'http1';
}
