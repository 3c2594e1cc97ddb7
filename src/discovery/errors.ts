import { STOPPING } from '../values/sentences.ts';
import type { Cluster, Member, Revision } from './types.ts';

/** Reason says why a call was rejected. The set is closed: every surface has one table over it. */
export type Reason =
  | 'INVALID_ARGUMENT'
  | 'TOKEN_NOT_FOUND'
  | 'TOKEN_EXPIRED'
  | 'TOKEN_DELETED'
  | 'TOKEN_EXISTS'
  | 'CUSTOM_TOKEN_REFUSED'
  | 'TOO_MANY_TOKENS'
  | 'MEMBER_NOT_FOUND'
  | 'MEMBER_EXISTS'
  | 'NAME_TAKEN'
  | 'PEER_URL_TAKEN'
  | 'CLUSTER_FULL'
  | 'TOO_MANY_STANDBYS'
  | 'REJOIN_REFUSED'
  | 'REVISION_MISMATCH'
  | 'REVISION_COMPACTED'
  | 'SHUTTING_DOWN'
  | 'STORE_UNAVAILABLE'
  | 'INTERNAL'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'TOO_MANY_REQUESTS'
  | 'CLUSTER_FORMED'
  | 'TOKEN_WORN_OUT'
  | 'DISCOVERY_TEXT_DIFFERS';

/** ErrorFacts is the information for programs that accompanies the reason and the message. */
export interface ErrorFacts {
  /** The store's revision when the call was rejected. Unset if the store was not read. */
  readonly revision?: Revision;
  /** The invalid field, in its proto spelling. */
  readonly field?: string;
  /** The conflicting member. */
  readonly member?: Member;
  /** The rank of that member, starting at 1. */
  readonly rank?: number;
  /** The cluster that the error is about. */
  readonly cluster?: Cluster;
  /** The latest revision after which every change is still stored. */
  readonly compactRevision?: Revision;
  /** When to retry the same call, in ms from now. */
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

/**
 * DiscoveryError is the only error of the service. Its message is for people: what is wrong, and what to do.
 */
export class DiscoveryError extends Error {
  override readonly name = 'DiscoveryError';
  readonly reason: Reason;
  readonly facts: ErrorFacts;

  constructor(reason: Reason, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.reason = reason;
    this.facts = facts;
  }

  /** Returns the same error with the rank of its member in the cluster. */
  within({ members }: Cluster): DiscoveryError {
    const { member } = this.facts;
    if (member === undefined) return this;
    const rank = members.findIndex(({ id }) => id === member.id) + 1;
    return new DiscoveryError(this.reason, this.message, { ...this.facts, rank });
  }

  /** Returns the same error with the store's revision. */
  at(revision: Revision): DiscoveryError {
    return new DiscoveryError(this.reason, this.message, { ...this.facts, revision });
  }
}

export function shuttingDown(): DiscoveryError {
  return new DiscoveryError('SHUTTING_DOWN', STOPPING);
}
