import { STOPPING } from '../values/sentences.ts';
import type { Cluster, Member, Revision } from './types.ts';

/** Why a call was refused. The set is closed; every surface has one table over it. */
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

/** What a program needs beside the reason and the text. */
export interface ErrorFacts {
  /** The store's revision at the refusal; unset when the store was not asked. */
  readonly revision?: Revision;
  /** The refused field, in its proto spelling. */
  readonly field?: string;
  /** The member in the way. */
  readonly member?: Member;
  /** Its place among the members, 1 for the first. */
  readonly rank?: number;
  /** The cluster that the refusal is about. */
  readonly cluster?: Cluster;
  /** The latest revision after which every change is still held. */
  readonly compactRevision?: Revision;
  /** When the same call may be made again, in ms from now. */
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

/** The one error of the service. Its message is for a person: what was wrong, and what to do next. */
export class DiscoveryError extends Error {
  override readonly name = 'DiscoveryError';
  readonly reason: Reason;
  readonly facts: ErrorFacts;

  constructor(reason: Reason, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.reason = reason;
    this.facts = facts;
  }

  /** The same refusal, with the place that its member has in the cluster. */
  within({ members }: Cluster): DiscoveryError {
    const { member } = this.facts;
    if (member === undefined) return this;
    const rank = members.findIndex(({ id }) => id === member.id) + 1;
    return new DiscoveryError(this.reason, this.message, { ...this.facts, rank });
  }

  /** The same refusal, with the revision of the store that made it. */
  at(revision: Revision): DiscoveryError {
    return new DiscoveryError(this.reason, this.message, { ...this.facts, revision });
  }
}

export function shuttingDown(): DiscoveryError {
  return new DiscoveryError('SHUTTING_DOWN', STOPPING);
}
