import type { IncomingHttpHeaders } from 'node:http2';
import { parseTimeout } from '@connectrpc/connect/protocol-grpc';

const BINARY = /^application\/grpc(?:\+proto)?\s*(?:;|$)/i;
/** With one of these, Connect or the port has more to decide than about a usual call. */
const UNUSUAL = ['expect', 'origin', 'connect-protocol-version'];

/**
 * Whether the head is that of a usual gRPC call: in protobuf, not compressed, with a valid deadline. Connect
 * answers all others.
 */
export function isUsual(headers: IncomingHttpHeaders): boolean {
  const encoding = headers['grpc-encoding'];
  const timeout = timeoutOf(headers);
  return (
    headers[':method'] === 'POST' &&
    BINARY.test(headers['content-type'] ?? '') &&
    (encoding === undefined || encoding === 'identity') &&
    UNUSUAL.every((name) => headers[name] === undefined) &&
    (timeout === null || parseTimeout(timeout, Number.POSITIVE_INFINITY).error === undefined)
  );
}

/** Returns the deadline as the client wrote it. null if there is none. */
export function timeoutOf(headers: IncomingHttpHeaders): string | null {
  return headers['grpc-timeout']?.toString() ?? null;
}

/** Returns the headers of a request, as handlers see them: without those of HTTP/2 itself. */
export function webHeadersOf(headers: IncomingHttpHeaders): Headers {
  const web = new Headers();
  for (const [name, value = []] of Object.entries(headers)) {
    if (name.startsWith(':')) continue;
    for (const each of typeof value === 'string' ? [value] : value) web.append(name, each);
  }
  return web;
}
