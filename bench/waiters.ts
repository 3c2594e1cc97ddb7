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

export const WAYS = ['v2 long poll', 'v3 Watch', 'v3 Watch, 10 a stream', 'WatchMembers'] as const;

export type WayName = (typeof WAYS)[number];

export interface WaitersPlan {
  readonly rounds: number;
  /** How many wait at once, the fewest first. */
  readonly counts: readonly number[];
  /** From how many on memory and CPU time are told of: those of fewer would be chance. */
  readonly fewestForMemory: number;
  readonly idleMs: number;
  /** Before the memory is read: what a server keeps from its first requests on is no waiter's. */
  readonly rehearsal: number;
  readonly store: StoreKind;
  readonly wanted: readonly WayName[];
}

/** Many who wait, on one server. Times are from sending the registration that wakes them. */
interface Round {
  readonly rssBytesEach: number;
  readonly heapBytesEach: number;
  /** CPU time of the server, all of it, in a second in which nothing happens. */
  readonly idleCpuMs: number;
  /** CPU time of the server to wake them all. */
  readonly wakeCpuMs: number;
  readonly firstMs: number;
  readonly medianMs: number;
  readonly lastMs: number;
}

export type WaitersMetric = keyof Round;

/** Over the rounds. */
export type WaitersMeasured = Readonly<Record<WaitersMetric, Spread>>;

export interface WaitersRow {
  readonly how: string;
  readonly count: number;
  readonly connections: number;
  readonly baselineName: string;
  readonly baseline: WaitersMeasured;
  readonly service: WaitersMeasured;
  /** service / baseline, of the same round. */
  readonly ratio: WaitersMeasured;
  readonly go?: WaitersMeasured;
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
  readonly how: WayName;
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

const PUT = '/etcdserverpb.KV/Put';
/** As many as one client of etcd's might have. */
const PER_CONNECTION = 10;
const READY_LIMIT_MS = 60_000;

/** Memory and wake-up. Every round has new servers, so that none starts with a grown heap. */
export async function measureWaiters(
  plan: WaitersPlan,
  dataDir: string,
  progress: (text: string) => void,
): Promise<readonly WaitersRow[]> {
  const rows: WaitersRow[] = [];
  for (const way of waysOf(plan.counts).filter(({ how }) => plan.wanted.includes(how))) {
    const rounds = new Map<number, Rounds>(
      way.counts.map((count) => [count, { service: [], baseline: [], go: [] }]),
    );
    for (let round = 1; round <= plan.rounds; round += 1) {
      progress(`${way.how}, round ${round}/${plan.rounds}`);
      const directory = join(dataDir, `${way.how.replaceAll(/\W/g, '-')}-${round}`);
      await measureRound(way, rounds, directory, plan);
    }
    for (const [count, { service, baseline, go }] of rounds) {
      rows.push({
        how: way.how,
        count,
        connections: Math.ceil(count / way.perConnection),
        baselineName: way.baselineName,
        service: over(service),
        baseline: over(baseline),
        ratio: over(service.map((round, index) => quotient(round, baseline[index] as Round))),
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
  plan: WaitersPlan,
) {
  const service = await startService(directory, plan);
  const baseline = await way.startBaseline(service.port);
  const go = way.goHasIt ? await startGoService(join(directory, 'go')) : undefined;
  const all = async (of: keyof Rounds, server: Server, ask: (count: number) => Promise<Ask>) => {
    const load = new Child('the load generator', './load/main.js');
    await once(server, load, await ask(plan.rehearsal), plan.rehearsal, undefined);
    for (const [count, { [of]: list }] of rounds) {
      const idleMs = count >= plan.fewestForMemory ? plan.idleMs : undefined;
      list.push(await once(server, load, await ask(count), count, idleMs));
    }
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

/** Without `idleMs` there is no look at memory and idle CPU time. */
async function once(
  server: Server,
  load: Child,
  ask: Ask,
  count: number,
  idleMs: number | undefined,
): Promise<Round> {
  const usage = () => (idleMs === undefined ? server.usage() : server.settledUsage());
  const before = await usage();
  await load.ask(ask.open[0], ask.open[1]);
  await ask.ready?.();
  const waiting = await usage();
  const idle = idleMs === undefined ? waiting : await sleep(idleMs).then(() => server.usage());
  const { firstMs, medianMs, lastMs } = (await load.ask(ask.wake[0], ask.wake[1])) as WakeResult;
  const awake = await server.usage();
  await load.ask(ask.close);
  const each = (from: number, to: number): number =>
    idleMs === undefined ? Number.NaN : (to - from) / count;
  return {
    firstMs,
    medianMs,
    lastMs,
    rssBytesEach: each(before.rssBytes, waiting.rssBytes),
    heapBytesEach: each(before.heapBytes, waiting.heapBytes),
    idleCpuMs: (idle.cpuMicros - waiting.cpuMicros) / (idleMs ?? Number.NaN),
    wakeCpuMs: (awake.cpuMicros - idle.cpuMicros) / 1000,
  };
}

function waysOf(counts: readonly number[]): Way[] {
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
    streamWay('v3 Watch', counts, '/etcdserverpb.Watch/Watch', watch, { isTwoWay: true, perStream: 1 }),
    streamWay('v3 Watch, 10 a stream', counts.slice(-1), '/etcdserverpb.Watch/Watch', watch, {
      isTwoWay: true,
      perStream: PER_CONNECTION,
    }),
    streamWay('WatchMembers', counts, rpcPath('WatchMembers'), watchMembers, {
      isTwoWay: false,
      perStream: 1,
    }),
  ];
}

/** `perStream` is how many times the request is sent on a stream, and answered. */
function streamWay(
  how: WayName,
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
        pid: child.pid,
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

function quotient(one: Round, other: Round): Round {
  return ofEach((metric) => one[metric] / other[metric]);
}

function over(rounds: readonly Round[]): WaitersMeasured {
  return ofEach((metric) => spread(rounds.map((round) => round[metric])));
}

function ofEach<Value>(make: (metric: WaitersMetric) => Value): Record<WaitersMetric, Value> {
  return {
    rssBytesEach: make('rssBytesEach'),
    heapBytesEach: make('heapBytesEach'),
    idleCpuMs: make('idleCpuMs'),
    wakeCpuMs: make('wakeCpuMs'),
    firstMs: make('firstMs'),
    medianMs: make('medianMs'),
    lastMs: make('lastMs'),
  };
}
