/** A node that bootstraps, as a state machine: what it calls next follows from what it was answered. */
export interface NodeMachine {
  readonly identity: NodeIdentity;
  /** Where it is; see the machine of its dialect. */
  readonly stage: string;
  /** What it calls next; undefined while it waits for an open answer, and when it is over. */
  next(): Call | undefined;
  /** Takes the answer to its call, or one more of an open one. */
  take(answer: Answer): void;
  readonly outcome: Outcome | undefined;
  /** All that decides what it does from here on. Revisions are bigints. */
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
  /** It gives up. `isCrash`: for a broken connection, which its operator answers by starting it again. */
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
  /** The connection broke, or etcd's client takes the end of the stream for that. */
  | { readonly type: 'BROKEN' };

export const valueOf = ({ name, peerUrl }: NodeIdentity): string => `${name}=${peerUrl}`;

/** A call as it is told in stories and compared with those of real nodes. */
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

/** Whether a node that has left finds itself in its list; etcd ends without. */
export function isMember({ identity, outcome }: Pick<NodeMachine, 'identity' | 'outcome'>): boolean {
  return outcome?.type === 'LEFT' && outcome.members.includes(valueOf(identity));
}
