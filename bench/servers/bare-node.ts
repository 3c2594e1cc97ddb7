// The baseline for the v2 dialect: Node.js's HTTP server without any layer. It responds to every request with the
// last response that it was given; or it holds every GET with its head sent, and ends them all at the next PUT, like
// a long poll.

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answer } from '../support/ipc.ts';

/** A response of the service, to be returned unchanged. */
export interface RecordedReply {
  readonly status: number;
  /** Without those that the server sets itself. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

let reply: RecordedReply = { status: 200, headers: {}, body: '' };
let hold = false;
const held = new Set<ServerResponse>();

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    if (hold) wait(response);
    else send(response);
    return;
  }
  // Reads a write's body, as the service must.
  let length = 0;
  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
  });
  request.on('end', () => {
    send(response);
    for (const waiting of held) waiting.end(reply.body);
    held.clear();
  });
});
// The service does not close idle connections between two slots either.
server.keepAliveTimeout = 0;

function wait(response: ServerResponse): void {
  response.writeHead(reply.status, reply.headers);
  response.flushHeaders();
  held.add(response);
  response.on('close', () => held.delete(response));
}

function send(response: ServerResponse): void {
  response.writeHead(reply.status, { ...reply.headers, 'content-length': Buffer.byteLength(reply.body) });
  response.end(reply.body);
}

answer({
  listen: (): Promise<number> =>
    new Promise((resolve) => {
      server.listen({ host: '127.0.0.1', port: 0, backlog: 8192 }, () => {
        resolve((server.address() as AddressInfo).port);
      });
    }),
  reply: (next: RecordedReply) => {
    reply = next;
    hold = false;
  },
  hold: (next: RecordedReply) => {
    reply = next;
    hold = true;
  },
});
