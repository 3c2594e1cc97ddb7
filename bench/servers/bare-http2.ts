// The baseline closest to the limit for gRPC: node:http2's stream API without any layer. It responds to every call
// with the last message that it was given, once the request has ended.

import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { answer } from '../support/ipc.ts';

const HEAD = { ':status': 200, 'content-type': 'application/grpc+proto' };
const TRAILERS = { 'grpc-status': '0' };

let frame = Buffer.alloc(0);

const server = createServer();
server.on('stream', (stream: ServerHttp2Stream) => {
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    length += chunk.length;
  });
  stream.on('end', () => {
    stream.respond(HEAD, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(TRAILERS));
    stream.end(frame);
  });
});

answer({
  listen: (): Promise<number> =>
    new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    }),
  reply: (next: Uint8Array) => {
    frame = Buffer.from(next);
  },
});
