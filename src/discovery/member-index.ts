import { peerAddress } from './parse.ts';
import type { Member, MemberId, MemberName, Registration } from './types.ts';

/** Up to this many members a linear search is as fast. */
const INDEXED_FROM = 16;

interface Index {
  readonly ids: Map<MemberId, Member>;
  readonly names: Map<MemberName, Member>;
  readonly addresses: Map<string, Member>;
}

/** The indexes of large clusters, kept as long as their member lists. */
const indexes = new WeakMap<readonly Member[], Index>();

/**
 * Returns the members, by rank, that could conflict with a registration: all that have its ID, its name or
 * one of its peer URLs. For small clusters it returns all members.
 */
export function alike(members: readonly Member[], wanted: Registration): readonly Member[] {
  if (members.length < INDEXED_FROM) return members;
  let index = indexes.get(members);
  if (index === undefined) {
    index = { ids: new Map(), names: new Map(), addresses: new Map() };
    for (const member of members) add(index, member);
    indexes.set(members, index);
  }
  const found = new Set([index.ids.get(wanted.id), index.names.get(wanted.name)]);
  for (const url of wanted.peerUrls) found.add(index.addresses.get(peerAddress(url)));
  found.delete(undefined);
  return [...(found as Set<Member>)].sort((a, b) => Number(a.createRevision - b.createRevision));
}

/** Moves the index to a list with one more member. The previous list gets a new index if it is used again. */
export function handOver(before: readonly Member[], after: readonly Member[], added: Member): void {
  const index = indexes.get(before);
  if (index === undefined) return;
  indexes.delete(before);
  add(index, added);
  indexes.set(after, index);
}

function add({ ids, names, addresses }: Index, member: Member): void {
  ids.set(member.id, member);
  names.set(member.name, member);
  for (const url of member.peerUrls) addresses.set(peerAddress(url), member);
}
