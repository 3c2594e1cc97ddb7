// The baseline for the v2 dialect: Node's HTTP server with nothing in it. It answers every request with the
// reply that it was last given, as it stands; or holds every GET with its head sent, and ends them all at the
// next PUT, as a long poll does.

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answer } from '../support/ipc.ts';

/** A reply of the service to be answered as it is. */
export interface RecordedReply {
  readonly status: number;
  /** Without those that the server sets by itself. */
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
  // A write's body is read, as the service has to.
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
