import type { IncomingHttpHeaders } from 'node:http2';
import type { ContextValues } from '@connectrpc/connect';
import { parseTimeout } from '@connectrpc/connect/protocol-grpc';
import type { Http2Call } from '../../port/port.ts';
import { grpcTimeoutMs } from './deadline.ts';
import type { Arrival } from './rpc-call.ts';

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
function timeoutOf(headers: IncomingHttpHeaders): string | null {
  return headers['grpc-timeout']?.toString() ?? null;
}

export function arrivalOf(call: Http2Call, values: ContextValues): Arrival {
  const timeoutMs = grpcTimeoutMs(timeoutOf(call.headers));
  return { request: call, response: call, values, protocolName: 'grpc', timeoutMs };
}
