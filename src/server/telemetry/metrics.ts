import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { ErrorReason } from '../../../gen/discovery/v1/error_pb.ts';
import type { Reason } from '../../discovery/errors.ts';
import { PORT_REFUSALS, type PortRefusal } from '../../port/refusals.ts';
import type { Surface } from '../route.ts';
import { counterBy } from './counter-by.ts';
import { type Gauges, registerGauges } from './gauges.ts';
import { type Counted, RequestMetrics } from './request-metrics.ts';
import { createStoreMetrics, type StoreMetrics } from './store-metrics.ts';

export interface Metrics {
  /** Records the start of a wait. It is counted when it ends. */
  beginWait(surface: Surface): void;
  count(request: Counted): void;
  /** Counts a call that the service rejected, on any surface. */
  readonly refused: (reason: Reason) => void;
  /** Counts a connection or request that the port rejected, which no surface has seen. */
  readonly portRefused: (why: PortRefusal) => void;
  /** Records a finished sweep. `removed` is undefined if it failed. */
  swept(removed: number | undefined, seconds: number): void;
  readonly store: StoreMetrics;
  /** Adds gauges, once their sources exist. */
  observe(gauges: Gauges): void;
  /** Returns the metrics in Prometheus' text format. */
  readonly text: () => Promise<string>;
  readonly contentType: string;
}

/** HTTP/2 accepts any word as a method, but a label must be one of few. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

const REASONS = Object.keys(ErrorReason).filter(
  (name): name is Reason => /^[A-Z]/.test(name) && name !== 'UNSPECIFIED',
);

/** Returns the HTTP method, or OTHER. */
export function verbOf(method: string): string {
  return METHODS.has(method) ? method : 'OTHER';
}

export function createMetrics(version: string): Metrics {
  const register = new Registry();
  const requests = new RequestMetrics(register);
  const store = createStoreMetrics(register);
  const ofProcess = processMetrics();
  const sweeps = counterBy(register, {
    name: 'discovery_sweeps_total',
    help: 'Sweeps that remove tokens whose retention is over.',
    label: 'result',
    values: ['ok', 'failed'],
  });
  const sweepSeconds = new Counter({
    name: 'discovery_sweep_seconds_total',
    help: 'Time spent in sweeps.',
    registers: [register],
  });
  new Gauge({
    name: 'discovery_build_info',
    help: 'Always 1; the versions of the service and of Node.js are in the labels.',
    labelNames: ['version', 'node'],
    registers: [register],
  }).set({ version, node: process.version }, 1);
  return {
    beginWait: (surface) => requests.beginWait(surface),
    count: (request) => requests.count(request, verbOf(request.method)),
    refused: counterBy(register, {
      name: 'discovery_refusals_total',
      help: 'Calls that the service rejected, on every surface, by API reason.',
      label: 'reason',
      values: REASONS,
    }),
    portRefused: counterBy(register, {
      name: 'discovery_port_refusals_total',
      help: 'Connections and requests that the port rejected, by reason.',
      label: 'reason',
      values: PORT_REFUSALS,
    }),
    swept(removed, seconds) {
      sweeps(removed === undefined ? 'failed' : 'ok');
      sweepSeconds.inc(seconds);
      store.removed(removed ?? 0);
    },
    store,
    observe: (gauges) => registerGauges(register, gauges),
    text: async () =>
      [await register.metrics(), requests.text(), store.text(), await ofProcess.metrics()].join('\n'),
    contentType: register.contentType,
  };
}

// Of the process, not of one service in it: its observers are never removed.
let processRegistry: Registry | undefined;

function processMetrics(): Registry {
  if (processRegistry !== undefined) return processRegistry;
  processRegistry = new Registry();
  // The default interval would wake an idle process 100 times a second.
  collectDefaultMetrics({
    register: processRegistry,
    eventLoopMonitoringPrecision: 100,
  });
  return processRegistry;
}
