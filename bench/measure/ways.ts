// The ways to wait for a cluster, on the service and its rivals.

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import { WatchMembersRequestSchema } from '../../gen/discovery/v1/service_pb.ts';
import { PutRequestSchema, WatchRequestSchema } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { memberOf, memberPut } from '../load/registrations.ts';
import type { Streams, StreamsWake } from '../load/streams.ts';
import type { Waiting } from '../load/waiters.ts';
import type { Ports } from '../servers/bare-connect.ts';
import {
  type GoServer,
  type Server,
  serverOf,
  startBareNode,
  startEtcdIfBuilt,
  startGoService,
} from '../servers/servers.ts';
import { Child } from '../support/child.ts';
import { get, grpcFrame, membersRange, ORIGIN, putForm, rpcPath } from '../support/requests.ts';
import { makeFixture, putKey, sampleMessages, sampleRegistration, sampleReply } from './fixture.ts';

export const WAYS = ['v2 long poll', 'v3 Watch', 'v3 Watch, a connection each', 'WatchMembers'] as const;

export type WayName = (typeof WAYS)[number];

/** How the load generator waits and wakes. */
export interface Ask {
  readonly open: readonly ['openWaiters', Waiting] | readonly ['openStreams', Streams];
  readonly wake: readonly ['wakeWaiters', Omit<Waiting, 'count'>] | readonly ['wakeStreams', StreamsWake];
  readonly close: 'closeWaiters' | 'closeStreams';
  /** Resolves when all wait, if opening does not show that. */
  readonly ready?: () => Promise<void>;
}

/** One way to wait. */
export interface Way {
  readonly how: WayName;
  readonly baselineName: string;
  /** Waiters per connection. */
  readonly perConnection: number;
  readonly rivalName: string;
  /** Each for a separate token. */
  onService(port: number, count: number): Promise<Ask>;
  /** Starts the baseline with data from the service, and returns how to wait on it. */
  startBaseline(servicePort: number): Promise<Baseline>;
  /** Returns undefined if the rival is not installed. */
  startRival(directory: string): Promise<Baseline | undefined>;
}

export interface Baseline {
  readonly server: Server;
  ask(count: number): Promise<Ask>;
}

const PUT = '/etcdserverpb.KV/Put';
const V3_WATCH = '/etcdserverpb.Watch/Watch';
const PER_CONNECTION = 10;
const READY_LIMIT_MS = 60_000;

export function waysOf(): Way[] {
  const watch = (token: string): Uint8Array => {
    const { key, rangeEnd } = membersRange(token);
    const request = create(WatchRequestSchema, {
      requestUnion: { case: 'createRequest', value: { key, rangeEnd } },
    });
    return grpcFrame(toBinary(WatchRequestSchema, request));
  };
  const watchMembers = (token: string): Uint8Array =>
    grpcFrame(toBinary(WatchMembersRequestSchema, create(WatchMembersRequestSchema, { token })));
  return [
    {
      how: 'v2 long poll',
      baselineName: 'bare Node HTTP',
      perConnection: 1,
      rivalName: 'Go service',
      onService: async (port, count) => longPoll(port, await newToken(port), count),
      async startBaseline(servicePort) {
        const server = await startBareNode();
        // The event that wakes a waiter equals the response to the registration, except for the status.
        await server.child.ask('hold', { ...(await sampleRegistration(servicePort)), status: 200 });
        return { server, ask: (count) => longPoll(server.port, undefined, count) };
      },
      async startRival(directory) {
        const server = await startGoService(directory);
        return server && { server, ask: (count) => goPoll(server, count) };
      },
    },
    streamWay('v3 Watch', V3_WATCH, watch, { isTwoWay: true, perConnection: PER_CONNECTION }),
    // One connection per node, as in practice.
    streamWay('v3 Watch, a connection each', V3_WATCH, watch, { isTwoWay: true, perConnection: 1 }),
    streamWay('WatchMembers', rpcPath('WatchMembers'), watchMembers, {
      isTwoWay: false,
      perConnection: PER_CONNECTION,
    }),
  ];
}

