import { Counter, Gauge, type Registry } from 'prom-client';
import type { Route, Surface } from '../route.ts';
import { Histogram, LONG_SECONDS, SECONDS, type Series } from './histogram.ts';

/** A request that is over, as it is counted. */
export interface Counted {
  readonly route: Route;
  /** The HTTP method. */
  readonly method: string;
  /** The HTTP status. */
  readonly status: number;
  readonly seconds: number;
  /** The RPC and how it ended, in Connect's words. */
  readonly rpc: { readonly method: string; readonly code: string } | undefined;
}

/** What dashboards of etcd's own discovery service know. */
type Endpoint = 'new' | 'token' | 'health';

interface Tally {
  readonly endpoint: Endpoint | undefined;
  readonly labels: { readonly surface: string; readonly method: string; readonly code: string };
  readonly seconds: Series;
  count: number;
}

/** Requests by surface, method and code, and how long they took. Every request passes here: it only adds. */
export class RequestMetrics {
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
    for (const endpoint of ['new', 'token', 'health'] as const) {
      const made: Counter<'code' | 'method'> = new Counter({
        name: `endpoint_${endpoint}_requests_total`,
        help: `How many /${endpoint} requests processed, partitioned by status code and HTTP method.`,
        labelNames: ['code', 'method'],
        registers: [register],
        collect: () => {
          made.reset();
          for (const tally of this.#tallies.values()) {
            const { code, method } = tally.labels;
            if (tally.endpoint === endpoint) made.inc({ code, method }, tally.count);
          }
        },
      });
    }
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

  count({ route, status, seconds, rpc }: Counted, verb: string): void {
    const { surface, kind } = route;
    const method = rpc?.method ?? verb;
    const code = rpc?.code ?? String(status);
    const endpoint = endpointOf(route);
    const key = `${surface} ${endpoint} ${method} ${code} ${kind}`;
    let tally = this.#tallies.get(key);
    if (tally === undefined) {
      const series = kind === 'wait' ? this.#ended.with({ surface }) : this.#calls.with({ surface, method });
      tally = { endpoint, labels: { surface, method, code }, seconds: series, count: 0 };
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

function endpointOf({ surface, path }: Route): Endpoint | undefined {
  if (surface === 'health') return 'health';
  if (surface !== 'v2') return undefined;
  if (path === '/new') return 'new';
  return path === '/version' ? undefined : 'token';
}
