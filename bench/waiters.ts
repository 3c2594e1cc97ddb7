// Those who wait for a cluster: what each costs while nothing happens, and how soon all of them are woken.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import { WatchMembersRequestSchema } from '../gen/discovery/v1/service_pb.ts';
import { PutRequestSchema, WatchRequestSchema } from '../gen/etcd/etcdserverpb/rpc_pb.ts';
import { Child } from './child.ts';
import { makeFixture, putKey, sampleMessages, sampleRegistration, sampleReply } from './fixture.ts';
import { memberOf, memberPut } from './load/registrations.ts';
import type { Streams, StreamsWake } from './load/streams.ts';
import type { Waiting, WakeResult } from './load/waiters.ts';
import { get, grpcFrame, membersRange, putForm, rpcPath } from './requests.ts';
import type { Ports } from './servers/bare-connect.ts';
import {
  type GoServer,
  type Server,
  type StoreKind,
  startBareNode,
  startGoService,
  startService,
} from './servers.ts';
import { type Spread, spread } from './stats.ts';

export interface WaitersPlan {
  readonly rounds: number;
  /** How many wait at once, the fewest first. */
  readonly counts: readonly number[];
  readonly store: StoreKind;
  /** By the name of a way to wait. */
  readonly isWanted: (name: string) => boolean;
}

/** Many who wait, on one server, over the rounds. Times from sending the registration that wakes them. */
export interface WaitersMeasured {
  readonly rssBytesEach: Spread;
  readonly heapBytesEach: Spread;
  readonly firstMs: Spread;
  readonly medianMs: Spread;
  readonly lastMs: Spread;
  /** CPU time of the server to wake them all. */
  readonly wakeCpuMs: Spread;
}

export interface WaitersRow {
  readonly how: string;
  readonly count: number;
  readonly connections: number;
  readonly baselineName: string;
  readonly baseline: WaitersMeasured;
  readonly service: WaitersMeasured;
  readonly go?: WaitersMeasured;
}

interface Round extends WakeResult {
  readonly rssBytesEach: number;
  readonly heapBytesEach: number;
  readonly wakeCpuMs: number;
}

/** How the load generator is told to wait and to wake. */
interface Ask {
  readonly open: readonly ['openWaiters', Waiting] | readonly ['openStreams', Streams];
  readonly wake: readonly ['wakeWaiters', Omit<Waiting, 'count'>] | readonly ['wakeStreams', StreamsWake];
  readonly close: 'closeWaiters' | 'closeStreams';
  /** Resolves when all wait, where opening does not tell. */
  readonly ready?: () => Promise<void>;
}

/** One way to wait. */
interface Way {
  readonly how: string;
  readonly baselineName: string;
  /** How many wait on one connection. */
  readonly perConnection: number;
  readonly counts: readonly number[];
  readonly goHasIt: boolean;
  /** Each for a token of its own. */
  onService(port: number, count: number): Promise<Ask>;
  /** Starts the baseline, given the service, and returns how to wait on it. */
  startBaseline(servicePort: number): Promise<Baseline>;
}

interface Baseline {
  readonly server: Server;
  ask(count: number): Promise<Ask>;
}

interface Rounds {
  readonly service: Round[];
  readonly baseline: Round[];
  readonly go: Round[];
}

// Before the memory is read: what a server keeps from its first requests on is no waiter's.
const REHEARSAL = 200;
const PUT = '/etcdserverpb.KV/Put';
/** As many as one client of etcd's might have. */
const PER_CONNECTION = 10;
const MOST_STREAMS = 2000;
const READY_LIMIT_MS = 60_000;
/** No memory is told of fewer: it would be chance. */
export const FEWEST_FOR_MEMORY = 500;

