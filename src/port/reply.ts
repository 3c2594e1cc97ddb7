import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** Refusal is an error response of the port itself, readable by people. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** For `Allow`: the methods that any path of the service accepts. */
export const METHODS = 'GET, HEAD, POST, PUT, DELETE, OPTIONS';

/** For every response except those that never change: a cache would give one client's response to others. */
export const NO_STORE = { 'Cache-Control': 'no-store' } as const;

/** Responds over a bare HTTP/1.1 socket and closes it. */
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
 * Closes a socket so that the peer receives what was written. Its further bytes are read and dropped for up
 * to `linger` ms: closing with unread bytes would reset the connection and could lose the response.
 */
export function closeGently(socket: Duplex, linger: number): void {
  socket.end();
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), linger);
  socket.once('end', () => socket.destroy());
  socket.once('close', () => clearTimeout(timer));
}
