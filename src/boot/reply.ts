import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { refusalJson } from '../etcd/start/answer-json.ts';
import type { AnswerFormat } from '../etcd/start/query.ts';
import type { BootProblem } from './problem.ts';

export type BootRequest = IncomingMessage | Http2ServerRequest;
export type BootResponse = ServerResponse | Http2ServerResponse;

/** BootReply is a complete response. */
export interface BootReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The reason, if the request was rejected. */
  readonly reason?: string;
  /** The number of members that were read for the response. */
  readonly members?: number;
}

const ALWAYS = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' } as const;

export function text(status: number, body: string): BootReply {
  const headers = { ...ALWAYS, 'Content-Type': 'text/plain; charset=utf-8' };
  return { status, headers, body: Buffer.from(body) };
}

export function json(status: number, value: object): BootReply {
  const headers = { ...ALWAYS, 'Content-Type': 'application/json' };
  return { status, headers, body: Buffer.from(`${JSON.stringify(value)}\n`) };
}

/** Formats a problem as requested: two lines for people, or JSON. */
export function problemReply(problem: BootProblem, format: AnswerFormat): BootReply {
  const { status, reason, message, next, retryAfter } = problem;
  const reply =
    format === 'json'
      ? json(status, refusalJson(reason, message, next))
      : text(status, `etcd-discovery: ${message}\n${next === undefined ? '' : `next: ${next}\n`}`);
  const headers = {
    ...reply.headers,
    ...(retryAfter !== undefined && { 'Retry-After': String(Math.ceil(retryAfter / 1000)) }),
    ...(status === 401 && { 'WWW-Authenticate': 'Basic realm="etcd-discovery"' }),
  };
  return { ...reply, headers, reason };
}

export function sendStart(
  request: BootRequest,
  response: BootResponse,
  { status, headers, body }: BootReply,
): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('Content-Length', body.length);
  if (request.method === 'HEAD') response.end();
  else response.end(body);
}
