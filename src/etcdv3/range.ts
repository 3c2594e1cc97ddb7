import { create } from '@bufbuild/protobuf';
import {
  type ListMembersRequest,
  ListMembersRequestSchema,
  type ListMembersResponse,
} from '../../gen/discovery/v1/service_pb.ts';
import {
  type RangeRequest,
  type RangeResponse,
  RangeResponseSchema,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { KeyValue } from '../../gen/etcd/mvccpb/kv_pb.ts';
import { reasonOf, refusalOf } from '../client/refusal.ts';
import { type LocalClient, requireMessage } from '../etcd/client.ts';
import { WORK_LIMITS } from '../limits.ts';
import { memo } from '../values/memo.ts';
import { units } from '../work.ts';
import { compactedError, emptyKey, future, invalidSort, outside } from './errors.ts';
import { header, type ServerIdentity } from './header.ts';
import { type KeyPlace, type KeySpan, parseSpan, textOf } from './keys.ts';
import { isOrder, KeyListing, listingOf } from './listing.ts';
import { shareAnswer, sharedAnswer } from './shared-answers.ts';

/** Reading is the current keys of a token. */
export interface Reading {
  readonly listing: KeyListing;
  readonly revision: bigint;
  /** The revision of the token's latest change. 0 if the token does not exist. */
  readonly modRevision: bigint;
}

export async function range(
  client: LocalClient,
  identity: ServerIdentity,
  request: RangeRequest,
): Promise<RangeResponse> {
  // The key that `etcdctl endpoint health` reads: it only requires some response.
  if (textOf(request.key) === 'health' && request.rangeEnd.length === 0) {
    return create(RangeResponseSchema, { header: header(identity, await client.revision()) });
  }
  const { span, ask } = planOf(request);
  const list = await listOf(client, ask);
  const known = list instanceof Absent ? undefined : sharedAnswer(list, request);
  if (known !== undefined) return known;
  const reading = readingOf(client, span, list);
  checkRevision(request.revision, reading);
  const response = answer(request, span, reading);
  response.header = header(identity, reading.revision);
  if (!(list instanceof Absent)) shareAnswer(list, request, response);
  return response;
}

/** Plan is what to read for a request. */
interface Plan {
  readonly span: KeySpan;
  readonly ask: ListMembersRequest;
}

// Equal requests are one object, which is parsed once.
const plans = memo<RangeRequest, Plan>();

function planOf(request: RangeRequest): Plan {
  const known = plans.get(request);
  if (known !== undefined) return known;
  const span = spanOfRange(request);
  const plan = { span, ask: askFor(span) };
  plans.set(request, plan);
  return plan;
}

/** Returns the span that a request is about. */
export function spanOf({ key, rangeEnd }: { key: Uint8Array; rangeEnd: Uint8Array }): KeySpan {
  if (key.length === 0) throw emptyKey();
  const span = parseSpan(key, rangeEnd);
  if (span === undefined) throw outside();
  return span;
}

/** Returns the span to read. The order must be valid. */
export function spanOfRange(request: RangeRequest): KeySpan {
  const span = spanOf(request);
  if (!isOrder(request)) throw invalidSort();
  return span;
}

/** Reads a token. One that never existed has no keys, as in etcd; one that has ended fails with an error. */
export async function readKeys(client: LocalClient, place: KeyPlace): Promise<Reading> {
  return readingOf(client, place, await listOf(client, askFor(place)));
}

/** Absent is what is known of a token that never existed: the store's revision. */
class Absent {
  readonly revision: bigint;

  constructor(revision: bigint) {
    this.revision = revision;
  }
}

function askFor({ token }: KeyPlace): ListMembersRequest {
  return create(ListMembersRequestSchema, { token, refuseExpired: true });
}

function listOf(client: LocalClient, ask: ListMembersRequest): Promise<ListMembersResponse | Absent> {
  return client.listMembers(ask).catch((thrown: unknown) => {
    if (reasonOf(thrown) !== 'TOKEN_NOT_FOUND') throw thrown;
    return new Absent(refusalOf(thrown)?.revision ?? 0n);
  });
}

function readingOf(client: LocalClient, place: KeyPlace, list: ListMembersResponse | Absent): Reading {
  const { revision } = list;
  if (list instanceof Absent) return { listing: new KeyListing([]), revision, modRevision: 0n };
  const listing = listingOf(place, list, (keys) => client.work.owe(units(keys, WORK_LIMITS.listedMembers)));
  return { listing, revision, modRevision: requireMessage(list.cluster).modRevision };
}

/** Only the present is stored: a revision is valid if the token has not changed since. */
export function checkRevision(asked: bigint, { revision, modRevision }: Reading): void {
  if (asked <= 0n) return;
  if (asked > revision) throw future();
  if (asked < modRevision) throw compactedError();
}

/**
 * Returns the response to a request from a reading, without a header. Its order and revision are already
 * checked. etcd counts before it filters and limits.
 */
export function answer(
  request: RangeRequest,
  span: KeySpan,
  { listing }: Pick<Reading, 'listing'>,
): RangeResponse {
  const response = create(RangeResponseSchema);
  response.count = BigInt(listing.countOf(span));
  if (request.countOnly) return response;
  const limit = request.limit > 0n ? Number(request.limit) : Number.POSITIVE_INFINITY;
  for (const { kv } of listing.within(span, request)) {
    if (!isWanted(request, kv)) continue;
    response.more = response.kvs.length === limit;
    if (response.more) break;
    response.kvs.push(request.keysOnly ? { ...kv, value: new Uint8Array() } : kv);
  }
  return response;
}

function isWanted(request: RangeRequest, { createRevision, modRevision }: KeyValue): boolean {
  return (
    isWithin(modRevision, request.minModRevision, request.maxModRevision) &&
    isWithin(createRevision, request.minCreateRevision, request.maxCreateRevision)
  );
}

/** 0: no bound. */
function isWithin(revision: bigint, min: bigint, max: bigint): boolean {
  return (min === 0n || revision >= min) && (max === 0n || revision <= max);
}
