import { DiscoveryError } from '../../discovery/errors.ts';
import { REQUEST_LIMITS } from '../../limits.ts';
import { listenProblem } from '../../port/listen-problem.ts';
import { NO_STORE, openPort, type PortHandler } from '../../port/port.ts';
import { type ListenAddress, localUrl } from '../../values/address.ts';
import { shownAddress } from '../../values/ip.ts';
import { requestIdOf } from '../telemetry/request-id.ts';
import { classify } from './classify.ts';
import type { Exchange } from './exchange.ts';
import { type Observers, observe } from './observe.ts';
import { type ServicePages, servePage } from './service-pages.ts';

/** Time for a scrape in progress, in ms. */
const GRACE_MS = 1000;

/** MetricsPort serves the metrics if they have their own address. */
export interface MetricsPort {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the metrics and the probes in plaintext. Rejects with INVALID_ARGUMENT if it cannot listen. */
export async function openMetricsPort(
  listen: ListenAddress,
  pages: ServicePages,
  observers: Observers,
): Promise<MetricsPort> {
  const handler: PortHandler = (request, response) => {
    const route = classify(request);
    const { surface } = route;
    if (surface !== 'metrics' && surface !== 'live' && surface !== 'health') {
      response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8', ...NO_STORE });
      response.end('This port serves only /metrics, /livez and /readyz.\n');
      return undefined;
    }
    const exchange: Exchange = {
      request,
      response,
      route,
      requestId: requestIdOf(request),
      remote: shownAddress(request.socket.remoteAddress),
      refusal: undefined,
      leave: undefined,
      outcome: {},
    };
    observe(exchange, { ...observers, tracing: undefined });
    return servePage(surface, { ...pages, metrics: observers.metrics }, request, response);
  };
  try {
    const port = await openPort({
      ...listen,
      handler,
      log: observers.log,
      limits: { connections: REQUEST_LIMITS.metricsConnections },
    });
    return {
      url: localUrl('http', listen.host, port.port),
      close: async () => void (await port.drain(GRACE_MS)),
    };
  } catch (error) {
    const problem = listenProblem(error, listen, '--metrics-addr');
    if (problem === undefined) throw error;
    throw new DiscoveryError('INVALID_ARGUMENT', problem, { cause: error });
  }
}
