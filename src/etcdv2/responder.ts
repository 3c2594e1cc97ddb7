import type { OutgoingHttpHeaders } from 'node:http';
import type { Request } from './body.ts';
import type { V2Reply } from './reply.ts';

/** Response is the common part of HTTP/1.1 and HTTP/2 responses that is used here. */
export interface Response {
  writeHead(status: number, headers: OutgoingHttpHeaders): unknown;
  /** HTTP/2 sends its headers with `writeHead`. */
  flushHeaders?(): void;
  write(chunk: string): boolean;
  end(): unknown;
  end(chunk: string | Buffer): unknown;
  /** Aborts the response. */
  destroy(): unknown;
  on(event: 'close', listener: () => void): unknown;
  once(event: 'drain', listener: () => void): unknown;
}

/** V2Exchange is a request and its response. */
export interface V2Exchange {
  readonly request: Request;
  readonly response: Response;
  /** The request's ID in the log, which the response returns. The caller has validated it. */
  readonly requestId?: string | undefined;
  /** Further information for the request's log line, filled while the request is handled. */
  readonly outcome?: { token?: string; reason?: string };
}

// As sent by etcd and its discovery service: tokens are capabilities, so any page may use one that it has.
const CORS = [
  'Access-Control-Allow-Headers',
  'accept, content-type, authorization',
  'Access-Control-Allow-Methods',
  'POST, GET, OPTIONS, PUT, DELETE',
  'Access-Control-Allow-Origin',
  '*',
] as const;

// A cache would give the token of one client to others.
const NO_STORE = ['Cache-Control', 'no-store'] as const;

// Otherwise nginx holds the response back until a buffer is full.
const AS_IT_COMES = ['X-Accel-Buffering', 'no'] as const;

// A browser that opens a token's URL gets a web page.
const NEGOTIATED = ['Vary', 'Accept'] as const;

/** Sends a complete response, for HEAD only its headers. Returns the length of its body. */
export function sendV2({ request, response, requestId }: V2Exchange, reply: V2Reply): number {
  const { unread, body, index } = reply;
  const length = Buffer.byteLength(body);
  const headers = ['Content-Type', reply.contentType, 'Content-Length', String(length)];
  headers.push(...CORS, ...NEGOTIATED, ...NO_STORE);
  if (reply.headers !== undefined) headers.push(...Object.entries(reply.headers).flat());
  if (index !== undefined) headers.push('X-Etcd-Index', index.toString());
  if (requestId !== undefined) headers.push('X-Request-Id', requestId);
  const isHttp2 = 'stream' in request;
  // The rest of a long body is read and discarded: closing the connection could lose the response.
  if (unread === 'TOO_SLOW' && !isHttp2) headers.push('Connection', 'close');
  writeHead(response, reply.status, headers);
  if (request.method === 'HEAD') response.end();
  else response.end(body);
  return length;
}

/** Sends the headers of a response whose body follows later. */
export function begin({ response, requestId }: V2Exchange, contentType: string, index: bigint): void {
  const headers = ['Content-Type', contentType, 'X-Etcd-Index', index.toString()];
  headers.push(...CORS, ...NO_STORE, ...AS_IT_COMES);
  if (requestId !== undefined) headers.push('X-Request-Id', requestId);
  writeHead(response, 200, headers);
  response.flushHeaders?.();
}

/**
 * A flat list of names and values, which Node.js processes faster than an object. The types of HTTP/2 do not
 * include arrays.
 */
function writeHead(response: Response, status: number, headers: readonly string[]): void {
  response.writeHead(status, headers as unknown as OutgoingHttpHeaders);
}
