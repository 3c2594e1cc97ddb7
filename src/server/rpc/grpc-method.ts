// Reason: connect-node's chains of streams, headers and abort signals take five times as long as the rest of
// a gRPC call. Remove this and the other grpc*.ts files when connect-node alone answers GetCluster within 1.5
// times of this (npm run bench).

// Only the usual call is answered here (see `isUsual`). All others go to Connect, which gives the same
// responses.

import { create, type DescMessage, fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import type { ContextValues, MethodImplSpec } from '@connectrpc/connect';
import { createMethodSerializationLookup } from '@connectrpc/connect/protocol';
import { ownTurn } from '../../own-turn.ts';
import type { Http2Call } from '../../port/port.ts';
import { sendingMeter } from '../../work.ts';
import { messagesOf } from './grpc-body.ts';
import { beginGrpc, end } from './grpc-end.ts';
import { frameOf, onlyMessage, readOne } from './grpc-frames.ts';
import { arrivalOf } from './grpc-head.ts';
import type { GrpcMethod } from './grpc-types.ts';
import { grpcUnary } from './grpc-unary.ts';
import { isLarge } from './large.ts';
import { noteError, OUTCOME, requireInTime } from './outcome.ts';
import type { Decode } from './repeated.ts';
import { type CallOptions, type Handler, type Input, RpcCall } from './rpc-call.ts';

type Message = MessageInitShape<DescMessage>;

/** Returns the function that answers the calls of a method. */
export function grpcMethod(spec: MethodImplSpec, options: CallOptions): GrpcMethod {
  return spec.kind === 'unary' ? grpcUnary(spec, options) : grpcStream(spec, options);
}

function grpcStream(spec: MethodImplSpec, { readMaxBytes, workOf }: CallOptions): GrpcMethod {
  const decode: Decode = (bytes) => fromBinary(spec.method.input, bytes);
  const limits = { readMaxBytes, writeMaxBytes: 0xffffffff };
  const { parse } = createMethodSerializationLookup(spec.method, undefined, undefined, limits).getI(true);
  const send = spec.kind === 'client_streaming' ? sendOne : sendAll;
  const answer = (message: Input, call: Http2Call, values: ContextValues): Promise<void> =>
    send(
      spec.impl as Handler,
      new RpcCall(spec, message, arrivalOf(call, values)),
      call,
      sendingMeter(workOf(values)),
    );

  if (spec.kind !== 'server_streaming') {
    return (call, values) => answer(messagesOf(call, readMaxBytes, parse), call, values);
  }
  return async (call, values, byConnect) => {
    const body = await readOne(call, readMaxBytes);
    if (call.stream.aborted) return;
    const message = onlyMessage(decode, body, readMaxBytes);
    return message === undefined ? byConnect(body) : answer(message, call, values);
  };
}

/** Send answers a call with what the handler returns. `count` is called with the bytes of each message. */
type Send = (
  handler: Handler,
  context: RpcCall,
  call: Http2Call,
  count: (bytes: number) => void,
) => Promise<void>;

const sendOne: Send = async (handler, context, call, count) => {
  const outcome = context.values.get(OUTCOME);
  const { output } = context.method;
  let last: Buffer;
  try {
    last = frameOf(output, create(output, (await handler(context.message, context)) as Message));
    count(last.length);
    outcome.code = 'ok';
  } catch (thrown) {
    noteError(outcome, thrown);
    return end(context, call, undefined, thrown);
  }
  end(context, call, last);
};

/** Sends messages, each when the client has room for it, until none are left or the client is gone. */
const sendAll: Send = async (handler, context, call, count) => {
  const outcome = context.values.get(OUTCOME);
  const { output } = context.method;
  const { signal } = context;
  try {
    for await (const message of handler(context.message, context) as AsyncIterable<Message>) {
      if (isLarge(message)) await ownTurn();
      beginGrpc(context, call);
      if (call.stream.destroyed) return end(context, call);
      const frame = frameOf(output, create(output, message));
      count(frame.length);
      if (!call.write(frame)) await drained(call);
    }
    requireInTime(signal);
    outcome.code = 'ok';
  } catch (thrown) {
    noteError(outcome, thrown);
    return end(context, call, undefined, thrown);
  }
  end(context, call);
};

function drained({ stream }: Http2Call): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}
