import type { Socket } from 'node:net';
import { type ConnectError, type ContextValues, createContextValues } from '@connectrpc/connect';
import { file_discovery_v1_error } from '../../gen/discovery/v1/error_pb.ts';
import { DiscoveryService } from '../../gen/discovery/v1/service_pb.ts';
import { file_google_rpc_error_details } from '../../gen/google/rpc/error_details_pb.ts';
import { Discovery } from '../discovery/discovery.ts';
import { issueToken } from '../discovery/model.ts';
import { etcdV2Gateway } from '../etcdv2/gateway.ts';
import { isLastChance } from '../etcdv2/last-chance.ts';
import { etcdV3Gateway } from '../etcdv3/gateway.ts';
import { addHealth } from '../grpc/health.ts';
import { addReflection } from '../grpc/reflection.ts';
import { pageHandler } from '../page/handler.ts';
import { EVERYBODY, NEW_TOKENS, NO_METER, RIGHTS } from '../rpc/caller.ts';
import { type DiscoveryClient, inProcessClient } from '../rpc/client.ts';
import { connectError } from '../rpc/errors.ts';
import { discoveryService } from '../rpc/service.ts';
import { hostPort, localUrl } from './address.ts';
import type { Client } from './clients.ts';
import type { Config } from './config.ts';
import { allowCrossOrigin } from './cors.ts';
import { Limiter } from './limiter.ts';
import type { Log } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { type MetricsPort, openMetricsPort } from './metrics-port.ts';
import { observeStore } from './observed-store.ts';
import { servePage } from './own.ts';
import {
  type ConnectionCount,
  openPort,
  type Port,
  type PortHandler,
  type PortRequest,
  schemeOf,
} from './port.ts';
import { openCallers, reloadFiles } from './reload.ts';
import { isProbe, note, type RequestOutcome } from './requests.ts';
import { type Surface, surfaceOf } from './route.ts';
import { rpcHandler } from './rpc.ts';
import { openStore } from './store.ts';
import { startSweeper } from './sweeper.ts';
import type { TlsIdentity } from './tls-files.ts';
import { openTracing } from './tracing.ts';
import { readVersion } from './version.ts';

/** The service, listening. */
export interface RunningServer {
  /** A base URL that works on this machine. */
  readonly url: string;
  readonly port: number;
  readonly discovery: Discovery;
  /** Lets calls finish, tells waiters and streams to come back, and closes the store. */
  stop(): Promise<void>;
}

/**
 * The composition root. With an identity it serves over TLS, else in clear text. Rejects with the store's
 * DiscoveryError, or Node's error of listening.
 */
