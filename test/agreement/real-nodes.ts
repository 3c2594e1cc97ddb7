import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { KV, Watch } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { text } from '../etcdv3/etcd.ts';
import type { Host } from './host.ts';
import { callText } from './node.ts';

/** A port for one node, which identifies its calls. */
export interface Door {
  readonly url: string;
  readonly calls: readonly string[];
  /** Breaks every connection. */
  cut(): void;
  close(): void;
}

/** Opens a door to the v2 dialect as an HTTP proxy, so that all nodes can use the same discovery URL. */
export async function openV2Door(hostNow: () => Host): Promise<Door> {
  const calls: string[] = [];
  const server = createServer((request, response) => {
    const { method = '', url = '' } = request;
    const target = url.replace(/^http:\/\/[^/]*/, '');
    void (async () => {
      // The gateway reads the body; the record gets a copy of what has arrived.
      await once(request, 'readable');
      const body = request.read() as Buffer | null;
      const sent = body === null ? '' : ` ${body.toString()}`;
      if (body !== null) request.unshift(body);
      calls.push(`${method} ${target}${sent}`);
      hostNow().v2({ request, response });
    })();
  });
  return doorOf(server, calls);
}

export async function openV3Door(hostNow: () => Host): Promise<Door> {
  const calls: string[] = [];
  const handler = connectNodeAdapter({
    routes: (router) => {
      router.service(KV, {
        range: (request, context) => {
          calls.push(callText({ type: 'RANGE', key: text(request.key), end: text(request.rangeEnd) }));
          return hostNow().v3.kv.range(request, context);
        },
        put: (request, context) => {
          calls.push(callText({ type: 'PUT', key: text(request.key), value: text(request.value) }));
          return hostNow().v3.kv.put(request, context);
        },
      });
      router.service(Watch, {
        watch: (requests, context) => hostNow().v3.watch.watch(recording(requests, calls), context),
      });
    },
  });
  const server = createHttp2Server(handler);
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  const door = await doorOf(server, calls);
  return {
    ...door,
    cut: () => {
      for (const session of sessions) session.destroy();
    },
  };
}

type WatchRequests = Parameters<Host['v3']['watch']['watch']>[0];

async function* recording(
  requests: WatchRequests,
  calls: string[],
): WatchRequests extends AsyncIterable<infer T> ? AsyncGenerator<T> : never {
  for await (const request of requests) {
    const { requestUnion: each } = request;
    if (each.case === 'createRequest') {
      const { key, rangeEnd, startRevision } = each.value;
      calls.push(callText({ type: 'WATCH', key: text(key), end: text(rangeEnd), start: startRevision }));
    }
    yield request;
  }
}

async function doorOf(server: Server, calls: readonly string[]): Promise<Door> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    cut,
    close: () => {
      cut();
      server.close();
    },
  };
}
