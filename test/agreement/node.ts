/** A bootstrapping node as a state machine: its next call follows from the responses. */
export interface NodeMachine {
  readonly identity: NodeIdentity;
  /** Its stage, as named in the machine of its dialect. */
  readonly stage: string;
  /** Returns the next call; undefined while it waits for an open response, and at the end. */
  next(): Call | undefined;
  /** Processes the response to its call, or the next part of an open response. */
  take(answer: Answer): void;
  readonly outcome: Outcome | undefined;
  /** The state that determines its further behaviour. Revisions are bigints. */
  readonly memory: readonly unknown[];
}

export interface NodeIdentity {
  readonly id: string;
  readonly name: string;
  readonly peerUrl: string;
}

export type Dialect = 'V2' | 'V3';

export type Outcome =
  /** It starts etcd with these members, each written `name=url`. */
  | { readonly type: 'LEFT'; readonly members: readonly string[] }
  /** It gives up. `isCrash`: because of a broken connection, after which its operator restarts it. */
  | { readonly type: 'ENDED'; readonly why: string; readonly isCrash: boolean };

export type Call =
  | { readonly type: 'HTTP'; readonly method: 'GET' | 'PUT'; readonly target: string; readonly body?: string }
  | { readonly type: 'RANGE'; readonly key: string; readonly end: string }
  | { readonly type: 'PUT'; readonly key: string; readonly value: string }
  | { readonly type: 'WATCH'; readonly key: string; readonly end: string; readonly start: bigint };

export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly createRevision: bigint;
  readonly modRevision: bigint;
}

export type Answer =
  | { readonly type: 'HTTP'; readonly status: number; readonly index: bigint; readonly body: string }
  | { readonly type: 'KVS'; readonly kvs: readonly KeyValue[]; readonly revision: bigint }
  | { readonly type: 'REFUSED'; readonly words: string }
  | { readonly type: 'CREATED' | 'CANCELED' }
  | { readonly type: 'EVENTS'; readonly events: readonly KeyValue[]; readonly revision: bigint }
  /** The connection broke, or etcd's client treats the end of the stream like that. */
  | { readonly type: 'BROKEN' };

export const valueOf = ({ name, peerUrl }: NodeIdentity): string => `${name}=${peerUrl}`;

/** Returns a call as text, for stories and for comparison with real nodes. */
export function callText(call: Call): string {
  switch (call.type) {
    case 'HTTP':
      return `${call.method} ${call.target}${call.body === undefined ? '' : ` ${call.body}`}`;
    case 'RANGE':
      return `Range ${call.key}${call.end === '' ? '' : ` to ${call.end}`}`;
    case 'PUT':
      return `Put ${call.key} ${call.value}`;
    case 'WATCH':
      return `Watch ${call.key} to ${call.end} from ${call.start}`;
  }
}

/** Returns whether a node that has left is in its own list. etcd exits if not. */
export function isMember({ identity, outcome }: Pick<NodeMachine, 'identity' | 'outcome'>): boolean {
  return outcome?.type === 'LEFT' && outcome.members.includes(valueOf(identity));
}