/** Memory and wake-up. Every round has new servers, so that none starts with a grown heap. */
export async function measureWaiters(
  plan: WaitersPlan,
  dataDir: string,
  progress: (text: string) => void,
): Promise<readonly WaitersRow[]> {
  const rows: WaitersRow[] = [];
  for (const way of waysOf(plan.counts).filter(({ how }) => plan.isWanted(how))) {
    const rounds = new Map<number, Rounds>(
      way.counts.map((count) => [count, { service: [], baseline: [], go: [] }]),
    );
    for (let round = 1; round <= plan.rounds; round += 1) {
      progress(`${way.how}, round ${round}/${plan.rounds}`);
      const directory = join(dataDir, `${way.how.replaceAll(/\W/g, '-')}-${round}`);
      await measureRound(way, rounds, directory, plan.store);
    }
    for (const [count, { service, baseline, go }] of rounds) {
      rows.push({
        how: way.how,
        count,
        connections: Math.ceil(count / way.perConnection),
        baselineName: way.baselineName,
        service: over(service),
        baseline: over(baseline),
        ...(go.length > 0 && { go: over(go) }),
      });
    }
  }
  return rows;
}

async function measureRound(
  way: Way,
  rounds: ReadonlyMap<number, Rounds>,
  directory: string,
  store: StoreKind,
) {
  const service = await startService(directory, store);
  const baseline = await way.startBaseline(service.port);
  const go = way.goHasIt ? await startGoService(join(directory, 'go')) : undefined;
  const all = async (of: keyof Rounds, server: Server, ask: (count: number) => Promise<Ask>) => {
    const load = new Child('the load generator', './load/main.js');
    await once(server, load, await ask(REHEARSAL), REHEARSAL);
    for (const [count, { [of]: list }] of rounds)
      list.push(await once(server, load, await ask(count), count));
    await load.stop();
  };
  await all('service', service, (count) => way.onService(service.port, count));
  await all('baseline', baseline.server, (count) => baseline.ask(count));
  if (go !== undefined) {
    await all('go', go, async (count) => {
      const token = randomBytes(16).toString('hex');
      await putKey(go.etcdPort, `${token}/_config/size`, '3');
      return goPoll(go, await longPoll(go.port, token, count), count);
    });
  }
  await Promise.all([service, baseline.server, go].map(async (server) => server?.stop()));
}

async function once(server: Server, load: Child, ask: Ask, count: number): Promise<Round> {
  const isMany = count >= FEWEST_FOR_MEMORY;
  const usage = () => (isMany ? server.settledUsage() : server.usage());
  const before = await usage();
  await load.ask(ask.open[0], ask.open[1]);
  await ask.ready?.();
  const waiting = await usage();
  const wake = (await load.ask(ask.wake[0], ask.wake[1])) as WakeResult;
  const awake = await server.usage();
  await load.ask(ask.close);
  return {
    ...wake,
    rssBytesEach: isMany ? (waiting.rssBytes - before.rssBytes) / count : Number.NaN,
    heapBytesEach: isMany ? (waiting.heapBytes - before.heapBytes) / count : Number.NaN,
    wakeCpuMs: (awake.cpuMicros - waiting.cpuMicros) / 1000,
  };
}

function waysOf(counts: readonly number[]): Way[] {
  const fewer = [...new Set(counts.map((count) => Math.min(count, MOST_STREAMS)))];
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
      counts,
      goHasIt: true,
      onService: async (port, count) => longPoll(port, await newToken(port), count),
      async startBaseline(servicePort) {
        const server = await startBareNode();
        // The event that wakes a waiter is what the registration was answered, except for the status.
        await server.child.ask('hold', { ...(await sampleRegistration(servicePort)), status: 200 });
        return { server, ask: (count) => longPoll(server.port, undefined, count) };
      },
    },
    streamWay('v3 Watch', fewer, '/etcdserverpb.Watch/Watch', watch, { isTwoWay: true, perStream: 1 }),
    streamWay('v3 Watch, 10 a stream', fewer.slice(-1), '/etcdserverpb.Watch/Watch', watch, {
      isTwoWay: true,
      perStream: PER_CONNECTION,
    }),
    streamWay('WatchMembers', fewer, rpcPath('WatchMembers'), watchMembers, {
      isTwoWay: false,
      perStream: 1,
    }),
  ];
}

