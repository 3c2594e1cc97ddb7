// gRPC unary calls over cleartext HTTP/2.

import { headersOf, RawHttp2Connection } from './http2.ts';
import type { Caller } from './loop.ts';

const STREAMS_PER_CONNECTION = 32;

/** Opens callers of one method, up to 32 per connection, and returns how to close their connections. */
export async function grpcCallers(port: number, path: string, count: number) {
  const opening: Promise<RawHttp2Connection>[] = [];
  for (let streams = 0; streams < count; streams += STREAMS_PER_CONNECTION) {
    opening.push(RawHttp2Connection.open(port));
  }
  const connections = await Promise.all(opening);
  const headers = headersOf(path);
  const callers = connections.flatMap((connection, index) => {
    const streams = Math.min(count - index * STREAMS_PER_CONNECTION, STREAMS_PER_CONNECTION);
    return Array.from({ length: streams }, () => caller(connection, path, headers));
  });
  return { callers, close: () => connections.forEach((connection) => connection.close()) };
}

function caller(connection: RawHttp2Connection, path: string, headers: Buffer): Caller {
  return {
    call(request, done, failed) {
      connection.request(headers, request, false, {
        end: (bytes) => {
          if (bytes > 0) done();
          else failed(new Error(`${path} was rejected: the response has no message`));
        },
        failed,
      });
    },
  };
}