export async function startServer(config: Config, log: Log, tls?: TlsIdentity): Promise<RunningServer> {
  const version = readVersion();
  const callers = openCallers(config.auth);
  const tracing = openTracing(version);
  const metrics: Metrics = createMetrics({
    version,
    watches: () => discovery.watchers(),
    connections: () => port?.connections() ?? 0,
    tokens: () => opened.tokens(),
    maxTokens: config.policy.maxTokens,
  });
  const { store: opened, description } = await openStore(
    config.store,
    config.policy,
    log,
    metrics.store.batch,
  );
  const store = observeStore(opened, metrics.store, tracing);
  const discovery = new Discovery(store, config.policy);
  const onDefect = (defect: unknown): void => {
    log.error({ err: defect }, 'a defect: a call failed that should not have; please report it');
  };
  const service = discoveryService(discovery, onDefect, metrics.refused);

  let port: Port | undefined;
  const stopping = new AbortController();
  const pages = {
    version,
    metrics: config.metricsListen === undefined ? metrics : undefined,
    urlFor: (request: PortRequest) => config.publicUrl ?? `${schemeOf(request)}://${authorityOf(request)}`,
    notReady: async () => {
      if (stopping.signal.aborted) return 'the service is stopping';
      return store.read(issueToken()).then(
        () => undefined,
        (error: Error) => error.message,
      );
    },
  };
  const anybody = inProcessClient(service);
  const limiter = new Limiter({
    limits: config.limits.perClient,
    trustedProxies: config.trustedProxies,
    log,
  });
  /** What is to be known of a request's sender; undefined when that is nothing. */
  const valuesOf = (request: PortRequest): ContextValues | undefined => {
    const rights = callers.rightsOf(request);
    const { client } = limiter.visitorOf(request);
    if (rights === EVERYBODY && client === undefined) return undefined;
    const values = createContextValues().set(RIGHTS, rights);
    return client === undefined ? values : values.set(NEW_TOKENS, () => limiter.makeToken(client));
  };
  const clientOf = (request: PortRequest): DiscoveryClient => {
    const values = valuesOf(request);
    return values === undefined ? anybody : inProcessClient(service, values);
  };
  const isAnybody = (values: ContextValues): boolean =>
    values.get(RIGHTS) === EVERYBODY && values.get(NEW_TOKENS) === NO_METER;
  const v3 = etcdV3Gateway(({ values }) => (isAnybody(values) ? anybody : inProcessClient(service, values)), {
    identity: { clusterId: opened.clusterId, memberId: opened.clusterId },
    urlFor: (requestUrl) => config.publicUrl ?? new URL(requestUrl).origin,
    signIn: config.auth.file === undefined ? undefined : (name, password) => callers.signIn(name, password),
    stopping: stopping.signal,
    onDefect,
  });
  const rpc = rpcHandler((router) => {
    v3(router.service(DiscoveryService, service));
    addHealth(router, { notReady: pages.notReady, stopping: stopping.signal });
    addReflection(router, {
      details: [file_discovery_v1_error, file_google_rpc_error_details],
      stopping: stopping.signal,
    });
  }, valuesOf);
  const v2 = etcdV2Gateway(clientOf, {
    publicUrl: config.publicUrl,
    pollLimitMs: config.pollLimit,
    version,
    onDefect,
  });
  const page = pageHandler(clientOf, { version, urlFor: pages.urlFor, onDefect });
  const observers = { log, metrics, tracing };
  /** Says why not when a request is one too many of its client. Every surface has its own words for it. */
  const turnAway = (
    client: Client,
    { method, url = '' }: PortRequest,
    surface: Surface,
    outcome: RequestOutcome,
  ): ConnectError | undefined => {
    if (isProbe(surface, url)) return undefined;
    const refusal = limiter.enter(client, surface === 'v2' && isLastChance(method, url));
    if (refusal === undefined) {
      outcome.over = () => limiter.leave(client);
      return undefined;
    }
    outcome.isTurnedAway = true;
    metrics.refused(refusal.reason);
    return connectError(refusal, discovery.now());
  };
  const handler: PortHandler = (request, response) => {
    const surface = surfaceOf(request.url ?? '', request.method, request.headers.accept);
    const { address, client } = limiter.visitorOf(request);
    const outcome: RequestOutcome = { remote: address };
    const span = note(request, response, surface, outcome, observers);
    const refusal = client && turnAway(client, request, surface, outcome);
    const answer = (): unknown => {
      if (surface === 'rpc')
        return allowCrossOrigin(request, response) ? undefined : rpc(request, response, outcome, refusal);
      if (surface === 'v2') return v2(request, response, refusal);
      if (surface === 'page') return page(request, response, refusal);
      return servePage(surface, pages, request, response, refusal);
    };
    return span === undefined ? answer() : span.run(answer);
  };
  let metricsPort: MetricsPort | undefined;
  try {
    metricsPort = config.metricsListen && (await openMetricsPort(config.metricsListen, pages, observers));
    const { connections, requestsAtOnce: requests } = config.limits;
    const connect = (socket: Socket): ConnectionCount | undefined => limiter.connect(socket);
    port = await openPort({
      ...config.listen,
      tls,
      handler,
      log,
      limits: { connections, requests },
      connect,
    });
  } catch (error) {
    await metricsPort?.close();
    await store.close();
    throw error;
  }

  const open = port;
  const url = localUrl(tls === undefined ? 'http' : 'https', config.listen.host, open.port);
  const stopSweeper = startSweeper(discovery, config.sweepInterval, { log, metrics });
  const stopReloading = reloadFiles(config, { callers, port: open, log });
  log.info(
    {
      version,
      url,
      listen: hostPort({ host: open.address, port: open.port }),
      publicUrl: config.publicUrl,
      metrics: metricsPort && `${metricsPort.url}/metrics`,
      store: description,
      next: `curl '${url}/new?size=3'`,
    },
    'serving',
  );
  const stop = async (): Promise<void> => {
    stopReloading();
    discovery.stopWatches();
    stopping.abort();
    const end = await open.drain(config.grace);
    if (end === 'cut') log.warn({ graceMs: config.grace }, 'calls that were not over in time were cut off');
    await stopSweeper();
    await metricsPort?.close();
    await store.close();
  };
  let stopped: Promise<void> | undefined;
  return { url, port: open.port, discovery, stop: () => (stopped ??= stop()) };
}

function authorityOf(request: PortRequest): string {
  return ('authority' in request ? request.authority : request.headers.host) ?? 'localhost';
}
