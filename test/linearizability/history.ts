// The calls of concurrent clients in any dialect, and their responses.

/** A client's call on one token. */
export type Call =
  | { readonly kind: 'create'; readonly size: number }
  | Register
  | { readonly kind: 'deregister'; readonly id: string }
  | { readonly kind: 'list' | 'size' | 'get' | 'delete' | 'reopen' };

export interface Register {
  readonly kind: 'register';
  readonly id: string;
  readonly name: string;
  readonly mode: 'CREATE' | 'REPLACE' | 'SET';
  readonly standby: boolean;
}

export interface SeenMember {
  readonly id: string;
  readonly name: string;
  readonly created: number;
  readonly modified: number;
}

/** The response, with the facts that the dialect contains. */
export type CallOutcome =
  | ({ readonly status: 'OK'; readonly revision: number } & Facts)
  /** One of the reasons is the right one: the v2 dialect has fewer errors than the API. */
  | { readonly status: 'REFUSED'; readonly reasons: readonly string[] }
  /** No keys, or no key deleted. */
  | { readonly status: 'ABSENT' }
  /** No response, or one that leaves open whether the call took effect. */
  | { readonly status: 'UNKNOWN' }
  /** Never received by the service: it did not take effect. */
  | { readonly status: 'UNSENT' };

interface Facts {
  readonly did?: 'CREATED' | 'REPLACED' | 'UNCHANGED' | undefined;
  readonly created?: number;
  readonly modified?: number;
  readonly size?: number;
  readonly count?: number;
  readonly deleted?: boolean;
  readonly members?: readonly SeenMember[];
}

/** A call with its begin and end in ns, by one clock for all clients. */
export interface RecordedCall {
  readonly token: string;
  readonly client: number;
  readonly begin: number;
  readonly end: number;
  readonly call: Call & { readonly dialect?: string };
  readonly outcome: CallOutcome;
}

export const READS: ReadonlySet<Call['kind']> = new Set(['list', 'size', 'get']);

/** Makes a call in one dialect. */
export type Dialect = (url: string, token: string, call: Call) => Promise<CallOutcome>;

/** Returns a peer URL that is always the same for a name, and differs between names. */
export function peerUrlOf(name: string): string {
  const [, i = '0', variant = 'a'] = /^m(\d+)([a-z])$/.exec(name) ?? [];
  return `http://10.0.${variant.charCodeAt(0)}.${i}:2380`;
}

export function linesOf(history: readonly RecordedCall[]): string {
  return history.map((each) => `${JSON.stringify(each)}\n`).join('');
}
