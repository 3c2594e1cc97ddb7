import { create } from '@bufbuild/protobuf';
import {
  type PutRequest,
  type RequestOp,
  type ResponseHeader,
  ResponseHeaderSchema,
  type ResponseOp,
  ResponseOpSchema,
  type TxnRequest,
  type TxnResponse,
  TxnResponseSchema,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { KeyValue } from '../../gen/etcd/mvccpb/kv_pb.ts';
import { reasonOf } from '../client/refusal.ts';
import type { DiscoveryClient } from '../etcd/client.ts';
import { V3_LIMITS } from '../limits.ts';
import { holds } from './compare.ts';
import {
  duplicateKey,
  invalid,
  isAway,
  outside,
  tooContended,
  tooManyKeys,
  tooManyOperations,
  unsupported,
} from './errors.ts';
import { header, type Identity } from './header.ts';
import { contains, type Span, textOf, wholeSpan } from './keys.ts';
import { type Done, makeToken, parsePut, putResponse, register } from './put.ts';
import { answer, checkRevision, type Reading, read, spanOf, spanOfRange } from './range.ts';

/**
 * A transaction that reads keys of one token, or puts one key: create if absent, compare and put. The write is
 * made on the condition that the key is as it was compared, so nothing comes in between.
 */
export async function txn(
  client: DiscoveryClient,
  identity: Identity,
  request: TxnRequest,
): Promise<TxnResponse> {
  checkCount(request);
  const span = wholeSpanOf(request);
  const puts = { success: putOf(request, request.success), failure: putOf(request, request.failure) };
  for (let attempt = 0; attempt < V3_LIMITS.attempts; attempt++) {
    const before = await read(client, span);
    const succeeded = request.compare.every((compare) => holds(compare, kvOf(compare.key, before)));
    const operations = succeeded ? request.success : request.failure;
    // Whatever is refused is refused before anything is written.
    for (const each of operations) {
      if (each.request.case === 'requestRange') checkRevision(each.request.value.revision, before);
    }
    const put = succeeded ? puts.success : puts.failure;
    const done = put && (await putIfUnchanged(client, put, before));
    if (done === 'CHANGED') continue;
    const response = create(TxnResponseSchema);
    response.header = header(identity, done?.revision ?? before.revision);
    response.succeeded = succeeded;
    response.responses = responsesTo(operations, before, done);
    return response;
  }
  throw tooContended();
}

/** As many operations as an etcd takes unless told otherwise: each may read all of a token. */
function checkCount({ compare, success, failure }: TxnRequest): void {
  const most = Math.max(compare.length, success.length, failure.length);
  if (most > V3_LIMITS.operationsPerTransaction) throw tooManyOperations();
}

/** All the keys of the token that the transaction is about. */
function wholeSpanOf({ compare, success, failure }: TxnRequest): Span {
  const spans = compare.map((each) => {
    if (each.rangeEnd.length > 0) throw unsupported('comparing a range of keys');
    return spanOf(each);
  });
  for (const { request } of [...success, ...failure]) {
    switch (request.case) {
      case 'requestRange':
        spans.push(spanOfRange(request.value));
        break;
      case 'requestPut':
        spans.push(spanOf({ key: request.value.key, rangeEnd: new Uint8Array() }));
        break;
      case 'requestDeleteRange':
        throw unsupported('a deletion inside a transaction');
      case 'requestTxn':
        throw unsupported('a transaction inside a transaction');
      case undefined:
        throw invalid('an operation of the transaction is empty');
    }
  }
  const [first] = spans;
  if (first === undefined) throw unsupported('a transaction about no key');
  if (spans.some(({ root }) => root !== first.root)) throw outside();
  return wholeSpan(first);
}

/** The one put among operations. All that is compared and read with it is the same key. */
function putOf({ compare }: TxnRequest, operations: readonly RequestOp[]): PutRequest | undefined {
  const puts = operations.flatMap(({ request }) => (request.case === 'requestPut' ? [request.value] : []));
  const [put] = puts;
  if (put === undefined) return undefined;
  parsePut(put);
  const key = textOf(put.key);
  if (puts.length > 1) {
    if (new Set(puts.map((each) => textOf(each.key))).size < puts.length) throw duplicateKey();
    throw unsupported('a transaction with several puts');
  }
  if (compare.some((each) => textOf(each.key) !== key)) {
    throw unsupported('a transaction that compares one key and puts another');
  }
  for (const { request } of operations) {
    if (request.case !== 'requestRange') continue;
    if (request.value.rangeEnd.length > 0 || textOf(request.value.key) !== key) {
      throw unsupported('a transaction that puts one key and reads others');
    }
  }
  return put;
}

function kvOf(key: Uint8Array, { entries }: Reading): KeyValue | undefined {
  const text = textOf(key);
  return entries.find((entry) => entry.key === text)?.kv;
}

/** Writes a key that is as the reading has it. `CHANGED`: it no longer is, and nothing was written. */
async function putIfUnchanged(
  client: DiscoveryClient,
  request: PutRequest,
  before: Reading,
): Promise<Done | 'CHANGED'> {
  const key = parsePut(request);
  const kv = kvOf(request.key, before);
  try {
    const done =
      key.type === 'SIZE'
        ? await makeToken(client, key, request)
        : await register(client, key, request, kv?.modRevision);
    // What should be new was found done.
    return kv === undefined && done.previous !== undefined ? 'CHANGED' : done;
  } catch (thrown) {
    // It may be written all the same: looked at again, it would be taken for another's.
    if (reasonOf(thrown) === undefined || reasonOf(thrown) === 'INTERNAL' || isAway(thrown)) throw thrown;
    // Whatever was in the way: if the key has changed, the comparison is to be made again.
    const now = kvOf(request.key, await read(client, wholeSpan(key)));
    if (now?.modRevision !== kv?.modRevision) return 'CHANGED';
    throw thrown;
  }
}

/**
 * Reads before the put see the key as it was, those after it as it is; those at a revision what was there before,
 * as the put's own revision is still to come then.
 */
function responsesTo(
  operations: readonly RequestOp[],
  before: Reading,
  done: Done | undefined,
): ResponseOp[] {
  let seen = before;
  let keys = 0;
  return operations.map(({ request }) => {
    if (request.case === 'requestPut' && done !== undefined) {
      seen = after(done);
      const value = putResponse(done, request.value);
      value.header = innerHeader(done.revision);
      return create(ResponseOpSchema, { response: { case: 'responsePut', value } });
    }
    if (request.case !== 'requestRange') throw new TypeError('an operation was let through');
    const span = spanOf(request.value);
    const { entries } = request.value.revision > 0n ? before : seen;
    const value = answer(request.value, {
      ...seen,
      entries: entries.filter(({ key }) => contains(span, key)),
    });
    keys += value.kvs.length;
    // Only reads alone come to so many: beside a put they are of one key.
    if (keys > V3_LIMITS.keysPerTransaction) throw tooManyKeys();
    value.header = innerHeader(seen.revision);
    return create(ResponseOpSchema, { response: { case: 'responseRange', value } });
  });
}

function after({ kv, revision }: Done): Reading {
  return { entries: [{ key: textOf(kv.key), kv }], revision, modRevision: kv.modRevision };
}

/** etcd says inside a transaction nothing of who answers. */
function innerHeader(revision: bigint): ResponseHeader {
  return create(ResponseHeaderSchema, { revision });
}
