import { create } from '@bufbuild/protobuf';
import type { HandlerContext, ServiceImpl, ServiceImplSpec } from '@connectrpc/connect';
import { Code, ConnectError, createContextValues } from '@connectrpc/connect';
import {
  KV,
  PutRequestSchema,
  RangeRequestSchema,
  Watch,
  type WatchRequest,
  WatchRequestSchema,
  type WatchResponse,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { KeyValue as EtcdKeyValue } from '../../gen/etcd/mvccpb/kv_pb.ts';
import { bytes, text } from '../etcdv3/etcd.ts';
import type { Connection } from './http-exchange.ts';
import type { Answer, Call, KeyValue } from './node.ts';

/** The handlers of the v3 dialect, as the gateway lists them. */
export interface V3Handlers {
  readonly kv: ServiceImpl<typeof KV>;
  readonly watch: ServiceImpl<typeof Watch>;
}

export function handlersOf(services: readonly ServiceImplSpec[]): V3Handlers {
  const handlers = (name: string): Record<string, unknown> => {
    const found = services.find(({ service }) => service.typeName === name);
    return Object.fromEntries(
      Object.entries(found?.methods ?? {}).map(([method, { impl }]) => [method, impl]),
    );
  };
  return {
    kv: handlers(KV.typeName) as V3Handlers['kv'],
    watch: handlers(Watch.typeName) as V3Handlers['watch'],
  };
}

// Shared, because creating it takes longer than the call.
const GONE = new ConnectError('the client has gone', Code.Canceled);

/** Passes a call to the handlers of the v3 dialect, without a socket. */
export function rpcExchange(
  { kv, watch }: V3Handlers,
  call: Exclude<Call, { type: 'HTTP' }>,
  answered: (answer: Answer) => void,
): Connection {
  const abort = new AbortController();
  const context = {
    signal: abort.signal,
    values: createContextValues(),
    url: 'http://discovery:8087/',
  } as unknown as HandlerContext;
  const answer = (given: Answer): void => {
    if (!abort.signal.aborted) answered(given);
  };
  serve(call, context, { kv, watch }, answer).catch((thrown: unknown) => {
    answer(call.type === 'WATCH' ? endOf(thrown) : { type: 'REFUSED', words: String(thrown) });
  });
  return { cut: () => abort.abort(GONE) };
}

async function serve(
  call: Exclude<Call, { type: 'HTTP' }>,
  context: HandlerContext,
  { kv, watch }: V3Handlers,
  answer: (given: Answer) => void,
): Promise<void> {
  switch (call.type) {
    case 'RANGE': {
      const request = create(RangeRequestSchema, { key: bytes(call.key), rangeEnd: bytes(call.end) });
      const { kvs = [], header } = await kv.range(request, context);
      return answer({
        type: 'KVS',
        kvs: (kvs as EtcdKeyValue[]).map(keyValueOf),
        revision: header?.revision ?? 0n,
      });
    }
    case 'PUT': {
      const request = create(PutRequestSchema, { key: bytes(call.key), value: bytes(call.value) });
      const { header } = await kv.put(request, context);
      return answer({ type: 'KVS', kvs: [], revision: header?.revision ?? 0n });
    }
    case 'WATCH': {
      const answers = watch.watch(requestsOf(call, context.signal), context);
      for await (const each of answers) {
        for (const given of watchAnswers(each as WatchResponse)) answer(given);
      }
      // etcd's client treats the end of the stream as the end of the watch.
      return answer({ type: 'CANCELED' });
    }
  }
}

/** The one request of a node, whose stream then stays open. */
async function* requestsOf(
  { key, end, start }: Extract<Call, { type: 'WATCH' }>,
  signal: AbortSignal,
): AsyncGenerator<WatchRequest> {
  const value = { key: bytes(key), rangeEnd: bytes(end), startRevision: start };
  yield create(WatchRequestSchema, { requestUnion: { case: 'createRequest', value } });
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function watchAnswers({ created, canceled, events, header }: WatchResponse): Answer[] {
  const answers: Answer[] = [];
  if (created) answers.push({ type: 'CREATED' });
  if (canceled) answers.push({ type: 'CANCELED' });
  if (!created && !canceled) {
    const kvs = events.flatMap(({ kv }) => (kv === undefined ? [] : [keyValueOf(kv)]));
    answers.push({ type: 'EVENTS', events: kvs, revision: header?.revision ?? 0n });
  }
  return answers;
}

function endOf(thrown: unknown): Answer {
  const passes = [Code.Unavailable, Code.Internal];
  return { type: passes.includes(ConnectError.from(thrown).code) ? 'BROKEN' : 'CANCELED' };
}

function keyValueOf({ key, value, createRevision, modRevision }: EtcdKeyValue): KeyValue {
  return { key: text(key), value: text(value), createRevision, modRevision };
}
