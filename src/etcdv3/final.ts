import type { Member } from '../../gen/discovery/v1/cluster_pb.ts';
import type { Event } from '../../gen/etcd/mvccpb/kv_pb.ts';
import type { KeySpan } from './keys.ts';
import { eventOf, memberEntry } from './kvs.ts';

// A v3 node never forgets a member that it has received, and never reads the list again. Only its own
// ordering can make it use the final members: it uses those with the lowest create revisions.

/**
 * Returns the members of a complete cluster under keys that no node uses, ordered before everything that a
 * node may have counted. All must arrive in one response, because a node checks its count after each.
 * `revision` is where it resumes when its connection breaks.
 */
export function finalEvents(span: KeySpan, members: readonly Member[], revision: bigint): Event[] {
  return members.map((member, rank) => {
    const { key, kv } = memberEntry(span, member);
    kv.key = Buffer.from(`${key}/final`, 'latin1');
    kv.createRevision = BigInt(rank - members.length);
    kv.modRevision = revision;
    return eventOf({ key, now: kv, before: undefined }, revision, { prevKv: false });
  });
}
