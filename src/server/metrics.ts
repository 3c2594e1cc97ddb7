import { Counter, collectDefaultMetrics, Gauge, Registry } from '@prometheus-io/client';
import { pathOf, type Surface } from './route.ts';

/** A request that is over, as it is counted. */
export interface Counted {
  readonly surface: Surface;
  readonly target: string;
  /** The HTTP method. */
  readonly method: string;
  /** The HTTP status. */
  readonly status: number;
  /** The RPC and how it ended, in Connect's words. */
  readonly rpc?: { readonly method: string; readonly code: string };
}

export interface Metrics {
  count(request: Counted): void;
  /** In Prometheus' text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

export interface Gauges {
  readonly version: string;
  readonly watches: () => number;
  readonly connections: () => number;
}

/** HTTP/2 takes any word for a method, and a label must not. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

// Of the process, not of one service in it: its observers are never given back.
let processRegistry: Registry | undefined;

export function createMetrics(gauges: Gauges): Metrics {
  const register = new Registry();
  const registers = [register];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
    new Counter({ name, help, labelNames, registers });
  const gauge = (name: string, help: string, value: () => number): void => {
    const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(value()) });
  };

  const requests = counter(
    'discovery_requests_total',
    'Requests answered. For the surface rpc: the RPC and its code; for the others: the HTTP method and status.',
    ['surface', 'method', 'code'],
  );
  gauge('discovery_watches', 'Open watches: RPC streams and waiting v2 requests.', gauges.watches);
  gauge('discovery_connections', 'Open connections.', gauges.connections);
  new Gauge({
    name: 'discovery_build_info',
    help: 'Always 1; the version is in the label.',
    labelNames: ['version'],
    registers,
  }).set({ version: gauges.version }, 1);

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
    collectDefaultMetrics({ register: processRegistry });
  }
  const ofProcess = processRegistry;

  return {
    count({ surface, target, method, status, rpc }) {
      const verb = METHODS.has(method) ? method : 'OTHER';
      requests.inc({ surface, method: rpc?.method ?? verb, code: rpc?.code ?? status });
      const endpoint = endpointOf(surface, target);
      if (endpoint !== undefined) endpoints[endpoint].inc({ code: status, method: verb });
    },
    text: async () => `${await register.metrics()}\n${await ofProcess.metrics()}`,
    contentType: register.contentType,
  };
}

/** Which of the old counters counts a request. */
function endpointOf(surface: Surface, target: string): 'new' | 'token' | 'health' | undefined {
  if (surface === 'health') return 'health';
  if (surface !== 'v2') return undefined;
  const path = pathOf(target);
  if (path === '/new') return 'new';
  return path === '/version' ? undefined : 'token';
}
