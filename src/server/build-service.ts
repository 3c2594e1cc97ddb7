import { Discovery } from '../discovery/discovery.ts';
import {
  type Http2Call,
  type PortRequest,
  type PortResponse,
  type RequestHead,
  reachedUrl,
} from '../port/port.ts';
import { operatorService } from '../rpc/operator.ts';
import { discoveryService } from '../rpc/service.ts';
import type { Config } from '../settings/config.ts';
import { isFromOwnPage } from '../values/own-page.ts';
import { basePathOf } from '../values/public-url.ts';
import { Limiter } from './clients/limiter.ts';
import { requestClients } from './clients/request-clients.ts';
import { admission } from './http/admit.ts';
import { readPageFiles } from './http/page-files.ts';
import type { ServicePages } from './http/service-pages.ts';
import { surfaces } from './http/surfaces.ts';
import { openStore } from './open-store.ts';
import { readOpenapi } from './openapi.ts';
import { openCallers } from './reload.ts';
import { Story } from './story.ts';
import type { Log } from './telemetry/log.ts';
import { createMetrics, type Metrics } from './telemetry/metrics.ts';
import { observeStore } from './telemetry/observed-store.ts';
import { tokenLabel } from './telemetry/redact.ts';
import { openTracing } from './telemetry/tracing.ts';
import { readVersion } from './version.ts';

/** Scrape returns the text of /metrics, given the function that returns this process's own metrics. */
export type Scrape = (own: Metrics['text']) => Metrics['text'];

/** BuiltService is the service without its ports and background tasks. */
export type BuiltService = Awaited<ReturnType<typeof buildService>>;

/** Builds the service. Rejects with the store's DiscoveryError. */
export async function buildService(config: Config, log: Log, scrape: Scrape) {
  const version = readVersion();
  const urlFor = (request: RequestHead): string => config.publicUrl ?? reachedUrl(request);
  const callers = openCallers(config.auth, (request) => isFromOwnPage(request.headers, urlFor(request)));
  const tracing = openTracing(version);
  const own = createMetrics(version);
  const metrics: Metrics = { ...own, text: scrape(own.text) };
  const opened = await openStore(config.store, config.policy, log, { onBatch: metrics.store.batch });
  const store = observeStore(opened.store, metrics.store, tracing);
  const discovery = new Discovery(store, config.policy);
  const onDefect = (defect: unknown): void => {
    log.error({ err: defect }, 'a defect: a call failed unexpectedly; please report it');
  };
  const story = new Story(log);
  const service = discoveryService(
    discovery,
    onDefect,
    {
      onRefused: metrics.refused,
      onChanged: (written, by) => story.changed(written, by),
      onChangeRefused: (refused) => story.refused(refused),
    },
    { version, auth: config.auth.mode, publicUrl: config.publicUrl },
  );
  const operator = operatorService(discovery, {
    onDefect,
    onRefused: metrics.refused,
    labelOf: tokenLabel,
  });
  const limiter = new Limiter({
    limits: config.limits.perClient,
    maxWatches: config.limits.watches,
    trustedProxies: config.trustedProxies,
    log,
  });
  const stopping = new AbortController();
  const { assets, errorPage } = readPageFiles();
  const pages: ServicePages = {
    version,
    metrics: config.metricsListen === undefined ? metrics : undefined,
    urlFor,
    openapi: readOpenapi(),
    errorPage,
    notReady: async () =>
      stopping.signal.aborted
        ? 'the service is stopping'
        : store.ping().then(
            () => opened.full(),
            (error: Error) => error.message,
          ),
    warning: opened.warning,
  };
  const { answer, calls } = surfaces({
    config,
    service,
    operator,
    clients: requestClients(service, { callers, limiter }),
    callers,
    pages,
    clusterId: opened.store.clusterId,
    stopping: stopping.signal,
    onDefect,
    assets,
  });
  const observers = { log, metrics, tracing };
  const basePath = config.publicUrl === undefined ? '' : basePathOf(config.publicUrl);
  const admit = admission({ limiter, basePath }, observers);
  return {
    version,
    metrics,
    opened,
    store,
    story,
    discovery,
    limiter,
    callers,
    stopping,
    pages,
    observers,
    handler: (request: PortRequest, response: PortResponse) => admit({ request, response }, answer),
    calls: {
      takes: calls.takes,
      answer: (call: Http2Call) =>
        admit({ request: call, response: call }, (exchange) => calls.answer(exchange)),
    },
  };
}
