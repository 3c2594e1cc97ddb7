import { type ContextValues, createContextValues } from '@connectrpc/connect';
import { EVERYBODY, NO_QUOTA, QUOTA, RIGHTS } from '../rpc/caller.ts';
import { type DiscoveryClient, inProcessClient } from '../rpc/client.ts';
import type { discoveryService } from '../rpc/service.ts';
import type { Callers } from './callers.ts';
import type { Limiter } from './limiter.ts';
import type { PortRequest } from './port.ts';

/** Clients of the service in this process that know for whom they call. */
export interface RequestClients {
  /** What is to be known of a request's sender; undefined when that is nothing. */
  readonly valuesOf: (request: PortRequest) => ContextValues | undefined;
  readonly clientOf: (request: PortRequest) => DiscoveryClient;
  readonly clientWith: (values: ContextValues) => DiscoveryClient;
}

export function requestClients(
  service: ReturnType<typeof discoveryService>,
  { callers, limiter }: { readonly callers: Callers; readonly limiter: Limiter },
): RequestClients {
  // One for all of whom there is nothing to know.
  const anybody = inProcessClient(service);
  const valuesOf = (request: PortRequest): ContextValues | undefined => {
    const rights = callers.rightsOf(request);
    const { client } = limiter.visitorOf(request);
    if (rights === EVERYBODY && client === undefined) return undefined;
    const values = createContextValues().set(RIGHTS, rights);
    return client === undefined ? values : values.set(QUOTA, limiter.quotaOf(client));
  };
  return {
    valuesOf,
    clientOf(request) {
      const values = valuesOf(request);
      return values === undefined ? anybody : inProcessClient(service, values);
    },
    clientWith(values) {
      const isAnybody = values.get(RIGHTS) === EVERYBODY && values.get(QUOTA) === NO_QUOTA;
      return isAnybody ? anybody : inProcessClient(service, values);
    },
  };
}
