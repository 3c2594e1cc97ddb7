import type { Member } from '../../gen/discovery/v1/cluster_pb.ts';
import type { Event } from '../../gen/etcd/mvccpb/kv_pb.ts';
import type { Span } from './keys.ts';
import { eventOf, memberEntry } from './kvs.ts';

// A node of the v3 dialect never forgets a member that it was told of, and never reads the list again. What makes it
// take the members that there are in the end is its own order: it takes those of the lowest create revisions.

/**
 * The members of a complete cluster, each under a key that no node has, before everything that a node may have
 * counted. It has to get all in one answer, as it looks at its count after each. `revision` is where it comes again
 * from when its connection breaks.
 */
export function finalEvents(span: Span, members: readonly Member[], revision: bigint): Event[] {
  return members.map((member, rank) => {
    const { key, kv } = memberEntry(span, member);
    kv.key = Buffer.from(`${key}/final`, 'latin1');
    kv.createRevision = BigInt(rank - members.length);
    kv.modRevision = revision;
    return eventOf({ key, now: kv, before: undefined }, revision, { prevKv: false });
  });
}
