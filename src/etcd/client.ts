import type { DiscoveryClient } from '../client/discovery-client.ts';
import type { Work } from '../work.ts';

export type { DiscoveryClient };

/** That of the service in the same process. */
export interface LocalClient extends DiscoveryClient {
  /** The store's revision. Rejects when the store is not well. */
  revision(): Promise<bigint>;
  /** Of what whoever it speaks for has. */
  readonly work: Work;
}

/** The message that every answer of its kind carries; protobuf cannot say so in its types. */
export function requireMessage<T>(message: T | undefined): T {
  if (message === undefined) throw new TypeError('the answer of the discovery service lacks a message');
  return message;
}
