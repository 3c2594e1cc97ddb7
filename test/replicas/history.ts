/** A member as a client received it. */
export interface ListedMember {
  readonly id: string;
  readonly name: string;
  readonly peerUrl: string;
  readonly createRevision: bigint;
}

/**
 * The begin and end of a call by one clock for all clients: a call is after another if it began after the other ended.
 */
interface Span {
  readonly token: string;
  readonly begin: number;
  readonly end: number;
}

export interface Registration extends Span {
  readonly type: 'REGISTER';
  readonly id: string;
  readonly name: string;
  readonly peerUrl: string;
  /** UNKNOWN: the client does not know whether it took effect. */
  readonly outcome: 'DONE' | 'REFUSED' | 'UNKNOWN';
  /** Of the member, if it was registered. */
  readonly createRevision?: bigint;
}

export interface Listing extends Span {
  readonly type: 'LIST';
  readonly revision: bigint;
  readonly members: readonly ListedMember[];
}

/** Everything that one watcher received across reconnects. */
export interface Watching {
  readonly token: string;
  readonly from: bigint;
  readonly snapshot: readonly ListedMember[];
  readonly events: ReadonlyArray<{ readonly revision: bigint; readonly member: ListedMember }>;
}

/** The responses that clients saw for tokens without deregistrations. */
export interface RecordedHistory {
  /** Sizes by token. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly calls: ReadonlyArray<Registration | Listing>;
  readonly watches: readonly Watching[];
  /** The list at the end, by token. */
  readonly final: ReadonlyMap<string, Listing>;
}
