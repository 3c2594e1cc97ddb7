import type { Change } from '../discovery/change.ts';
import { ACCESSES, type Cluster, type Millis, type Registration } from '../discovery/types.ts';

/** MovedMember is a member on its way to another store, which assigns it a new revision. */
export interface MovedMember extends Registration {
  readonly registerTime: Millis;
}

/** MovedCluster is a live cluster on its way to another store. */
export interface MovedCluster
  extends Pick<
    Cluster,
    'token' | 'size' | 'description' | 'allowRejoin' | 'locks' | 'createTime' | 'expireTime'
  > {
  /**
   * Whether its times are estimates, because the source does not store them: a cluster that differs only in
   * these is the same.
   */
  readonly isAgeGuessed: boolean;
  /** The members by rank. */
  readonly members: readonly MovedMember[];
}

export type ImportStep =
  | { readonly type: 'WRITE'; readonly change: Change }
  /** The store has the whole cluster, and perhaps nodes that registered since. */
  | { readonly type: 'DONE' }
  /**
   * The store has a different cluster under this token, which is left unchanged. `why` is phrased to follow
   * "it".
   */
  | { readonly type: 'CONFLICT'; readonly why: string };

/**
 * Returns what is still to be written of a moved cluster, given its current state in the store: one change at
 * a time in the order of its history, so that an interrupted import resumes where it stopped. Pure.
 */
export function nextStep(found: Cluster | undefined, moved: MovedCluster): ImportStep {
  if (found === undefined) {
    const { token, size, description, allowRejoin, locks, createTime: time, expireTime } = moved;
    const guarded = locks && { locks };
    return write({ type: 'CREATED', time, token, size, description, allowRejoin, ...guarded, expireTime });
  }
  const why = difference(found, moved);
  if (why !== undefined) return { type: 'CONFLICT', why };
  const next = moved.members[found.members.length];
  if (next === undefined) return { type: 'DONE' };
  const { registerTime: time, ...member } = next;
  return write({ type: 'REGISTERED', time, member });
}

function write(change: Change): ImportStep {
  return { type: 'WRITE', change };
}

function difference(found: Cluster, moved: MovedCluster): string | undefined {
  if (found.deleteTime !== undefined) return 'was deleted';
  if (found.formed === true) return 'belongs to a cluster that has formed and lost a member since';
  if (found.size !== moved.size) return `has size ${found.size}, not ${moved.size}`;
  if (found.description !== moved.description) return 'has a different description';
  if (found.allowRejoin !== moved.allowRejoin) return 'has a different allow_rejoin setting';
  if (ACCESSES.some((access) => found.locks?.[access] !== moved.locks?.[access]))
    return 'has different secrets';
  if (!moved.isAgeGuessed) {
    if (found.createTime !== moved.createTime) return 'was created at a different time';
    if (found.expireTime !== moved.expireTime) return 'expires at a different time';
  }
  const both = Math.min(found.members.length, moved.members.length);
  for (let rank = 0; rank < both; rank++) {
    const [there, wanted] = [found.members[rank], moved.members[rank]];
    if (there === undefined || wanted === undefined) break;
    if (!sameMember(there, wanted, moved.isAgeGuessed)) return `has a different member at rank ${rank + 1}`;
  }
  return undefined;
}

function sameMember(there: MovedMember, wanted: MovedMember, isAgeGuessed: boolean): boolean {
  return (
    there.id === wanted.id &&
    there.name === wanted.name &&
    there.peerUrls.join() === wanted.peerUrls.join() &&
    (isAgeGuessed || there.registerTime === wanted.registerTime)
  );
}
