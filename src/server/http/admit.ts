import type { ConnectError } from '@connectrpc/connect';
import type { Discovery } from '../../discovery/discovery.ts';
import { DiscoveryError } from '../../discovery/errors.ts';
import { isLastChance } from '../../etcdv2/last-chance.ts';
import { comeAgain } from '../../etcdv3/errors.ts';
import { V3_WATCH } from '../../etcdv3/gateway.ts';
import type { PortHandler, PortRequest } from '../../port/port.ts';
import { connectError } from '../../rpc/errors.ts';
import type { Client } from '../clients/client-table.ts';
import type { Limiter } from '../clients/limiter.ts';
import { surfaceOf } from '../route.ts';
import { type Call, isProbe, kindOf, note, type Observers, type RequestOutcome } from './observe.ts';
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
    { surface, kind }: Call,
    outcome: RequestOutcome,
    client: Client | undefined,
  ): ConnectError | undefined => {
    // Those of RPCs are counted as they begin: there may be many on a stream.
    const isWait = surface === 'v2' && kind === 'wait';
    if ((client === undefined && !isWait) || isProbe(surface, url)) return undefined;
    const isWatch = url === V3_WATCH;
    const mustPass = isWatch || (surface === 'v2' && isLastChance(method, url));
    const entered = limiter.enter(client, { isWait, mustPass });
    if (!(entered instanceof DiscoveryError)) {
      outcome.over = entered;
      return undefined;
    }
    outcome.isTurnedAway = true;
    observers.metrics.refused(entered.reason);
    const error = connectError(entered, now());
    return isWatch ? comeAgain(error) : error;
  };
  return (request, response) => {
    const surface = surfaceOf(request.url ?? '', request.method, request.headers.accept);
    const call: Call = { surface, kind: kindOf(surface, request.url ?? '') };
    const { address, client } = limiter.visitorOf(request);
    const outcome: RequestOutcome = { remote: address };
    const span = note(request, response, call, outcome, observers);
    const refusal = turnAway(request, call, outcome, client);
    if (span === undefined) return answer(surface, request, response, outcome, refusal);
    return span.run(() => answer(surface, request, response, outcome, refusal));
  };
}
