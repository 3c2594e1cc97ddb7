import { createContextValues } from '@connectrpc/connect';
import { file_discovery_v1_error } from '../../gen/discovery/v1/error_pb.ts';
import { DiscoveryService } from '../../gen/discovery/v1/service_pb.ts';
import { Discovery } from '../discovery/discovery.ts';
import { issueToken } from '../discovery/model.ts';
import { etcdV2Gateway } from '../etcdv2/gateway.ts';
import { etcdV3Gateway } from '../etcdv3/gateway.ts';
import { addHealth } from '../grpc/health.ts';
import { addReflection } from '../grpc/reflection.ts';
import { pageHandler } from '../page/handler.ts';
import { EVERYBODY, RIGHTS, type Rights } from '../rpc/caller.ts';
import { type DiscoveryClient, inProcessClient } from '../rpc/client.ts';
import { discoveryService } from '../rpc/service.ts';
import { hostPort, localUrl } from './address.ts';
import type { Config } from './config.ts';
import { allowCrossOrigin } from './cors.ts';
import type { Log } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { type MetricsPort, openMetricsPort } from './metrics-port.ts';
import { observeStore } from './observed-store.ts';
import { servePage } from './own.ts';
import { openPort, type Port, type PortHandler, type PortRequest, schemeOf } from './port.ts';
import { openCallers, reloadFiles } from './reload.ts';
import { note } from './requests.ts';
import { surfaceOf } from './route.ts';
import { type RpcOutcome, rpcHandler } from './rpc.ts';
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
  /** For most requests there is nothing to say of their senders, and one client does. */
  const clientFor = (rights: Rights): DiscoveryClient =>
    rights === EVERYBODY ? anybody : inProcessClient(service, createContextValues().set(RIGHTS, rights));
  const rightsOf = (request: PortRequest): Rights => callers.rightsOf(request);
  const clientOf = (request: PortRequest): DiscoveryClient => clientFor(rightsOf(request));
  const v3 = etcdV3Gateway(({ values }) => clientFor(values.get(RIGHTS)), {
    identity: { clusterId: opened.clusterId, memberId: opened.clusterId },
    urlFor: (requestUrl) => config.publicUrl ?? new URL(requestUrl).origin,
    signIn: config.auth.file === undefined ? undefined : (name, password) => callers.signIn(name, password),
    stopping: stopping.signal,
    onDefect,
  });
  const rpc = rpcHandler((router) => {
    v3(router.service(DiscoveryService, service));
    addHealth(router, { notReady: pages.notReady, stopping: stopping.signal });
    addReflection(router, { details: [file_discovery_v1_error], stopping: stopping.signal });
  }, rightsOf);
  const v2 = etcdV2Gateway(clientOf, {
    publicUrl: config.publicUrl,
    pollLimitMs: config.pollLimit,
    version,
    onDefect,
  });
  const page = pageHandler(clientOf, { version, urlFor: pages.urlFor, onDefect });
  const observers = { log, metrics, tracing };
  const handler: PortHandler = (request, response) => {
    const surface = surfaceOf(request.url ?? '', request.method, request.headers.accept);
    const outcome: RpcOutcome = {};
    const span = note(request, response, surface, outcome, observers);
    const answer = (): unknown => {
      if (surface === 'rpc')
        return allowCrossOrigin(request, response) ? undefined : rpc(request, response, outcome);
      if (surface === 'v2') return v2(request, response);
      if (surface === 'page') return page(request, response);
      return servePage(surface, pages, request, response);
    };
    return span === undefined ? answer() : span.run(answer);
  };
  let metricsPort: MetricsPort | undefined;
  try {
    metricsPort = config.metricsListen && (await openMetricsPort(config.metricsListen, pages, observers));
    port = await openPort({ ...config.listen, tls, handler, log });
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