function streamWay(
  how: WayName,
  path: string,
  frameOf: (token: string) => Uint8Array,
  { isTwoWay, perConnection }: Pick<Streams, 'isTwoWay'> & Pick<Way, 'perConnection'>,
): Way {
  const askOf = (port: number, token: string, count: number): Ask => {
    const connections = Math.ceil(count / perConnection);
    const streamsEach = Math.ceil(count / connections);
    const put = grpcFrame(toBinary(PutRequestSchema, memberPut(token, 1)));
    return {
      open: ['openStreams', { port, path, connections, streamsEach, data: frameOf(token), isTwoWay }],
      wake: ['wakeStreams', { port, path: PUT, data: put }],
      close: 'closeStreams',
    };
  };
  return {
    how,
    baselineName: 'bare connect-node',
    perConnection,
    rivalName: 'plain etcd',
    onService: async (port, count) => askOf(port, await newToken(port), count),
    async startBaseline(servicePort) {
      const child = new Child('bare connect-node', 'servers/bare-connect.js');
      const messages = await sampleMessages(servicePort, await makeFixture(servicePort));
      const { http2 } = (await child.ask('listen', messages)) as Ports;
      return {
        server: serverOf(child, http2),
        async ask(count) {
          await child.ask('hold');
          return askOf(http2, BARE_TOKEN, count);
        },
      };
    },
    async startRival(directory) {
      const server = path === V3_WATCH ? await startEtcdIfBuilt(directory) : undefined;
      return server && { server, ask: async (count) => askOf(server.port, randomToken(), count) };
    },
  };
}

/** Waits for the second member of a token. Bare Node.js checks only the method. */
async function longPoll(port: number, token: string | undefined, count: number): Promise<Ask> {
  const first = token === undefined ? undefined : await register(port, token, 0);
  const waitIndex = Number(first?.headers['x-etcd-index'] ?? 0) + 1;
  const path = token ?? BARE_TOKEN;
  const wait = get(`/${path}?recursive=true&wait=true&waitIndex=${waitIndex}`);
  const second = registration(path, 1);
  const wake = putForm(second.path, second.value.toString());
  return {
    open: ['openWaiters', { port, count, request: wait }],
    wake: ['wakeWaiters', { port, request: wake }],
    close: 'closeWaiters',
  };
}

/** The service in Go sends the head only with the event; its etcd reports how many wait. */
async function goPoll({ port, etcdPort }: GoServer, count: number): Promise<Ask> {
  const token = randomToken();
  await putKey(etcdPort, `${token}/_config/size`, '3');
  const ask = await longPoll(port, token, count);
  const watchers = async (): Promise<number> => {
    const response = await fetch(`http://127.0.0.1:${etcdPort}/v2/stats/store`);
    return Number(((await response.json()) as { watchers: unknown }).watchers);
  };
  return {
    ...ask,
    open: ['openWaiters', { ...(ask.open[1] as Waiting), headLater: true }],
    async ready() {
      const deadline = Date.now() + READY_LIMIT_MS;
      while ((await watchers()) < count) {
        if (Date.now() > deadline) throw new Error('not all requests to the service in Go started to wait');
        await sleep(50);
      }
    },
  };
}

const randomToken = (): string => randomBytes(16).toString('hex');

/** As long as a real one. */
const BARE_TOKEN = '0'.repeat(32);

async function newToken(port: number): Promise<string> {
  const url = (await sampleReply(port, '/new?size=3')).body.trim();
  return url.slice(url.lastIndexOf('/') + 1);
}

function register(port: number, token: string, member: number) {
  const { path, value } = registration(token, member);
  return sampleReply(port, path, { method: 'PUT', body: value });
}

function registration(token: string, member: number): { path: string; value: URLSearchParams } {
  const { id, name, peerUrl } = memberOf(member, `${ORIGIN}/${token}`);
  return {
    path: `/${token}/${id}?prevExist=false`,
    value: new URLSearchParams({ value: `${name}=${peerUrl}` }),
  };
}