/** `perStream` is how many times the request is sent on a stream, and answered. */
function streamWay(
  how: string,
  counts: readonly number[],
  path: string,
  frameOf: (token: string) => Uint8Array,
  { isTwoWay, perStream }: { readonly isTwoWay: boolean; readonly perStream: number },
): Way {
  const askOf = (port: number, token: string, count: number): Ask => {
    const connections = Math.ceil(count / PER_CONNECTION);
    const streamsEach = Math.ceil(count / connections / perStream);
    const data = Buffer.concat(Array.from({ length: Math.min(perStream, count) }, () => frameOf(token)));
    const put = grpcFrame(toBinary(PutRequestSchema, memberPut(token, 1)));
    return {
      open: [
        'openStreams',
        { port, path, connections, streamsEach, data, messages: Math.min(perStream, count), isTwoWay },
      ],
      wake: ['wakeStreams', { port, path: PUT, data: put }],
      close: 'closeStreams',
    };
  };
  return {
    how,
    baselineName: 'bare connect-node',
    perConnection: PER_CONNECTION,
    counts,
    goHasIt: false,
    onService: async (port, count) => askOf(port, await newToken(port), count),
    async startBaseline(servicePort) {
      const child = new Child('bare connect-node', './servers/bare-connect.js');
      const messages = await sampleMessages(servicePort, await makeFixture(servicePort));
      const { http2 } = (await child.ask('listen', messages)) as Ports;
      const server: Server = {
        port: http2,
        usage: () => child.usage(),
        settledUsage: () => child.settledUsage(),
        stop: () => child.stop(),
      };
      return {
        server,
        async ask(count) {
          await child.ask('hold');
          return askOf(http2, BARE_TOKEN, count);
        },
      };
    },
  };
}

/** Waits for the second member of a token; bare Node looks at nothing but the method. */
async function longPoll(port: number, token: string | undefined, count: number): Promise<Ask> {
  const first = token === undefined ? undefined : await register(port, token, 0);
  const waitIndex = Number(first?.headers['x-etcd-index'] ?? 0) + 1;
  const path = token ?? BARE_TOKEN;
  const wait = get(`/${path}?recursive=true&wait=true&waitIndex=${waitIndex}`);
  const wake = putForm(registrationPath(path, 1), valueOf(1).toString());
  return {
    open: ['openWaiters', { port, count, request: wait }],
    wake: ['wakeWaiters', { port, request: wake }],
    close: 'closeWaiters',
  };
}

/** The service in Go sends the head with the event: its etcd knows how many wait. */
function goPoll({ etcdPort }: GoServer, ask: Ask, count: number): Ask {
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
        if (Date.now() > deadline) throw new Error('not all requests to the service in Go came to wait');
        await sleep(50);
      }
    },
  };
}

/** Of the size of a real one. */
const BARE_TOKEN = '0'.repeat(32);

async function newToken(port: number): Promise<string> {
  const url = (await sampleReply(port, '/new?size=3')).body.trim();
  return url.slice(url.lastIndexOf('/') + 1);
}

function register(port: number, token: string, member: number) {
  return sampleReply(port, registrationPath(token, member), { method: 'PUT', body: valueOf(member) });
}

function registrationPath(token: string, member: number): string {
  return `/${token}/${memberOf(member).id}?prevExist=false`;
}

function valueOf(member: number): URLSearchParams {
  const { name, peerUrl } = memberOf(member);
  return new URLSearchParams({ value: `${name}=${peerUrl}` });
}

function over(rounds: readonly Round[]): WaitersMeasured {
  const all = (of: (round: Round) => number): Spread => spread(rounds.map(of));
  return {
    rssBytesEach: all((round) => round.rssBytesEach),
    heapBytesEach: all((round) => round.heapBytesEach),
    firstMs: all((round) => round.firstMs),
    medianMs: all((round) => round.medianMs),
    lastMs: all((round) => round.lastMs),
    wakeCpuMs: all((round) => round.wakeCpuMs),
  };
}
