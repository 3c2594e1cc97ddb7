import { type ContextValues, createContextValues } from '@connectrpc/connect';
import type { LocalClient } from '../../etcd/client.ts';
import type { RequestHead } from '../../port/port.ts';
import {
  ADDRESS,
  EVERYBODY,
  NO_QUOTA,
  QUOTA,
  type Quota,
  RESOLVE_CALLER,
  type ResolveCaller,
} from '../../rpc/caller.ts';
import { inProcessClient } from '../../rpc/client.ts';
import type { LocalService } from '../../rpc/service.ts';
import type { Work } from '../../work.ts';
import type { Callers } from './callers.ts';
import type { Client } from './client-table.ts';
import type { Limiter } from './limiter.ts';

/** RequestClients are the clients of the service in this process that act for the sender of a request. */
export interface RequestClients {
  /**
   * Returns the information about the sender of a request. New for each request, because results are added to
   * it.
   */
  readonly valuesOf: (request: RequestHead) => ContextValues;
  /**
   * Returns a client whose watches are not counted: a waiting HTTP request is counted when it is admitted.
   */
  readonly clientOf: (request: RequestHead) => LocalClient;
  readonly clientWith: (values: ContextValues) => LocalClient;
  /** Returns the work budget to which a response is charged. */
  readonly workOf: (request: RequestHead) => Work;
}

/** The sender of requests. */
interface Requester {
  readonly quota: Quota;
  readonly values: ContextValues;
  /** Its watches do not use the quota. */
  readonly uncounted: LocalClient;
}

export function requestClients(
  service: LocalService,
  { callers, limiter }: { readonly callers: Callers; readonly limiter: Limiter },
): RequestClients {
  const know = (resolve: ResolveCaller, client: Client | undefined): Requester => {
    const quota = limiter.quotaOf(client);
    const values = valuesFor(resolve, quota, client);
    const waiting = valuesFor(resolve, { ...quota, watch: () => NO_QUOTA.watch() }, client);
    return { quota, values, uncounted: inProcessClient(service, waiting) };
  };
  // Nearly all requests have no credentials: created once for each address.
  const anybody = know(EVERYBODY, undefined);
  const strangers = new WeakMap<Client, Requester>();
  const requesterOf = (request: RequestHead): Requester => {
    const resolve = callers.resolverOf(request);
    const { client } = limiter.visitorOf(request);
    if (resolve !== EVERYBODY) return know(resolve, client);
    if (client === undefined) return anybody;
    let known = strangers.get(client);
    if (known === undefined) {
      known = know(resolve, client);
      strangers.set(client, known);
    }
    return known;
  };
  return {
    valuesOf: (request) => withRoom(requesterOf(request).values),
    clientOf: (request) => requesterOf(request).uncounted,
    clientWith: (values) => inProcessClient(service, values),
    workOf: (request) => requesterOf(request).quota,
  };
}

function valuesFor(resolve: ResolveCaller, quota: Quota, client: Client | undefined): ContextValues {
  return createContextValues().set(RESOLVE_CALLER, resolve).set(QUOTA, quota).set(ADDRESS, client?.name);
}

/** Returns values that inherit those of the sender, so that only what a call adds is its own. */
function withRoom(values: ContextValues): ContextValues {
  return Object.create(values) as ContextValues;
}
