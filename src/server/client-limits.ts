import type { Rate } from './rate.ts';

/** What one client may have of the service. A client is an address, of IPv6 a /64. */
export interface ClientLimits {
  /** Requests, probes and metrics left out. */
  readonly requests: Rate | 'off';
  readonly newTokens: Rate | 'off';
  /** Connections open at once. */
  readonly connections: number;
  /** Requests at once: waiters and streams are requests that take long. */
  readonly requestsAtOnce: number;
}

export const DEFAULT_CLIENT_LIMITS = {
  /** A read costs as little as its refusal; and behind a proxy that is not in --trusted-proxies all are one client. */
  requests: 'off',
  /**
   * A thousand at once for whoever makes many for others. Those of one a second are forgotten in 14 days, as many
   * as are made meanwhile: 1.2 million, so that no client alone fills the 2 million of --max-tokens.
   */
  newTokens: '1/s:1000',
  /** A quarter of all, and five for each node of the largest cluster behind one address. */
  connections: 5000,
  /** A fifth of all, and ten for each such node. */
  requestsAtOnce: 10_000,
} as const;

export const CLIENT_TABLE = {
  /** Clients remembered: 10 to 20 MB. Past it the one that was seen first goes, and has its burst again. */
  clients: 100_000,
  /** Looked at for each new client: two are forgotten for one that comes, where they can be. */
  looks: 2,
  /** Connections of one client past its limit that are told so; those past these are dropped. */
  refusals: 20,
  /** Until there is room again is not known: when to try again, in ms. */
  pause: 5000,
} as const;
