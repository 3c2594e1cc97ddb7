import { peerAddress } from './parse.ts';
import type { Member, MemberId, MemberName, Registration } from './types.ts';

/** Fewer members are looked through as fast. */
const INDEXED_FROM = 16;

interface Index {
  readonly ids: Map<MemberId, Member>;
  readonly names: Map<MemberName, Member>;
  readonly addresses: Map<string, Member>;
}

/** Of the members of large clusters, for as long as they are held. */
const indexes = new WeakMap<readonly Member[], Index>();

/**
 * The members, by rank, that could be in the way of a registration: every one that has its id, its name or one of its
 * peer URLs. Of a small cluster all.
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

/** Hands the index of members over to them with one more. Who asks for the members before has it made anew. */
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
