import { Counter, collectDefaultMetrics, Gauge, Registry } from '@prometheus-io/client';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import type { Reason } from '../discovery/errors.ts';
import type { Counts } from './census.ts';
import { Histogram, LONG_SECONDS, SECONDS, type Series } from './histogram.ts';
import { PORT_REFUSALS, type PortRefusal } from './port-refusals.ts';
import { pathOf, type Surface } from './route.ts';
import { createStoreMetrics, type StoreMetrics } from './store-metrics.ts';

/** A call is answered at once; a wait (a long poll of the v2 dialect, a stream of an RPC) when something happens. */
export type Kind = 'call' | 'wait';

/** A request that is over, as it is counted. */
export interface Counted {
  readonly surface: Surface;
  readonly target: string;
  /** The HTTP method. */
  readonly method: string;
  /** The HTTP status. */
  readonly status: number;
  readonly kind: Kind;
  readonly seconds: number;
  /** The RPC and how it ended, in Connect's words. */
  readonly rpc: { readonly method: string; readonly code: string } | undefined;
}

export interface Metrics {
  /** A wait has begun. It is counted when it is over. */
  beginWait(surface: Surface): void;
  count(request: Counted): void;
  /** The service has refused a call, on whatever surface it came. */
  readonly refused: (reason: Reason) => void;
  /** The port has refused a connection or a request, of which no surface knows. */
  readonly portRefused: (why: PortRefusal) => void;
  /** A sweep is over. `removed` is undefined when it failed. */
  swept(removed: number | undefined, seconds: number): void;
  readonly store: StoreMetrics;
  /** In Prometheus' text format. */
  readonly text: () => Promise<string>;
  readonly contentType: string;
}

/** What there is now of something, and the most that there may be. */
export interface Held {
  readonly now: () => number;
  readonly most: number;
}

export interface Gauges {
  readonly version: string;
  readonly watches: Held;
  readonly connections: Held;
  /** Not answered yet. */
  readonly requests: Held;
  /** Held by the store, expired and deleted ones that are remembered included. */
  readonly tokens: Held;
  /** Undefined while nobody knows. */
  readonly tokensByState: () => Counts | undefined;
}

/** HTTP/2 takes any word for a method, and a label must not. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Counted from the start, so that a rate sees the first one. */
const REASONS = Object.keys(ErrorReason).filter((name) => /^[A-Z]/.test(name) && name !== 'UNSPECIFIED');

/** The HTTP method, or OTHER. */
export function verbOf(method: string): string {
  return METHODS.has(method) ? method : 'OTHER';
}

// Of the process, not of one service in it: its observers are never given back.
let processRegistry: Registry | undefined;

