// The baseline for the RPCs: connect-node with handlers that return prepared messages, on Node.js's HTTP/1.1 and
// HTTP/2 servers on two ports, with the options of the service's adapter.

import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { create, fromBinary } from '@bufbuild/protobuf';
import { compressionGzip, connectNodeAdapter } from '@connectrpc/connect-node';
import {
  DiscoveryService,
  GetClusterResponseSchema,
  ListMembersResponseSchema,
  RegisterResponseSchema,
  WatchMembersResponseSchema,
  WatchSnapshotSchema,
} from '../../gen/discovery/v1/service_pb.ts';
import {
  KV,
  PutResponseSchema,
  RangeResponseSchema,
  Watch,
  WatchResponseSchema,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { answer } from '../support/ipc.ts';

/** The messages to return, in binary. */
export interface Messages {
  readonly getCluster: Uint8Array;
  readonly listMembers: Uint8Array;
  readonly register: Uint8Array;
  readonly rangeSize: Uint8Array;
  readonly rangeMembers: Uint8Array;
  readonly put: Uint8Array;
}

export interface Ports {
  readonly http1: number;
  readonly http2: number;
}

let wake = (): void => {};
let woken = new Promise<void>(() => {});

/** From now on a put wakes the watches that start later. */
function hold(): void {
  woken = new Promise((resolve) => {
    wake = resolve;
  });
}

async function listen(messages: Messages): Promise<Ports> {
  const getCluster = fromBinary(GetClusterResponseSchema, messages.getCluster);
  const listMembers = fromBinary(ListMembersResponseSchema, messages.listMembers);
  const register = fromBinary(RegisterResponseSchema, messages.register);
  const rangeSize = fromBinary(RangeResponseSchema, messages.rangeSize);
  const rangeMembers = fromBinary(RangeResponseSchema, messages.rangeMembers);
  const put = fromBinary(PutResponseSchema, messages.put);
  const created = create(WatchResponseSchema, { header: put.header, created: true });
  const kv = rangeMembers.kvs[0];
  const event = create(WatchResponseSchema, { header: put.header, events: kv === undefined ? [] : [{ kv }] });
  const list = fromBinary(WatchSnapshotSchema, messages.listMembers);
  const snapshot = create(WatchMembersResponseSchema, { update: { case: 'snapshot', value: list } });
  const changed = create(WatchMembersResponseSchema, {
    update: { case: 'event', value: { revision: 7n, ...(register.member && { member: register.member }) } },
  });
  const never = new Promise(() => {});
  const adapter = connectNodeAdapter({
    // Like in src/server/rpc/handler.ts.
    acceptCompression: [compressionGzip],
    readMaxBytes: 64 * 1024,
    maxTimeoutMs: 2 ** 31 - 1,
    jsonOptions: { ignoreUnknownFields: false },
    routes: (router) => {
      router.service(DiscoveryService, {
        getCluster: () => getCluster,
        listMembers: () => listMembers,
        register: () => register,
        async *watchMembers() {
          yield snapshot;
          await woken;
          yield changed;
          await never;
        },
      });
      router.service(KV, {
        range: ({ rangeEnd }) => (rangeEnd.length === 0 ? rangeSize : rangeMembers),
        put: () => {
          wake();
          return put;
        },
      });
      router.service(Watch, {
        async *watch() {
          yield created;
          await woken;
          yield event;
          await never;
        },
      });
    },
  });
  const http1 = createServer(adapter);
  // The service does not close idle connections between two slots either.
  http1.keepAliveTimeout = 0;
  return { http1: await portOf(http1), http2: await portOf(createHttp2Server(adapter)) };
}

function portOf(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}

answer({ listen, hold });
