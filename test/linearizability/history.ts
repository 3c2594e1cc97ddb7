// What clients did at once, and what each was told, whatever dialect it spoke.

/** What a client asks for, of one token. */
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

export interface Seen {
  readonly id: string;
  readonly name: string;
  readonly created: number;
  readonly modified: number;
}

/** What the client was told; of a call's facts those that its dialect tells. */
export type Outcome =
  | ({ readonly status: 'OK'; readonly revision: number } & Facts)
  /** One of the reasons is the right one: the v2 dialect has fewer words than the API. */
  | { readonly status: 'REFUSED'; readonly reasons: readonly string[] }
  /** No keys, or none deleted. */
  | { readonly status: 'ABSENT' }
  /** No answer, or one that leaves open whether it was done. */
  | { readonly status: 'UNKNOWN' }
  /** Nobody was there: it was certainly not done. */
  | { readonly status: 'UNSENT' };

interface Facts {
  readonly did?: 'CREATED' | 'REPLACED' | 'UNCHANGED' | undefined;
  readonly created?: number;
  readonly modified?: number;
  readonly size?: number;
  readonly count?: number;
  readonly deleted?: boolean;
  readonly members?: readonly Seen[];
}

/** A call with its begin and end in ns, by one clock of all clients. */
export interface Recorded {
  readonly token: string;
  readonly client: number;
  readonly begin: number;
  readonly end: number;
  readonly call: Call & { readonly dialect?: string };
  readonly outcome: Outcome;
}

export const READS: ReadonlySet<Call['kind']> = new Set(['list', 'size', 'get']);

/** How one dialect makes a call. */
export type Dialect = (url: string, token: string, call: Call) => Promise<Outcome>;

/** No two registrations of one name have another address, and none of two names the same. */
export function peerUrlOf(name: string): string {
  const [, i = '0', variant = 'a'] = /^m(\d+)([a-z])$/.exec(name) ?? [];
  return `http://10.0.${variant.charCodeAt(0)}.${i}:2380`;
}

export function linesOf(history: readonly Recorded[]): string {
  return history.map((each) => `${JSON.stringify(each)}\n`).join('');
}
