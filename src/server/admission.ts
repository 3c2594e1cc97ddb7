import type { ConnectError } from '@connectrpc/connect';
import type { Discovery } from '../discovery/discovery.ts';
import { isLastChance } from '../etcdv2/last-chance.ts';
import { comeAgain } from '../etcdv3/errors.ts';
import { V3_WATCH } from '../etcdv3/gateway.ts';
import { connectError } from '../rpc/errors.ts';
import type { Client } from './clients.ts';
import type { Limiter } from './limiter.ts';
import type { PortHandler, PortRequest } from './port.ts';
import { isProbe, note, type Observers, type RequestOutcome } from './requests.ts';
import { type Surface, surfaceOf } from './route.ts';
import type { Answer } from './surfaces.ts';

/** Who sees to it that no client takes too much, and what time it is for those that are told to wait. */
export interface Door {
  readonly limiter: Limiter;
  readonly now: Discovery['now'];
}

/** The way of every request: which surface it is for, whether its client may send it, noted, answered. */
export function admit(answer: Answer, { limiter, now }: Door, observers: Observers): PortHandler {
  /** Says why not when a request is one too many of its client. Every surface has its own words for it. */
  const turnAway = (
    { method, url = '' }: PortRequest,
    surface: Surface,
    outcome: RequestOutcome,
    client: Client,
  ): ConnectError | undefined => {
    if (isProbe(surface, url)) return undefined;
    const isWatch = url === V3_WATCH;
    const refusal = limiter.enter(client, isWatch || (surface === 'v2' && isLastChance(method, url)));
    if (refusal === undefined) {
      outcome.over = () => limiter.leave(client);
      return undefined;
    }
    outcome.isTurnedAway = true;
    observers.metrics.refused(refusal.reason);
    const error = connectError(refusal, now());
    return isWatch ? comeAgain(error) : error;
  };
  return (request, response) => {
    const surface = surfaceOf(request.url ?? '', request.method, request.headers.accept);
    const { address, client } = limiter.visitorOf(request);
    const outcome: RequestOutcome = { remote: address };
    const span = note(request, response, surface, outcome, observers);
    const refusal = client && turnAway(request, surface, outcome, client);
    if (span === undefined) return answer(surface, request, response, outcome, refusal);
    return span.run(() => answer(surface, request, response, outcome, refusal));
  };
}
