import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { RegisterMode, RegisterOutcome } from '../../gen/discovery/v1/service_pb.ts';
import {
  type Compare,
  Compare_CompareResult,
  type PutRequest,
  type RequestOp,
  type ResponseOp,
  ResponseOpSchema,
  type TxnRequest,
  type TxnResponse,
  TxnResponseSchema,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { KeyValue } from '../../gen/etcd/mvccpb/kv_pb.ts';
import type { DiscoveryClient } from '../etcd/client.ts';
import { invalid, outside, reasonOf, unsupported } from './errors.ts';
import { header, type Identity } from './header.ts';
import { contains, parseSpan, type Span, textOf, wholeSpan } from './keys.ts';
import { type Done, doneOf, makeToken, parseMember, parsePut, putResponse, register } from './put.ts';
import { answer, type Reading, read } from './range.ts';

/** How often a transaction looks again when the key changed between its look and its write. */
const ATTEMPTS = 10;

/**
 * A transaction on one key: create if absent, or compare and put, with reads of the same token on either
 * side. The write is made on the condition that the key is as it was compared, so nothing comes in between.
 */
export async function txn(
  client: DiscoveryClient,
  identity: Identity,
  request: TxnRequest,
): Promise<TxnResponse> {
  const span = spanOf(request);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const reading = await read(client, span);
    const succeeded = request.compare.every((compare) => holds(compare, reading));
    const operations = succeeded ? request.success : request.failure;
    const puts = operations.filter((operation) => operation.request.case === 'requestPut');
    if (puts.length > 1) throw unsupported('a transaction with several puts');
    const [write] = puts;
    const put = write?.request.case === 'requestPut' ? write.request.value : undefined;
    const done = put === undefined ? undefined : await putIf(client, put, reading, request.compare);
    if (done === 'CHANGED') continue;
    // etcd's operations see those before them; its header is of the revision after all.
    const seen = done === undefined ? reading : await read(client, span);
    const response = create(TxnResponseSchema);
    response.header = header(identity, done?.revision ?? reading.revision);
    response.succeeded = succeeded;
    let isWritten = false;
    response.responses = operations.map((operation) => {
      if (operation.request.case === 'requestPut') isWritten = true;
      return responseTo(operation, isWritten ? seen : reading, done, identity);
    });
    return response;
  }
  throw new ConnectError('the key changes faster than it can be compared; try again', Code.Aborted);
}

/** The token whose keys the transaction is about: all its keys, as reads may want any of them. */
function spanOf({ compare, success, failure }: TxnRequest): Span {
  const spans = compare.map(({ key, rangeEnd }) => {
    if (rangeEnd.length > 0) throw unsupported('comparing a range of keys');
    return parseSpan(key, rangeEnd);
  });
  for (const { request } of [...success, ...failure]) {
    if (request.case === 'requestTxn') throw unsupported('a transaction inside a transaction');
    if (request.case === 'requestDeleteRange') throw unsupported('a deletion inside a transaction');
    if (request.case === 'requestRange') spans.push(parseSpan(request.value.key, request.value.rangeEnd));
    if (request.case === 'requestPut') spans.push(parseSpan(request.value.key, new Uint8Array()));
  }
  const [first] = spans;
  if (first === undefined || spans.some((span) => span?.root !== first.root)) throw outside();
  return wholeSpan(first);
}

function kvOf(key: Uint8Array, { entries }: Reading): KeyValue | undefined {
  const text = textOf(key);
  return entries.find((entry) => entry.key === text)?.kv;
}

/** A key that is not there has revisions and a version of 0; a value it has none, and no comparison holds. */
function holds(compare: Compare, reading: Reading): boolean {
  const kv = kvOf(compare.key, reading);
  const { targetUnion } = compare;
  switch (targetUnion.case) {
    case 'version':
      return compares(compare.result, kv?.version ?? 0n, targetUnion.value);
    case 'createRevision':
      return compares(compare.result, kv?.createRevision ?? 0n, targetUnion.value);
    case 'modRevision':
      return compares(compare.result, kv?.modRevision ?? 0n, targetUnion.value);
    case 'lease':
      return compares(compare.result, 0n, targetUnion.value);
    case 'value':
      return kv !== undefined && compares(compare.result, textOf(kv.value), textOf(targetUnion.value));
    case undefined:
      throw invalid('a comparison has nothing to compare with');
  }
}

function compares<T extends bigint | string>(result: Compare_CompareResult, left: T, right: T): boolean {
  switch (result) {
    case Compare_CompareResult.EQUAL:
      return left === right;
    case Compare_CompareResult.NOT_EQUAL:
      return left !== right;
    case Compare_CompareResult.GREATER:
      return left > right;
    case Compare_CompareResult.LESS:
      return left < right;
    default:
      throw invalid(`there is no comparison ${result}`);
  }
}

/** Writes a key that is as the reading has it. `CHANGED`: it no longer is, and nothing was written. */
async function putIf(
  client: DiscoveryClient,
  request: PutRequest,
  reading: Reading,
  compared: readonly Compare[],
): Promise<Done | 'CHANGED'> {
  if (compared.some(({ key }) => textOf(key) !== textOf(request.key))) {
    throw unsupported('a transaction that compares one key and puts another');
  }
  const key = parsePut(request);
  const before = kvOf(request.key, reading);
  if (key.type === 'SIZE') {
    const made = await makeToken(client, key, request);
    return made.created === (before === undefined) ? made : 'CHANGED';
  }
  const member = parseMember(request);
  const mode = before === undefined ? RegisterMode.CREATE : RegisterMode.REPLACE;
  try {
    const response = await register(client, key, member, mode, before?.modRevision);
    const isRetry = before === undefined && response.outcome !== RegisterOutcome.CREATED;
    return isRetry ? 'CHANGED' : doneOf(key, response);
  } catch (thrown) {
    const reason = reasonOf(thrown);
    if (reason === 'REVISION_MISMATCH' || reason === 'MEMBER_EXISTS' || reason === 'MEMBER_NOT_FOUND') {
      return 'CHANGED';
    }
    throw thrown;
  }
}

function responseTo(
  { request }: RequestOp,
  reading: Reading,
  done: Done | undefined,
  identity: Identity,
): ResponseOp {
  if (request.case === 'requestPut' && done !== undefined) {
    return create(ResponseOpSchema, {
      response: { case: 'responsePut', value: putResponse(done, request.value, identity) },
    });
  }
  if (request.case !== 'requestRange') throw invalid('an operation of the transaction is empty');
  const span = parseSpan(request.value.key, request.value.rangeEnd);
  const entries = reading.entries.filter(({ key }) => span !== undefined && contains(span, key));
  const value = answer(request.value, { ...reading, entries }, identity);
  return create(ResponseOpSchema, { response: { case: 'responseRange', value } });
}
