/** Who answers a request. `v2` is also the answer for whatever nobody else knows. */
export type Surface =
  | 'rpc'
  | 'home'
  | 'live'
  | 'health'
  | 'robots'
  | 'openapi'
  | 'metrics'
  | 'page'
  | 'start'
  | 'v2';

/** A call is answered at once; a wait (a long poll of the v2 dialect, a stream of an RPC) when something happens. */
export type Kind = 'call' | 'wait';

/** What a request is, as its head tells. */
export interface Route {
  readonly surface: Surface;
  readonly kind: Kind;
  /** The target without its query. */
  readonly path: string;
  /** Probes and scrapers send it every few seconds: no limit holds for it. */
  readonly isProbe: boolean;
  /** Not worth a line of the log at its usual level. */
  readonly isQuiet: boolean;
  /** A node that is refused this gives up. */
  readonly isLastChance: boolean;
}

export function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  return end < 0 ? target : target.slice(0, end);
}
