import { Counter, collectDefaultMetrics, Gauge, Registry } from '@prometheus-io/client';
import { ErrorReason } from '../../../gen/discovery/v1/error_pb.ts';
import type { Reason } from '../../discovery/errors.ts';
import { PORT_REFUSALS, type PortRefusal } from '../../port/refusals.ts';
import type { Surface } from '../call.ts';
import { type Counted, RequestMetrics } from './request-metrics.ts';
import { createStoreMetrics, type StoreMetrics } from './store-metrics.ts';
import type { Counts } from './token-census.ts';

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

  const requests = new RequestMetrics(register);
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
    count: (request) => requests.count(request, verbOf(request.method)),
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
