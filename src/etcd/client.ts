import type { DiscoveryClient } from '../client/discovery-client.ts';
import type { Work } from '../work.ts';

export type { DiscoveryClient };

/** LocalClient calls the service in the same process. */
export interface LocalClient extends DiscoveryClient {
  /** Returns the store's revision. Rejects if the store is unavailable. */
  revision(): Promise<bigint>;
  /** The work budget of the caller that it acts for. */
  readonly work: Work;
}

/** Returns the message that every response of its kind has, which protobuf cannot express in its types. */
export function requireMessage<T>(message: T | undefined): T {
  if (message === undefined) throw new TypeError('the response of the discovery service is incomplete');
  return message;
}
