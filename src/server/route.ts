/** Surface says which part of the service answers a request. `v2` also answers unknown paths. */
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

/** Kind: a call is answered at once; a wait (a v2 long poll or an RPC stream) when something happens. */
export type Kind = 'call' | 'wait';

/** Route is the classification of a request by its head. */
export interface Route {
  readonly surface: Surface;
  readonly kind: Kind;
  /** The target without its query. */
  readonly path: string;
  /** Whether it is a probe or a scrape, sent every few seconds: no limit applies. */
  readonly isProbe: boolean;
  /** Whether it is not worth a log line at the usual level. */
  readonly isQuiet: boolean;
  /** Whether a node gives up if this request is rejected. */
  readonly isLastChance: boolean;
}

export function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  return end < 0 ? target : target.slice(0, end);
}
