import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** A refusal that the port itself answers with, in words for a person. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** For `Allow`: what some path of the service takes. */
export const METHODS = 'GET, HEAD, POST, PUT, DELETE, OPTIONS';

/** For every answer but those that never change: a cache in front would give what is one client's to others. */
export const NO_STORE = { 'Cache-Control': 'no-store' } as const;

/** Answers over a bare HTTP/1.1 socket and closes it. */
export function refuseAndClose(socket: Duplex, refusal: Refusal, linger: number): void {
  const body = Buffer.from(`${refusal.text}\n`);
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${body.length}`,
    'Connection: close',
    ...Object.entries({ ...NO_STORE, ...refusal.headers }).map(([name, value]) => `${name}: ${value}`),
  ];
  if (socket.writable) socket.write(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]));
  closeGently(socket, linger);
}

/**
 * Closes a socket so that the peer gets what was written. What it still sends is read and dropped for up to
 * `linger` ms: closing on unread bytes would reset the connection and could take the answer with it.
 */
export function closeGently(socket: Duplex, linger: number): void {
  socket.end();
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), linger);
  socket.once('end', () => socket.destroy());
  socket.once('close', () => clearTimeout(timer));
}
