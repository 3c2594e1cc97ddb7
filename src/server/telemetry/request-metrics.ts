import { Counter, Gauge, type Registry } from 'prom-client';
import type { Kind, Route, Surface } from '../route.ts';
import { Histogram, LONG_SECONDS, SECONDS, type Series } from './histogram.ts';

/** Counted is a finished request as it is counted. */
export interface Counted {
  readonly route: Route;
  /** The HTTP method. */
  readonly method: string;
  /** The HTTP status. */
  readonly status: number;
  readonly seconds: number;
  /** The RPC and its result as one of Connect's codes. */
  readonly rpc: { readonly method: string; readonly code: string } | undefined;
}

/** The endpoints in dashboards of etcd's own discovery service. */
type Endpoint = 'new' | 'token' | 'health';

interface Tally {
  readonly endpoint: Endpoint | undefined;
  readonly kind: Kind;
  readonly labels: { readonly surface: string; readonly method: string; readonly code: string };
  readonly seconds: Series;
  count: number;
}

/**
 * RequestMetrics counts requests by surface, method and code, and their duration. Every request passes
 * through here: it only adds.
 */
export class RequestMetrics {
  /** By method: comparing the rest takes less than building a key of all. */
  readonly #tallies = new Map<string, Tally[]>();
  readonly #waits = new Map<Surface, number>([
    ['v2', 0],
    ['rpc', 0],
  ]);
  readonly #calls = new Histogram(
    'discovery_request_duration_seconds',
    'Time from the request headers to the end of the response, without waits. By RPC for the surface rpc, by HTTP method for the others.',
    SECONDS,
  );
  readonly #ended = new Histogram(
    'discovery_wait_duration_seconds',
    'Duration of waits: long polls of the v2 dialect and streaming RPCs.',
    LONG_SECONDS,
  );

  constructor(register: Registry) {
    const total: Counter<'surface' | 'method' | 'code'> = new Counter({
      name: 'discovery_requests_total',
      help: 'Completed requests. By RPC and its code for the surface rpc, by HTTP method and status for the others.',
      labelNames: ['surface', 'method', 'code'],
      registers: [register],
      collect: () => {
        total.reset();
        for (const { labels, count } of this.#all()) total.inc(labels, count);
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
          for (const tally of this.#all()) {
            const { code, method } = tally.labels;
            if (tally.endpoint === endpoint) made.inc({ code, method }, tally.count);
          }
        },
      });
    }
    const waits: Gauge<'surface'> = new Gauge({
      name: 'discovery_waits',
      help: 'Open waits: long polls of the v2 dialect (surface v2) and streaming RPCs (rpc).',
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
    const tally = this.#tallyOf(route, method, code);
    tally.count += 1;
    tally.seconds.observe(seconds);
    if (kind === 'wait') this.#waits.set(surface, (this.#waits.get(surface) ?? 1) - 1);
  }

  #tallyOf(route: Route, method: string, code: string): Tally {
    const { surface, kind } = route;
    const endpoint = endpointOf(route);
    const tallies = this.#tallies.get(method) ?? [];
    for (const known of tallies) {
      const { labels } = known;
      if (labels.code !== code || labels.surface !== surface) continue;
      if (known.endpoint === endpoint && known.kind === kind) return known;
    }
    const seconds = kind === 'wait' ? this.#ended.with({ surface }) : this.#calls.with({ surface, method });
    const tally = { endpoint, kind, labels: { surface, method, code }, seconds, count: 0 };
    this.#tallies.set(method, [...tallies, tally]);
    return tally;
  }

  #all(): Tally[] {
    return [...this.#tallies.values()].flat();
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
