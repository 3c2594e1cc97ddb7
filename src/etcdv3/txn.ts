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
import { header, type ServerIdentity } from './header.ts';
import { type KeySpan, textOf, wholeSpan } from './keys.ts';
import { KeyListing } from './listing.ts';
import { type Done, makeToken, parsePut, putResponse, register } from './put.ts';
import { answer, checkRevision, type Reading, readKeys, spanOf, spanOfRange } from './range.ts';

/** Keys examined by a transaction before others get their turn: some ms. */
const LOOKS_AT_ONCE = 20_000;

/**
 * Executes a transaction that reads keys of one token, or puts one key: create if absent, or compare and put.
 * The write is conditional on the key being as compared, so no other write comes in between.
 */
export async function txn(
  client: LocalClient,
  identity: ServerIdentity,
  request: TxnRequest,
): Promise<TxnResponse> {
  checkCount(request, client.work);
  const span = wholeSpanOf(request);
  const puts = { success: putOf(request, request.success), failure: putOf(request, request.failure) };
  for (let attempt = 0; attempt < V3_LIMITS.attempts; attempt++) {
    const before = await readKeys(client, span);
    const succeeded = request.compare.every((compare) => holds(compare, kvOf(compare.key, before)));
    const operations = succeeded ? request.success : request.failure;
    // All checks come before the first write.
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

/** As many operations as etcd allows by default. Both branches are parsed, whichever is executed. */
function checkCount({ compare, success, failure }: TxnRequest, work: Work): void {
  const most = Math.max(compare.length, success.length, failure.length);
  if (most > V3_LIMITS.operationsPerTransaction) throw tooManyOperations();
  const count = compare.length + success.length + failure.length;
  work.ask(units(count, WORK_LIMITS.operations));
}

/** Returns the span of all keys of the token that the transaction is about. */
function wholeSpanOf({ compare, success, failure }: TxnRequest): KeySpan {
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
        throw unsupported('a delete inside a transaction');
      case 'requestTxn':
        throw unsupported('a transaction inside a transaction');
      case undefined:
        throw invalid('an operation of the transaction is empty');
    }
  }
  const [first] = spans;
  if (first === undefined) throw unsupported('a transaction without keys');
  if (spans.some(({ root }) => root !== first.root)) throw outside();
  return wholeSpan(first);
}

/** Returns the only put among the operations. Everything compared and read with it must be the same key. */
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

/** Writes a key if it is as in the reading. `CHANGED`: it has changed, and nothing was written. */
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
    // Another caller has already made the same change.
    return done.previous === done.kv && done.kv.modRevision !== kv?.modRevision ? 'CHANGED' : done;
  } catch (thrown) {
    // The outcome is unknown: after another read, the write would look like another caller's.
    if (reasonOf(thrown) === undefined || reasonOf(thrown) === 'INTERNAL' || isAway(thrown)) throw thrown;
    // Whatever the error: if the key has changed, the comparison must be repeated.
    const now = kvOf(request.key, await readKeys(client, wholeSpan(key)));
    if (now?.modRevision !== kv?.modRevision) return 'CHANGED';
    throw thrown;
  }
}

/**
 * Reads before the put see the key as it was, reads after it as it is. Reads at a revision see the state
 * before, because the put's own revision is still in the future for them.
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
    if (request.case !== 'requestRange') throw new TypeError('an unsupported operation was not rejected');
    const value = answer(request.value, spanOf(request.value), request.value.revision > 0n ? before : seen);
    keys += value.kvs.length;
    // Only read-only transactions can reach this: next to a put, all reads are of one key.
    if (keys > V3_LIMITS.keysPerTransaction) throw tooManyKeys();
    value.header = innerHeader(seen.revision);
    responses.push(create(ResponseOpSchema, { response: { case: 'responseRange', value } }));
    if (!request.value.countOnly) await looks.add(seen.listing.countOf(spanOf(request.value)));
  }
  return responses;
}

/** Looks counts the keys that a transaction has examined. */
class Looks {
  count = 0;
  #untilTurn = LOOKS_AT_ONCE;

  /** Lets others have their turn after many keys. */
  async add(keys: number): Promise<void> {
    this.count += keys;
    this.#untilTurn -= keys;
    if (this.#untilTurn > 0) return;
    this.#untilTurn = LOOKS_AT_ONCE;
    await turn();
  }
}

function after({ kv, revision }: Done): Reading {
  const listing = new KeyListing([{ key: textOf(kv.key), kv }]);
  return { listing, revision, modRevision: kv.modRevision };
}

/** etcd leaves the responder's identity out of responses inside a transaction. */
function innerHeader(revision: bigint): ResponseHeader {
  return create(ResponseHeaderSchema, { revision });
}
