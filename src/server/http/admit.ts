import type { ConnectError } from '@connectrpc/connect';
import { DiscoveryError } from '../../discovery/errors.ts';
import { comeAgain } from '../../etcdv3/errors.ts';
import { V3_WATCH } from '../../etcdv3/gateway.ts';
import type { RequestHead, ResponseHead } from '../../port/port.ts';
import { connectError } from '../../rpc/errors.ts';
import type { Client } from '../clients/client-table.ts';
import type { Leave, Limiter } from '../clients/limiter.ts';
import type { Route } from '../route.ts';
import { requestIdOf } from '../telemetry/request-id.ts';
import { classify, withoutBase, withoutSlashes } from './classify.ts';
import type { Exchange } from './exchange.ts';
import { type Observers, observe } from './observe.ts';

/** Door limits what clients may use. */
export interface Door {
  readonly limiter: Limiter;
  /** The path of the public URL, which a proxy may leave in requests. */
  readonly basePath: string;
}

/** Admit handles one request: classifies, admits, records and answers it. */
type Admit = <Request extends RequestHead, Response extends ResponseHead>(
  heads: { readonly request: Request; readonly response: Response },
  answer: (exchange: Exchange<Request, Response>) => unknown,
) => unknown;

/** Returns the function through which every request passes. */
export function admission({ limiter, basePath }: Door, observers: Observers): Admit {
  /** Each surface formats an error in its own way. */
  const turnAway = (refusal: DiscoveryError, { path }: Route): ConnectError => {
    observers.metrics.refused(refusal.reason);
    const error = connectError(refusal);
    return path === V3_WATCH ? comeAgain(error) : error;
  };
  return ({ request, response }, answer) => {
    if (basePath !== '' && request.url !== undefined) request.url = withoutBase(request.url, basePath);
    if (request.url?.startsWith('//')) request.url = withoutSlashes(request.url);
    const route = classify(request);
    const { address: remote, client } = limiter.visitorOf(request);
    const entered = enter(limiter, client, route);
    const isRefused = entered instanceof DiscoveryError;
    const exchange = {
      request,
      response,
      route,
      requestId: requestIdOf(request),
      remote,
      refusal: isRefused ? turnAway(entered, route) : undefined,
      leave: isRefused ? undefined : entered,
      outcome: isRefused ? { reason: entered.reason } : {},
    };
    const span = observe(exchange, observers);
    return span === undefined ? answer(exchange) : span.run(() => answer(exchange));
  };
}

/** Counts a request for its client, or returns why it is rejected. Undefined: no limit applies. */
function enter(
  limiter: Limiter,
  client: Client | undefined,
  { surface, kind, isProbe, isLastChance }: Route,
): Leave | DiscoveryError | undefined {
  // RPC watches are counted when they start, because one stream may have many.
  const isWait = surface === 'v2' && kind === 'wait';
  if ((client === undefined && !isWait) || isProbe) return undefined;
  return limiter.enter(client, { isWait, mustPass: isLastChance });
}
