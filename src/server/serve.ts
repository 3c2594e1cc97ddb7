import type { Discovery } from '../discovery/discovery.ts';
import { openPort, type Port } from '../port/port.ts';
import type { TlsIdentity } from '../port/tls.ts';
import type { Config } from '../settings/config.ts';
import { hostPort, localUrl } from '../values/address.ts';
import { type BuiltService, buildService, type Scrape } from './build-service.ts';
import { watchExpiries } from './expiries.ts';
import { type MetricsPort, openMetricsPort } from './http/metrics-port.ts';
import { reloadFiles } from './reload.ts';
import { startSweeper } from './sweeper.ts';
import type { Log } from './telemetry/log.ts';

/** RunningServer is the listening service. */
export interface RunningServer {
  /** A base URL that works on this machine. */
  readonly url: string;
  readonly port: number;
  readonly discovery: Discovery;
  /** Information for the operator, as fields of the log. */
  readonly about: Readonly<Record<string, string | undefined>>;
  /** Lets calls finish, tells waiting clients and streams to retry, and closes the store. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** Undefined: plaintext. */
  readonly tls?: TlsIdentity | undefined;
  /** For a process that serves next to others. */
  readonly scrape?: Scrape | undefined;
}

/**
 * The composition root: starts the service. With an identity it serves over TLS, otherwise in plaintext.
 * Rejects with the store's DiscoveryError, or Node's error of listening.
 */
export async function startServer(
  config: Config,
  log: Log,
  { tls, scrape = (own) => own }: ServerOptions = {},
): Promise<RunningServer> {
  const service = await buildService(config, log, scrape);
  const { version, metrics, opened, store, story, discovery, limiter, callers, stopping } = service;
  const { port, metricsPort } = await openPorts(config, service, tls).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  const { connections, requestsAtOnce, watches } = config.limits;
  metrics.observe({
    watches: { now: () => limiter.watches, most: watches },
    connections: { now: () => port.connections(), most: connections },
    requests: { now: () => port.requests(), most: requestsAtOnce },
    tokens: { now: () => opened.store.tokens(), most: config.policy.maxTokens },
    bytes: { now: () => opened.store.bytes(), most: config.policy.maxBytes },
    room: opened.store.room?.bind(opened.store),
  });
  const stopExpiries = watchExpiries(discovery, (cluster) => story.expired(cluster));
  const stopSweeper = startSweeper(discovery, config.sweepInterval, { log, metrics });
  const stopReloading = reloadFiles(config, { callers, port, log });
  const stop = async (): Promise<void> => {
    stopReloading();
    stopExpiries();
    discovery.stopWatches();
    stopping.abort();
    const end = await port.drain(config.grace);
    if (end === 'cut')
      log.warn({ graceMs: config.grace }, 'some calls did not finish in time and were aborted');
    await stopSweeper();
    await metricsPort?.close();
    await store.close();
  };
  let stopped: Promise<void> | undefined;
  const host = config.listen.fd === undefined ? config.listen.host : port.address;
  const url = localUrl(tls === undefined ? 'http' : 'https', host, port.port);
  return {
    url,
    port: port.port,
    discovery,
    about: {
      version,
      url,
      listen: hostPort({ host: port.address, port: port.port }),
      publicUrl: config.publicUrl,
      metrics: metricsPort && `${metricsPort.url}/metrics`,
      store: opened.description,
      next: `curl '${url}/new?size=3'`,
    },
    stop: () => (stopped ??= stop()),
  };
}

/** Listens on the service's address, and on that of the metrics if they have their own. */
async function openPorts(
  { listen, metricsListen, limits }: Config,
  { pages, observers, handler, calls, limiter }: BuiltService,
  tls: TlsIdentity | undefined,
): Promise<{ port: Port; metricsPort: MetricsPort | undefined }> {
  const { log, metrics, tracing } = observers;
  const metricsPort =
    metricsListen &&
    (await openMetricsPort(metricsListen, { ...pages, errorPage: () => undefined }, observers));
  try {
    const port = await openPort({
      ...listen,
      tls,
      handler,
      calls,
      onArrival: (request) => tracing?.arrive(request),
      log,
      errorPage: pages.errorPage,
      limits: { connections: limits.connections, requests: limits.requestsAtOnce },
      onRefused: metrics.portRefused,
      connect: (socket) => limiter.connect(socket),
      clientOf: (request) => limiter.nameOf(request),
      onFlood: (socket) => limiter.pause(socket),
    });
    return { port, metricsPort };
  } catch (error) {
    await metricsPort?.close();
    throw error;
  }
}
