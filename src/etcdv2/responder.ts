import type { OutgoingHttpHeaders } from 'node:http';
import type { Request } from './body.ts';
import type { Reply } from './reply.ts';

/** What HTTP/1.1 and HTTP/2 responses have in common, as far as it is used here. */
export interface Response {
  writeHead(status: number, headers: OutgoingHttpHeaders): unknown;
  /** HTTP/2 sends its headers with `writeHead`. */
  flushHeaders?(): void;
  write(chunk: string): boolean;
  end(): unknown;
  end(chunk: string | Buffer): unknown;
  /** Breaks the answer off. */
  destroy(): unknown;
  on(event: 'close', listener: () => void): unknown;
  once(event: 'drain', listener: () => void): unknown;
}

/** A request and its answer. */
export interface V2Exchange {
  readonly request: Request;
  readonly response: Response;
  /** By what it stands in the log, for the answer to tell; whoever is in front has made sure that it is an id. */
  readonly requestId?: string | undefined;
  /** What its line in the log says of it beside: filled as that is found out. */
  readonly outcome?: { token?: string; reason?: string };
}

// As etcd and its discovery service send them: tokens are capabilities, so any page may use one that it has.
const CORS = [
  'Access-Control-Allow-Headers',
  'accept, content-type, authorization',
  'Access-Control-Allow-Methods',
  'POST, GET, OPTIONS, PUT, DELETE',
  'Access-Control-Allow-Origin',
  '*',
] as const;

// A cache in front would give the token of one client to others.
const NO_STORE = ['Cache-Control', 'no-store'] as const;

// nginx otherwise keeps what it gets until a buffer is full.
const AS_IT_COMES = ['X-Accel-Buffering', 'no'] as const;

// A browser that opens a token's URL gets a web page.
const NEGOTIATED = ['Vary', 'Accept'] as const;

/** Writes a whole answer. For HEAD, its headers. Returns how long its body is. */
export function send({ request, response, requestId }: V2Exchange, reply: Reply): number {
  const { unread, body, index } = reply;
  const length = Buffer.byteLength(body);
  const headers = ['Content-Type', reply.contentType, 'Content-Length', String(length)];
  headers.push(...CORS, ...NEGOTIATED, ...NO_STORE);
  if (reply.headers !== undefined) headers.push(...Object.entries(reply.headers).flat());
  if (index !== undefined) headers.push('X-Etcd-Index', index.toString());
  if (requestId !== undefined) headers.push('X-Request-Id', requestId);
  const isHttp2 = 'stream' in request;
  // The rest of a long body is read and thrown away: to hang up on it could lose the answer as well.
  if (unread === 'TOO_SLOW' && !isHttp2) headers.push('Connection', 'close');
  writeHead(response, reply.status, headers);
  if (request.method === 'HEAD') response.end();
  else response.end(body);
  return length;
}

/** Sends the headers of an answer whose body comes later. */
export function begin({ response, requestId }: V2Exchange, contentType: string, index: bigint): void {
  const headers = ['Content-Type', contentType, 'X-Etcd-Index', index.toString()];
  headers.push(...CORS, ...NO_STORE, ...AS_IT_COMES);
  if (requestId !== undefined) headers.push('X-Request-Id', requestId);
  writeHead(response, 200, headers);
  response.flushHeaders?.();
}

/** Names and values in turn, for which Node.js takes less time than for an object; the types of HTTP/2 know no arrays. */
function writeHead(response: Response, status: number, headers: readonly string[]): void {
  response.writeHead(status, headers as unknown as OutgoingHttpHeaders);
}
