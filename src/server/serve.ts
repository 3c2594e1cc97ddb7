import { Discovery } from '../discovery/discovery.ts';
import type { Store } from '../discovery/store.ts';
import type { Token } from '../discovery/types.ts';
import { openPort, type Port, reachedUrl } from '../port/port.ts';
import type { TlsIdentity } from '../port/tls.ts';
import { discoveryService } from '../rpc/service.ts';
import type { Config } from '../settings/config.ts';
import { hostPort, localUrl } from '../values/address.ts';
import type { PeerWarning } from '../values/peer-warnings.ts';
import { Limiter } from './clients/limiter.ts';
import { requestClients } from './clients/request-clients.ts';
import { admitRequests } from './http/admit.ts';
import { type MetricsPort, openMetricsPort } from './http/metrics-port.ts';
import type { OwnPages } from './http/own-pages.ts';
import { surfaces } from './http/surfaces.ts';
import { openStore } from './open-store.ts';
import { openCallers, reloadFiles } from './reload.ts';
import { startSweeper } from './sweeper.ts';
import type { Log } from './telemetry/log.ts';
import { createMetrics, type Metrics } from './telemetry/metrics.ts';
import { observeStore } from './telemetry/observed-store.ts';
import { tokenLabel } from './telemetry/redact.ts';
import { startCensus } from './telemetry/token-census.ts';
import { openTracing } from './telemetry/tracing.ts';
import { readVersion } from './version.ts';

/** The service, listening. */
export interface RunningServer {
  /** A base URL that works on this machine. */
  readonly url: string;
  readonly port: number;
  readonly discovery: Discovery;
  /** What the operator is told of it, as fields of the log. */
  readonly about: Readonly<Record<string, string | undefined>>;
  /** Lets calls finish, tells waiters and streams to come back, and closes the store. */
  stop(): Promise<void>;
}

/** Makes what /metrics answers with from what does so for this process alone. */
export type Scrape = (own: Metrics['text']) => Metrics['text'];

export interface ServerOptions {
  /** Undefined: clear text. */
  readonly tls?: TlsIdentity | undefined;
  /** For a process that serves beside others. */
  readonly scrape?: Scrape | undefined;
}

/**
 * The composition root. With an identity it serves over TLS, else in clear text. Rejects with the store's
 * DiscoveryError, or Node's error of listening.
 */
export async function startServer(
  config: Config,
  log: Log,
  { tls, scrape = (own) => own }: ServerOptions = {},
): Promise<RunningServer> {
  const version = readVersion();
  const callers = openCallers(config.auth);
  const tracing = openTracing(version);
  const ownMetrics: Metrics = createMetrics({
    version,
    watches: { now: () => limiter.watches, most: config.limits.watches },
    connections: { now: () => port?.connections() ?? 0, most: config.limits.connections },
    requests: { now: () => port?.requests() ?? 0, most: config.limits.requestsAtOnce },
    tokens: { now: () => opened.tokens(), most: config.policy.maxTokens },
    tokensByState: () => census.counts(),
  });
  const metrics: Metrics = { ...ownMetrics, text: scrape(ownMetrics.text) };
  const { store: opened, description } = await openStore(config.store, config.policy, log, {
    onBatch: metrics.store.batch,
  });
  const store = observeStore(opened, metrics.store, tracing);
  const discovery = new Discovery(store, config.policy);
  const census = startCensus(store, () => discovery.now());
  const onDefect = (defect: unknown): void => {
    log.error({ err: defect }, 'a defect: a call failed that should not have; please report it');
  };
  const onWarning = (token: Token, { kind, members, text }: PeerWarning): void => {
    log.warn(
      { token: tokenLabel(token), warning: kind, members },
      `the peer URLs of a cluster look wrong: ${text}`,
    );
  };
  const service = discoveryService(discovery, onDefect, metrics.refused, onWarning);

  const stopping = new AbortController();
  const pages = ownPages(config, { version, metrics, store, stopping: stopping.signal });
  const limiter = new Limiter({
    limits: config.limits.perClient,
    maxWatches: config.limits.watches,
    trustedProxies: config.trustedProxies,
    log,
  });
  const answer = surfaces({
    config,
    service,
    clients: requestClients(service, { callers, limiter }),
    callers,
    pages,
    clusterId: opened.clusterId,
    stopping: stopping.signal,
    onDefect,
  });
  const observers = { log, metrics, tracing };

  let port: Port | undefined;
  let metricsPort: MetricsPort | undefined;
  try {
    metricsPort = config.metricsListen && (await openMetricsPort(config.metricsListen, pages, observers));
    const { connections, requestsAtOnce: requests } = config.limits;
    port = await openPort({
      ...config.listen,
      tls,
      handler: admitRequests(answer, { limiter, now: () => discovery.now() }, observers),
      log,
      limits: { connections, requests },
      onRefused: metrics.portRefused,
      connect: (socket) => limiter.connect(socket),
      onFlood: (socket) => limiter.pause(socket),
    });
  } catch (error) {
    census.stop();
    await metricsPort?.close();
    await store.close();
    throw error;
  }

  const open = port;
  const host = config.listen.fd === undefined ? config.listen.host : open.address;
  const url = localUrl(tls === undefined ? 'http' : 'https', host, open.port);
  const stopSweeper = startSweeper(discovery, config.sweepInterval, { log, metrics });
  const stopReloading = reloadFiles(config, { callers, port: open, log });
  const stop = async (): Promise<void> => {
    stopReloading();
    census.stop();
    discovery.stopWatches();
    stopping.abort();
    const end = await open.drain(config.grace);
    if (end === 'cut') log.warn({ graceMs: config.grace }, 'calls that were not over in time were cut off');
    await stopSweeper();
    await metricsPort?.close();
    await store.close();
  };
  let stopped: Promise<void> | undefined;
  return {
    url,
    port: open.port,
    discovery,
    about: {
      version,
      url,
      listen: hostPort({ host: open.address, port: open.port }),
      publicUrl: config.publicUrl,
      metrics: metricsPort && `${metricsPort.url}/metrics`,
      store: description,
      next: `curl '${url}/new?size=3'`,
    },
    stop: () => (stopped ??= stop()),
  };
}

/** What the pages about the service itself have to know. */
function ownPages(
  { metricsListen, publicUrl }: Config,
  {
    version,
    metrics,
    store,
    stopping,
  }: { version: string; metrics: Metrics; store: Store; stopping: AbortSignal },
): OwnPages {
  return {
    version,
    metrics: metricsListen === undefined ? metrics : undefined,
    urlFor: (request) => publicUrl ?? reachedUrl(request),
    notReady: async () => {
      if (stopping.aborted) return 'the service is stopping';
      return store.ping().then(
        () => undefined,
        (error: Error) => error.message,
      );
    },
  };
}
