import { create } from '@bufbuild/protobuf';
import type { Member } from '../../gen/discovery/v1/cluster_pb.ts';
import {
  type DeleteRangeRequest,
  type DeleteRangeResponse,
  DeleteRangeResponseSchema,
  RangeRequestSchema,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { KeyValue } from '../../gen/etcd/mvccpb/kv_pb.ts';
import { reasonOf, refusalOf } from '../client/refusal.ts';
import { type DiscoveryClient, type LocalClient, requireMessage } from '../etcd/client.ts';
import { unsupported } from './errors.ts';
import { header, type ServerIdentity } from './header.ts';
import { extentOf, isEmpty, type KeySpan, parseKey } from './keys.ts';
import { changesOf, type KeyEntry, memberEntry } from './kvs.ts';
import { readKeys, spanOf } from './range.ts';

/** Members removed concurrently: each removal examines all others, which takes a third of a millisecond. */
const REMOVALS_AT_ONCE = 20;

/** Removed holds the removed keys and the latest revision seen, by which all of them are gone. */
interface Removed {
  readonly kvs: readonly KeyValue[];
  readonly revision: bigint;
}

/** Removes one or several members, or deletes a token. Deleting a missing key is not an error. */
export async function deleteRange(
  client: LocalClient,
  identity: ServerIdentity,
  request: DeleteRangeRequest,
): Promise<DeleteRangeResponse> {
  const { kvs, revision } = await remove(client, spanOf(request));
  const response = create(DeleteRangeResponseSchema);
  response.header = header(identity, revision);
  response.deleted = BigInt(kvs.length);
  if (request.prevKv) response.prevKvs = [...kvs];
  return response;
}

async function remove(client: LocalClient, span: KeySpan): Promise<Removed> {
  const { listing, revision } = await readKeys(client, span);
  if (isEmpty(span)) return { kvs: [], revision };
  const entries = [...listing.within(span, create(RangeRequestSchema))];
  switch (extentOf(span)) {
    case 'SIZE':
      throw unsupported(
        'deleting the size key without the members',
        'delete the token with everything under it',
      );
    case 'TOKEN':
      return entries.length === 0 ? { kvs: [], revision } : deleteToken(client, span, entries);
    case 'MEMBERS':
      // Each is a separate write and costs as much as a separate request.
      client.work.ask(entries.length - 1);
      return deregister(client, span, entries, revision);
  }
}

/**
 * Removes the first member by rank alone: if it is a member of a complete cluster this fails, and none is
 * removed. Then removes the others, several at once so that they share flushes, each at its own revision.
 * Members that are gone by then are skipped.
 */
async function deregister(
  client: DiscoveryClient,
  span: KeySpan,
  entries: readonly KeyEntry[],
  revision: bigint,
): Promise<Removed> {
  const [first] = [...entries].sort((a, b) => Number(a.kv.createRevision - b.kv.createRevision));
  const firstGone = first && deregisterOne(client, first.kv.key);
  await firstGone;
  const kvs: KeyValue[] = [];
  let last = revision;
  for (let begin = 0; begin < entries.length; begin += REMOVALS_AT_ONCE) {
    const gone = entries
      .slice(begin, begin + REMOVALS_AT_ONCE)
      .map(async (entry) => (entry === first ? firstGone : deregisterOne(client, entry.kv.key)));
    for (const each of await Promise.all(gone)) {
      if (each === undefined) continue;
      if (each.member !== undefined) kvs.push(memberEntry(span, each.member).kv);
      if (each.revision > last) last = each.revision;
    }
  }
  return { kvs, revision: last };
}

/** Gone holds the member, unless it was already gone, and the revision by which it is gone. */
interface Gone {
  readonly member: Member | undefined;
  readonly revision: bigint;
}

async function deregisterOne(client: DiscoveryClient, bytes: Uint8Array): Promise<Gone | undefined> {
  const key = parseKey(bytes);
  if (key.type !== 'MEMBER') return undefined;
  try {
    const { member, revision } = await client.deregister({ token: key.token, memberId: key.id });
    return { member: requireMessage(member), revision };
  } catch (thrown) {
    if (reasonOf(thrown) !== 'MEMBER_NOT_FOUND') throw thrown;
    return { member: undefined, revision: refusalOf(thrown)?.revision ?? 0n };
  }
}

/**
 * Members that register until the end are removed too: the deletion's event lists them. Without the event,
 * for example when no further watch is allowed, the members that were read before are returned: a completed
 * deletion must not end in an error.
 */
async function deleteToken(
  client: DiscoveryClient,
  span: KeySpan,
  known: readonly KeyEntry[],
): Promise<Removed> {
  const { token } = span;
  const { cluster, revision, deleted } = await client.deleteToken({ token });
  // Deleted by another caller after it was read: fails like a read now.
  if (!deleted) await client.listMembers({ token, refuseExpired: true });
  try {
    const kvs: KeyValue[] = [];
    // Ends with that event, which is the last.
    for await (const { update } of client.watchMembers({ token, afterRevision: revision - 1n })) {
      if (update.case !== 'event') continue;
      for (const { before } of changesOf(span, requireMessage(cluster), update.value))
        kvs.push(requireMessage(before));
    }
    return { kvs, revision };
  } catch (thrown) {
    if (reasonOf(thrown) === undefined) throw thrown;
    return { kvs: known.map(({ kv }) => kv), revision };
  }
}
