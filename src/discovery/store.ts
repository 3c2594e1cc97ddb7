import type { Change, Event } from './change.ts';
import type { DiscoveryError } from './errors.ts';
import type { Phase, Place } from './newest.ts';
import type { Cluster, Millis, Revision, Token } from './types.ts';

/** View is a cluster at one revision of the store. The cluster is undefined for an unknown token. */
export interface View {
  readonly cluster: Cluster | undefined;
  /** The revision up to which the view includes every change. */
  readonly revision: Revision;
}

export interface Written extends View {
  readonly cluster: Cluster;
  /** Whether a change was committed. False if the decision was to change nothing. */
  readonly changed: boolean;
  /** The cluster that the decision was based on. */
  readonly before: Cluster | undefined;
}

/**
 * Decide takes the current cluster and returns the change to commit, or undefined to change nothing. It
 * throws to reject the call. It must be pure: a store may call it more than once for one write.
 */
export type Decide = (cluster: Cluster | undefined) => Change | undefined;

export type OnDamaged = (token: Token, problem: DiscoveryError) => void;

/**
 * Store is what the core requires of a store. Every method rejects with a DiscoveryError. STORE_UNAVAILABLE
 * means that nothing was changed, unless its message says otherwise.
 */
export interface Store {
  /**
   * A random key that is never revealed, the same on all replicas, and stable for the lifetime of the data.
   */
  readonly key: Uint8Array;
  /** Rejects, as a read would, if the store cannot serve requests. */
  ping(): Promise<void>;
  /** Returns the revision of the latest change. Rejects if the store cannot serve requests. */
  revision(): Promise<Revision>;
  read(token: Token): Promise<View>;
  /**
   * Reads, decides and commits atomically. Resolves when the change is durable; readers and watchers do not
   * see it earlier. An error of the decision is passed on with the store's revision.
   */
  write(token: Token, decide: Decide): Promise<Written>;
  /**
   * Returns the first changes after a revision in order, at most `limit`. Rejects with REVISION_COMPACTED if
   * some of them are no longer stored. Empty for an unknown token.
   */
  events(token: Token, after: Revision, limit: number): Promise<readonly Event[]>;
  /**
   * Lists clusters by the byte order of their tokens, tombstones included: those after the given token, or
   * from the first, at most `limit`. Only an empty result marks the end; a shorter one does not. For moving
   * data only: a token is a capability, so no surface may offer this list. A damaged cluster is skipped and
   * reported once to `onDamaged`; without `onDamaged` the call rejects.
   */
  list(after: Token | undefined, limit: number, onDamaged?: OnDamaged): Promise<readonly Cluster[]>;
  /**
   * Returns the places of the clusters in a phase, newest first: those after a place, or from the first, at
   * most `limit`. Fewer than `limit` mark the end. It does not read the clusters: one may have moved on or be
   * gone by now. For operators only.
   */
  newest(phase: Phase, after: Place | undefined, limit: number): Promise<readonly Place[]>;
  /**
   * Returns tokens that end in [from, until), earliest first, at most `limit`. It reads only the index, so a
   * token may since have been changed to end at another time.
   */
  ending(from: Millis, until: Millis, limit: number): Promise<readonly Token[]>;
  /**
   * Sets the only listener for commits of this and other processes. It receives the changed token, or
   * undefined if any token may have changed, once the change can be read.
   */
  onCommit(listener: (token: Token | undefined) => void): void;
  /** Forgets up to `limit` clusters that ended before the given time. Returns their number. */
  sweep(endedBefore: Millis, limit: number): Promise<number>;
  close(): Promise<void>;
}
