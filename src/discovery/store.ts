import type { Change, Event } from './change.ts';
import type { DiscoveryError } from './errors.ts';
import type { Phase, Place } from './newest.ts';
import type { Cluster, Millis, Revision, Token } from './types.ts';

/** A cluster as it stood at one revision of the store; undefined when the token is unknown. */
export interface View {
  readonly cluster: Cluster | undefined;
  /** Every change up to here is in the view. */
  readonly revision: Revision;
}

export interface Written extends View {
  readonly cluster: Cluster;
  /** Whether a change was committed, or the decision was that there is nothing to do. */
  readonly changed: boolean;
  /** The cluster as the decision saw it. */
  readonly before: Cluster | undefined;
}

/**
 * Meets the cluster as it is and returns the change to commit, or undefined to leave it. Throws to refuse.
 * Must be pure: a store may ask more than once for one write.
 */
export type Decide = (cluster: Cluster | undefined) => Change | undefined;

export type OnDamaged = (token: Token, problem: DiscoveryError) => void;

/**
 * What the core needs of a store. Every method rejects with a DiscoveryError; STORE_UNAVAILABLE means that
 * nothing was changed, unless its text says otherwise.
 */
export interface Store {
  /** Random, never told, the same for all replicas, for as long as the data lives. */
  readonly key: Uint8Array;
  /** Rejects, as a read would, when the store cannot serve. */
  ping(): Promise<void>;
  /** Of the latest change. Rejects when the store cannot serve. */
  revision(): Promise<Revision>;
  read(token: Token): Promise<View>;
  /**
   * One atomic read, decision and commit. Resolves when the change is durable; no reader and no watcher sees
   * it before that. A refusal of the decision is passed on with the store's revision.
   */
  write(token: Token, decide: Decide): Promise<Written>;
  /**
   * The first changes after a revision, in order, at most `limit`. Rejects with REVISION_COMPACTED when some
   * of them are no longer held. Empty for an unknown token.
   */
  events(token: Token, after: Revision, limit: number): Promise<readonly Event[]>;
  /**
   * Clusters by the byte order of their tokens, tombstones included: those after the given token, or from the
   * first, at most `limit`. None is the end; fewer than `limit` need not be. For moving: no surface may offer this, as
   * a token is a capability. A cluster that is damaged is left out and told of, once; without `onDamaged` the list is
   * refused.
   */
  list(after: Token | undefined, limit: number, onDamaged?: OnDamaged): Promise<readonly Cluster[]>;
  /**
   * Where the clusters of a phase are, the newest first: those behind a place, or from the first, at most `limit`. Fewer
   * are the end. It reads no cluster: one may have passed on meanwhile, or be gone. For operators alone.
   */
  newest(phase: Phase, after: Place | undefined, limit: number): Promise<readonly Place[]>;
  /**
   * Tokens that end, or would but for a change since, at a time from `from` and before `until`, the earliest first, at
   * most `limit`. By their index alone: no cluster is read.
   */
  ending(from: Millis, until: Millis, limit: number): Promise<readonly Token[]>;
  /**
   * The one listener for commits, of this process and of others: the token that changed, or undefined when
   * any may have. Called after the change can be read. Each store has one listener.
   */
  onCommit(listener: (token: Token | undefined) => void): void;
  /** Forgets up to `limit` clusters whose end time is before the given time. Returns how many. */
  sweep(endedBefore: Millis, limit: number): Promise<number>;
  close(): Promise<void>;
}
