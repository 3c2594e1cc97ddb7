import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** A refusal that the port itself answers with, in words for a person. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Answers over a bare HTTP/1.1 socket and closes it. What the peer still sends is read and dropped for up to
 * `linger` ms: closing on unread bytes would reset the connection and could take the answer with it.
 */
export function refuseAndClose(socket: Duplex, refusal: Refusal, linger: number): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = Buffer.from(`${refusal.text}\n`);
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${body.length}`,
    'Connection: close',
    ...Object.entries(refusal.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]));
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), linger);
  socket.once('end', () => socket.destroy());
  socket.once('close', () => clearTimeout(timer));
}
