import { setImmediate as turn } from 'node:timers/promises';
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
import type { LocalClient } from '../etcd/client.ts';
import { V3_LIMITS, WORK_LIMITS } from '../limits.ts';
import { units, type Work } from '../work.ts';
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
import { type Span, textOf, wholeSpan } from './keys.ts';
import { Listing } from './listing.ts';
import { type Done, makeToken, parsePut, putResponse, register } from './put.ts';
import { answer, checkRevision, type Reading, read, spanOf, spanOfRange } from './range.ts';

/** Keys that a transaction looks at until others have their turn: some ms. */
const LOOKS_AT_ONCE = 20_000;

/**
 * A transaction that reads keys of one token, or puts one key: create if absent, compare and put. The write is
 * made on the condition that the key is as it was compared, so nothing comes in between.
 */
export async function txn(
  client: LocalClient,
  identity: Identity,
  request: TxnRequest,
): Promise<TxnResponse> {
  checkCount(request, client.work);
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
    const looks = new Looks();
    response.responses = await responsesTo(operations, before, done, looks).finally(() =>
      client.work.owe(units(looks.count, WORK_LIMITS.keysLookedAt)),
    );
    return response;
  }
  throw tooContended();
}

/** As many operations as an etcd takes unless told otherwise. They are parsed, whichever side is done. */
function checkCount({ compare, success, failure }: TxnRequest, work: Work): void {
  const most = Math.max(compare.length, success.length, failure.length);
  if (most > V3_LIMITS.operationsPerTransaction) throw tooManyOperations();
  const count = compare.length + success.length + failure.length;
  work.ask(units(count, WORK_LIMITS.operations));
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

function kvOf(key: Uint8Array, { listing }: Reading): KeyValue | undefined {
  return listing.find(textOf(key));
}

/** Writes a key that is as the reading has it. `CHANGED`: it no longer is, and nothing was written. */
async function putIfUnchanged(
  client: LocalClient,
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
    // What should be changed was found done, by another.
    return done.previous === done.kv && done.kv.modRevision !== kv?.modRevision ? 'CHANGED' : done;
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
async function responsesTo(
  operations: readonly RequestOp[],
  before: Reading,
  done: Done | undefined,
  looks: Looks,
): Promise<ResponseOp[]> {
  let seen = before;
  let keys = 0;
  const responses: ResponseOp[] = [];
  for (const { request } of operations) {
    if (request.case === 'requestPut' && done !== undefined) {
      seen = after(done);
      const value = putResponse(done, request.value);
      value.header = innerHeader(done.revision);
      responses.push(create(ResponseOpSchema, { response: { case: 'responsePut', value } }));
      continue;
    }
    if (request.case !== 'requestRange') throw new TypeError('an operation was let through');
    const value = answer(request.value, spanOf(request.value), request.value.revision > 0n ? before : seen);
    keys += value.kvs.length;
    // Only reads alone come to so many: beside a put they are of one key.
    if (keys > V3_LIMITS.keysPerTransaction) throw tooManyKeys();
    value.header = innerHeader(seen.revision);
    responses.push(create(ResponseOpSchema, { response: { case: 'responseRange', value } }));
    if (!request.value.countOnly) await looks.add(seen.listing.countOf(spanOf(request.value)));
  }
  return responses;
}

/** The keys that a transaction has looked at. */
class Looks {
  count = 0;
  #untilTurn = LOOKS_AT_ONCE;

  /** Lets others have their turn when it was many. */
  async add(keys: number): Promise<void> {
    this.count += keys;
    this.#untilTurn -= keys;
    if (this.#untilTurn > 0) return;
    this.#untilTurn = LOOKS_AT_ONCE;
    await turn();
  }
}

function after({ kv, revision }: Done): Reading {
  const listing = new Listing([{ key: textOf(kv.key), kv }]);
  return { listing, revision, modRevision: kv.modRevision };
}

/** etcd says inside a transaction nothing of who answers. */
function innerHeader(revision: bigint): ResponseHeader {
  return create(ResponseHeaderSchema, { revision });
}
