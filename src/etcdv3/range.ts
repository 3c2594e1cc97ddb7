import { create } from '@bufbuild/protobuf';
import {
  type RangeRequest,
  RangeRequest_SortOrder,
  RangeRequest_SortTarget,
  type RangeResponse,
  RangeResponseSchema,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { KeyValue } from '../../gen/etcd/mvccpb/kv_pb.ts';
import { reasonOf, refusalOf } from '../client/refusal.ts';
import { type DiscoveryClient, type LocalClient, requireMessage } from '../etcd/client.ts';
import { compacted, emptyKey, future, invalidSort, outside } from './errors.ts';
import { header, type Identity } from './header.ts';
import { contains, parseSpan, type Span, textOf } from './keys.ts';
import { byKey, type Entry, memberEntry, sizeEntry } from './kvs.ts';

/** The keys of a span, as they are now. */
export interface Reading {
  readonly entries: readonly Entry[];
  readonly revision: bigint;
  /** The revision of the token's latest change; 0 when there is no such token. */
  readonly modRevision: bigint;
}

export async function range(
  client: LocalClient,
  identity: Identity,
  request: RangeRequest,
): Promise<RangeResponse> {
  // What `etcdctl endpoint health` reads: it wants an answer, whatever it is.
  if (textOf(request.key) === 'health' && request.rangeEnd.length === 0) {
    return create(RangeResponseSchema, { header: header(identity, await client.revision()) });
  }
  const reading = await read(client, spanOfRange(request));
  checkRevision(request.revision, reading);
  const response = answer(request, reading);
  response.header = header(identity, reading.revision);
  return response;
}

/** The span that a request is about. */
export function spanOf({ key, rangeEnd }: { key: Uint8Array; rangeEnd: Uint8Array }): Span {
  if (key.length === 0) throw emptyKey();
  const span = parseSpan(key, rangeEnd);
  if (span === undefined) throw outside();
  return span;
}

/** The span that is read, and in an order that there is. */
export function spanOfRange(request: RangeRequest): Span {
  const span = spanOf(request);
  if (!SORT_ORDERS.has(request.sortOrder) || !SORT_VALUES.has(request.sortTarget)) throw invalidSort();
  return span;
}

/** Reads a span. A token that was never made has no keys, as in etcd; one that has ended is refused in words. */
export async function read(client: DiscoveryClient, span: Span): Promise<Reading> {
  try {
    const list = await client.listMembers({ token: span.token });
    const cluster = requireMessage(list.cluster);
    const members = [...list.members, ...list.standbys].map((member) => memberEntry(span, member));
    const entries = [sizeEntry(span, cluster), ...members]
      .filter(({ key }) => contains(span, key))
      .sort(byKey);
    return { entries, revision: list.revision, modRevision: cluster.modRevision };
  } catch (thrown) {
    if (reasonOf(thrown) !== 'TOKEN_NOT_FOUND') throw thrown;
    return { entries: [], revision: refusalOf(thrown)?.revision ?? 0n, modRevision: 0n };
  }
}

/** Only the present is held: a revision is good when nothing of the token has changed since. */
export function checkRevision(asked: bigint, { revision, modRevision }: Reading): void {
  if (asked <= 0n) return;
  if (asked > revision) throw future();
  if (asked < modRevision) throw compacted();
}

/**
 * What a request takes of a reading, without a header. Its order and revision have been checked. etcd counts before
 * it filters and limits.
 */
export function answer(request: RangeRequest, reading: Reading): RangeResponse {
  const response = create(RangeResponseSchema);
  response.count = BigInt(reading.entries.length);
  if (request.countOnly) return response;
  const found = ordered(
    request,
    reading.entries.map(({ kv }) => kv).filter((kv) => isWanted(request, kv)),
  );
  const limit =
    request.limit > 0n && request.limit < BigInt(found.length) ? Number(request.limit) : found.length;
  response.kvs = found.slice(0, limit);
  response.more = limit < found.length;
  if (request.keysOnly) response.kvs = response.kvs.map((kv) => ({ ...kv, value: new Uint8Array() }));
  return response;
}

function isWanted(request: RangeRequest, { createRevision, modRevision }: KeyValue): boolean {
  return (
    isWithin(modRevision, request.minModRevision, request.maxModRevision) &&
    isWithin(createRevision, request.minCreateRevision, request.maxCreateRevision)
  );
}

/** 0 is no bound. */
function isWithin(revision: bigint, min: bigint, max: bigint): boolean {
  return (min === 0n || revision >= min) && (max === 0n || revision <= max);
}

/** The keys come in their own order, which a stable sort keeps among equals. */
function ordered({ sortOrder, sortTarget }: RangeRequest, kvs: KeyValue[]): KeyValue[] {
  const valueOf = SORT_VALUES.get(sortTarget);
  // etcd takes a target without an order as ascending.
  const byKeyAsTheyAre =
    sortOrder === RangeRequest_SortOrder.NONE && sortTarget === RangeRequest_SortTarget.KEY;
  if (valueOf === undefined || byKeyAsTheyAre) return kvs;
  const sign = sortOrder === RangeRequest_SortOrder.DESCEND ? -1 : 1;
  return kvs.sort((a, b) => {
    const [left, right] = [valueOf(a), valueOf(b)];
    return left === right ? 0 : left < right ? -sign : sign;
  });
}

const SORT_ORDERS = new Set<RangeRequest_SortOrder>([
  RangeRequest_SortOrder.NONE,
  RangeRequest_SortOrder.ASCEND,
  RangeRequest_SortOrder.DESCEND,
]);

const SORT_VALUES = new Map<RangeRequest_SortTarget, (kv: KeyValue) => bigint | string>([
  [RangeRequest_SortTarget.KEY, (kv) => textOf(kv.key)],
  [RangeRequest_SortTarget.VERSION, (kv) => kv.version],
  [RangeRequest_SortTarget.CREATE, (kv) => kv.createRevision],
  [RangeRequest_SortTarget.MOD, (kv) => kv.modRevision],
  [RangeRequest_SortTarget.VALUE, (kv) => textOf(kv.value)],
]);