export function createMetrics(gauges: Gauges): Metrics {
  const register = new Registry();
  const registers = [register];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
    new Counter({ name, help, labelNames, registers });
  const held = ({ now, most }: Held, setting: string, name: string, help: string): void => {
    const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(now()) });
    new Gauge({ name: `${name}_max`, help: `The most that there may be (${setting}).`, registers }).set(most);
  };

  const requests = new Requests(register);
  held(gauges.watches, '--max-watches', 'discovery_watches', 'Open watches: waiting nodes and RPC streams.');
  held(gauges.connections, '--max-connections', 'discovery_connections', 'Open connections.');
  held(
    gauges.requests,
    '--max-at-once',
    'discovery_requests_open',
    'Requests that are not answered yet, waits included.',
  );
  held(
    gauges.tokens,
    '--max-tokens',
    'discovery_tokens',
    'Tokens in the store, those that have ended and are still remembered included. Replicas over one etcd all tell the same.',
  );
  const states = new Gauge({
    name: 'discovery_tokens_by_state',
    help: 'Tokens in the store by state, as they were counted last: about a minute ago, or an hour where there are a million.',
    labelNames: ['state'],
    registers,
    collect: () => {
      for (const [state, count] of Object.entries(gauges.tokensByState() ?? {})) {
        states.set({ state: state.toLowerCase() }, count);
      }
    },
  });
  const refusals = counter(
    'discovery_refusals_total',
    'Calls that the service refused, on every surface, by the reason of the API.',
    ['reason'],
  );
  for (const reason of REASONS) refusals.inc({ reason }, 0);
  const portRefusals = counter(
    'discovery_port_refusals_total',
    'Connections and requests that the port refused by itself, by why.',
    ['reason'],
  );
  for (const reason of PORT_REFUSALS) portRefusals.inc({ reason }, 0);
  const sweeps = counter('discovery_sweeps_total', 'Sweeps for tokens that ended long ago.', ['result']);
  const sweepSeconds = counter('discovery_sweep_seconds_total', 'Time spent in sweeps.', []);
  for (const result of ['ok', 'failed']) sweeps.inc({ result }, 0);
  sweepSeconds.inc(0);
  new Gauge({
    name: 'discovery_build_info',
    help: 'Always 1; the versions of the service and of Node.js are in the labels.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version: gauges.version, node: process.version }, 1);
  const store = createStoreMetrics(register);

  // The names that dashboards of etcd's own discovery service know.
  const old = (path: string): Counter<'code' | 'method'> =>
    counter(
      `endpoint_${path}_requests_total`,
      `How many /${path} requests processed, partitioned by status code and HTTP method.`,
      ['code', 'method'],
    );
  const endpoints = { new: old('new'), token: old('token'), health: old('health') };

  if (processRegistry === undefined) {
    processRegistry = new Registry();
    // At its own pace it would wake an idle process a hundred times a second.
    collectDefaultMetrics({
      register: processRegistry,
      eventLoopMonitoringPrecision: 100,
      eventLoopUtilizationTimeout: 5000,
    });
  }
  const ofProcess = processRegistry;

  return {
    beginWait: (surface) => requests.beginWait(surface),
    count(request) {
      const { surface, target, method, status } = request;
      const verb = verbOf(method);
      requests.count(request, verb);
      const endpoint = endpointOf(surface, target);
      if (endpoint !== undefined) endpoints[endpoint].inc({ code: status, method: verb });
    },
    refused: (reason) => refusals.inc({ reason }),
    portRefused: (reason) => portRefusals.inc({ reason }),
    swept(removed, seconds) {
      sweeps.inc({ result: removed === undefined ? 'failed' : 'ok' });
      sweepSeconds.inc(seconds);
      store.removed(removed ?? 0);
    },
    store,
    text: async () =>
      [await register.metrics(), requests.text(), store.text(), await ofProcess.metrics()].join('\n'),
    contentType: register.contentType,
  };
}

interface Tally {
  readonly labels: { readonly surface: string; readonly method: string; readonly code: string };
  readonly seconds: Series;
  count: number;
}

/** Requests by surface, method and code, and how long they took. Every request passes here: it only adds. */
class Requests {
  readonly #tallies = new Map<string, Tally>();
  readonly #waits = new Map<Surface, number>([
    ['v2', 0],
    ['rpc', 0],
  ]);
  readonly #calls = new Histogram(
    'discovery_request_duration_seconds',
    'From the head of a request to the end of its answer, without waits. For the surface rpc: by RPC; for the others: by HTTP method.',
    SECONDS,
  );
  readonly #ended = new Histogram(
    'discovery_wait_duration_seconds',
    'How long waits lasted: long polls of the v2 dialect, and streams of RPCs.',
    LONG_SECONDS,
  );

  constructor(register: Registry) {
    const total: Counter<'surface' | 'method' | 'code'> = new Counter({
      name: 'discovery_requests_total',
      help: 'Requests answered. For the surface rpc: the RPC and its code; for the others: the HTTP method and status.',
      labelNames: ['surface', 'method', 'code'],
      registers: [register],
      collect: () => {
        total.reset();
        for (const { labels, count } of this.#tallies.values()) total.inc(labels, count);
      },
    });
    const waits: Gauge<'surface'> = new Gauge({
      name: 'discovery_waits',
      help: 'Waits that are open: long polls of the v2 dialect (surface v2), and streams of RPCs (rpc).',
      labelNames: ['surface'],
      registers: [register],
      collect: () => {
        for (const [surface, count] of this.#waits) waits.set({ surface }, count);
      },
    });
  }

  beginWait(surface: Surface): void {
    this.#waits.set(surface, (this.#waits.get(surface) ?? 0) + 1);
  }

  count({ surface, status, kind, seconds, rpc }: Counted, verb: string): void {
    const method = rpc?.method ?? verb;
    const code = rpc?.code ?? String(status);
    const key = `${surface} ${method} ${code} ${kind}`;
    let tally = this.#tallies.get(key);
    if (tally === undefined) {
      const series = kind === 'wait' ? this.#ended.with({ surface }) : this.#calls.with({ surface, method });
      tally = { labels: { surface, method, code }, seconds: series, count: 0 };
      this.#tallies.set(key, tally);
    }
    tally.count += 1;
    tally.seconds.observe(seconds);
    if (kind === 'wait') this.#waits.set(surface, (this.#waits.get(surface) ?? 1) - 1);
  }

  text(): string {
    return this.#calls.text() + this.#ended.text();
  }
}

/** Which of the old counters counts a request. */
function endpointOf(surface: Surface, target: string): 'new' | 'token' | 'health' | undefined {
  if (surface === 'health') return 'health';
  if (surface !== 'v2') return undefined;
  const path = pathOf(target);
  if (path === '/new') return 'new';
  return path === '/version' ? undefined : 'token';
}
