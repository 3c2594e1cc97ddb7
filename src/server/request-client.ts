import { type ContextValues, createContextValues } from '@connectrpc/connect';
import { EVERYBODY, NO_QUOTA, QUOTA, type Quota, RIGHTS, type Rights } from '../rpc/caller.ts';
import { type DiscoveryClient, inProcessClient } from '../rpc/client.ts';
import type { discoveryService } from '../rpc/service.ts';
import type { Callers } from './callers.ts';
import type { Client } from './clients.ts';
import type { Limiter } from './limiter.ts';
import type { PortRequest } from './port.ts';

/** Clients of the service in this process that know for whom they call. */
export interface RequestClients {
  /** What is to be known of a request's sender. */
  readonly valuesOf: (request: PortRequest) => ContextValues;
  /** Its watches are not counted: a request of HTTP that waits is counted as it comes. */
  readonly clientOf: (request: PortRequest) => DiscoveryClient;
  readonly clientWith: (values: ContextValues) => DiscoveryClient;
}

/** The values of a sender's calls. */
interface Sender {
  readonly counted: ContextValues;
  /** Its watches take nothing of its quota. */
  readonly uncounted: ContextValues;
}

export function requestClients(
  service: ReturnType<typeof discoveryService>,
  { callers, limiter }: { readonly callers: Callers; readonly limiter: Limiter },
): RequestClients {
  const know = (rights: Rights, client: Client | undefined): Sender => {
    const quota = limiter.quotaOf(client);
    return {
      counted: valuesFor(rights, quota),
      uncounted: valuesFor(rights, { ...quota, watch: () => NO_QUOTA.watch() }),
    };
  };
  // Nearly all requests are of somebody without credentials: made once for each address.
  const anybody = know(EVERYBODY, undefined);
  const strangers = new WeakMap<Client, Sender>();
  const senderOf = (request: PortRequest): Sender => {
    const rights = callers.rightsOf(request);
    const { client } = limiter.visitorOf(request);
    if (rights !== EVERYBODY) return know(rights, client);
    if (client === undefined) return anybody;
    let known = strangers.get(client);
    if (known === undefined) {
      known = know(rights, client);
      strangers.set(client, known);
    }
    return known;
  };
  const clients = new WeakMap<ContextValues, DiscoveryClient>();
  const clientWith = (values: ContextValues): DiscoveryClient => {
    let client = clients.get(values);
    if (client === undefined) {
      client = inProcessClient(service, values);
      clients.set(values, client);
    }
    return client;
  };
  return {
    valuesOf: (request) => senderOf(request).counted,
    clientOf: (request) => clientWith(senderOf(request).uncounted),
    clientWith,
  };
}

function valuesFor(rights: Rights, quota: Quota): ContextValues {
  return createContextValues().set(RIGHTS, rights).set(QUOTA, quota);
}
