import type { OutgoingHttpHeaders } from 'node:http';
import type { Reply } from './reply.ts';

/** What HTTP/1.1 and HTTP/2 responses have in common, as far as it is used here. */
export interface Response {
  writeHead(status: number, headers: OutgoingHttpHeaders): unknown;
  /** HTTP/2 sends its headers with `writeHead`. */
  flushHeaders?(): void;
  write(chunk: string): boolean;
  end(): unknown;
  end(chunk: string): unknown;
  once(event: 'close' | 'drain', listener: () => void): unknown;
}

// As etcd and its discovery service send them: tokens are capabilities, so any page may use one that it has.
const CORS = {
  'Access-Control-Allow-Headers': 'accept, content-type, authorization',
  'Access-Control-Allow-Methods': 'POST, GET, OPTIONS, PUT, DELETE',
  'Access-Control-Allow-Origin': '*',
} as const;

/** Writes a whole answer. For HEAD, its headers. */
export function send(response: Response, reply: Reply, method: string, httpVersionMajor: number): void {
  const headers: OutgoingHttpHeaders = {
    'Content-Type': reply.contentType,
    'Content-Length': Buffer.byteLength(reply.body),
    ...CORS,
    ...reply.headers,
  };
  if (reply.index !== undefined) headers['X-Etcd-Index'] = reply.index.toString();
  // HTTP/2 has no such header, and ends its streams one by one anyway.
  if (reply.hangUp === true && httpVersionMajor < 2) headers['Connection'] = 'close';
  response.writeHead(reply.status, headers);
  if (method === 'HEAD') response.end();
  else response.end(reply.body);
}

/** Sends the headers of an answer whose body comes later. */
export function begin(response: Response, contentType: string, index: bigint): void {
  response.writeHead(200, { 'Content-Type': contentType, 'X-Etcd-Index': index.toString(), ...CORS });
  response.flushHeaders?.();
}
