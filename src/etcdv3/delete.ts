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
import { header, type Identity } from './header.ts';
import { extentOf, isEmpty, parseKey, type Span } from './keys.ts';
import { changesOf, type Entry, memberEntry } from './kvs.ts';
import { read, spanOf } from './range.ts';

/** Members that are taken out together: with each all others are looked at, which takes a third of a millisecond. */
const REMOVALS_AT_ONCE = 20;

/** What was there, and the latest revision that was seen: at it all of that was no more. */
interface Removed {
  readonly kvs: readonly KeyValue[];
  readonly revision: bigint;
}

/** Takes out a member or several, or deletes a token. What is not there is not deleted, and no error. */
export async function deleteRange(
  client: LocalClient,
  identity: Identity,
  request: DeleteRangeRequest,
): Promise<DeleteRangeResponse> {
  const { kvs, revision } = await remove(client, spanOf(request));
  const response = create(DeleteRangeResponseSchema);
  response.header = header(identity, revision);
  response.deleted = BigInt(kvs.length);
  if (request.prevKv) response.prevKvs = [...kvs];
  return response;
}

async function remove(client: LocalClient, span: Span): Promise<Removed> {
  const { listing, revision } = await read(client, span);
  if (isEmpty(span)) return { kvs: [], revision };
  const entries = [...listing.within(span, create(RangeRequestSchema))];
  switch (extentOf(span)) {
    case 'SIZE':
      throw unsupported(
        'deleting the size key without the members',
        'a token is deleted with everything under it',
      );
    case 'TOKEN':
      return entries.length === 0 ? { kvs: [], revision } : deleteToken(client, span, entries);
    case 'MEMBERS':
      // Each is a write of its own, as if it were asked for alone.
      client.work.ask(entries.length - 1);
      return deregister(client, span, entries, revision);
  }
}

/**
 * The first by rank alone: when it is a member of a complete cluster it is refused, and nobody is taken out. Then all
 * others, some at once, so that they share what makes a write durable, each at a revision of its own: who leaves
 * meanwhile is left out.
 */
async function deregister(
  client: DiscoveryClient,
  span: Span,
  entries: readonly Entry[],
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

/** The member, unless it was gone already, and the revision at which it was seen to be gone. */
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
 * Whoever registers until the end goes too: the event of the deletion tells who was there. Without it, as where there
 * is no room for a watch, those that were read before: what is done is not answered with a refusal.
 */
async function deleteToken(client: DiscoveryClient, span: Span, known: readonly Entry[]): Promise<Removed> {
  const { token } = span;
  const { cluster, revision, deleted } = await client.deleteToken({ token });
  // By another, since it was read: refused as every read is now.
  if (!deleted) await client.listMembers({ token, refuseExpired: true });
  try {
    const kvs: KeyValue[] = [];
    // Ends with that event, which no other follows.
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
