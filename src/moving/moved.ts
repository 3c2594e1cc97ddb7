import type { Change } from '../discovery/change.ts';
import { ACCESSES, type Cluster, type Millis, type Registration } from '../discovery/types.ts';

/** A member on its way to another store, which gives it a revision of its own. */
export interface MovedMember extends Registration {
  readonly registerTime: Millis;
}

/** A live cluster on its way to another store. */
export interface MovedCluster
  extends Pick<
    Cluster,
    'token' | 'size' | 'description' | 'allowRejoin' | 'locks' | 'createTime' | 'expireTime'
  > {
  /** Its times are guesses, as its source keeps none: a cluster that differs in them is the same one. */
  readonly isAgeGuessed: boolean;
  /** By rank. */
  readonly members: readonly MovedMember[];
}

export type Step =
  | { readonly type: 'WRITE'; readonly change: Change }
  /** The store has all of it, and perhaps nodes that registered since. */
  | { readonly type: 'DONE' }
  /** The store has another cluster under this token, which is left alone. `why` goes on after "it". */
  | { readonly type: 'CONFLICT'; readonly why: string };

/**
 * What is still to be written of a moved cluster, given what the store has of it: one change at a time, in the
 * order of its history, so that an import that was stopped goes on where it was. Pure.
 */
export function nextStep(found: Cluster | undefined, moved: MovedCluster): Step {
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

function write(change: Change): Step {
  return { type: 'WRITE', change };
}

function difference(found: Cluster, moved: MovedCluster): string | undefined {
  if (found.deleteTime !== undefined) return 'was deleted';
  if (found.formed === true) return 'is of a cluster that has formed and lost a member since';
  if (found.size !== moved.size) return `has the size ${found.size}, not ${moved.size}`;
  if (found.description !== moved.description) return 'has another description';
  if (found.allowRejoin !== moved.allowRejoin) return 'has another rule for rejoining';
  if (ACCESSES.some((access) => found.locks?.[access] !== moved.locks?.[access])) return 'has other secrets';
  if (!moved.isAgeGuessed) {
    if (found.createTime !== moved.createTime) return 'was made at another time';
    if (found.expireTime !== moved.expireTime) return 'expires at another time';
  }
  const both = Math.min(found.members.length, moved.members.length);
  for (let rank = 0; rank < both; rank++) {
    const [there, wanted] = [found.members[rank], moved.members[rank]];
    if (there === undefined || wanted === undefined) break;
    if (!sameMember(there, wanted, moved.isAgeGuessed)) return `has another member at rank ${rank + 1}`;
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
