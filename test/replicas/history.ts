/** A member as a client was told of it. */
export interface Seen {
  readonly id: string;
  readonly name: string;
  readonly peerUrl: string;
  readonly createRevision: bigint;
}

/** A call's begin and end, by one clock of all clients: a call is after another when it began after its end. */
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
  /** UNKNOWN: the client cannot tell whether it was done. */
  readonly outcome: 'DONE' | 'REFUSED' | 'UNKNOWN';
  /** Of the member, when it was done. */
  readonly createRevision?: bigint;
}

export interface Listing extends Span {
  readonly type: 'LIST';
  readonly revision: bigint;
  readonly members: readonly Seen[];
}

/** All that one watcher was told, over every break of its connection. */
export interface Watching {
  readonly token: string;
  readonly from: bigint;
  readonly snapshot: readonly Seen[];
  readonly events: ReadonlyArray<{ readonly revision: bigint; readonly member: Seen }>;
}

/** What clients saw of tokens in which nobody deregisters. */
export interface Recorded {
  /** By token. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly calls: ReadonlyArray<Registration | Listing>;
  readonly watches: readonly Watching[];
  /** By token: a list when all was over. */
  readonly final: ReadonlyMap<string, Listing>;
}
