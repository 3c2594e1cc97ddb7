// Reason: connect-node's chains of streams, headers and abort signals take five times as long as the rest of
// a gRPC call. Remove this and the other grpc*.ts files when connect-node alone answers GetCluster within 1.5
// times of this (npm run bench).

// Only the usual call is answered here (see `isUsual`). All others go to Connect, which gives the same
// responses.

import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { create, fromBinary } from '@bufbuild/protobuf';
import type { Interceptor, MethodImplSpec } from '@connectrpc/connect';
import {
  createMethodSerializationLookup,
  pipe,
  transformDecompressEnvelope,
  transformParseEnvelope,
  transformSplitEnvelope,
} from '@connectrpc/connect/protocol';
import type { Http2Call } from '../../port/port.ts';
import { sendingMeter } from '../../work.ts';
import { GONE, GrpcCall, type Input } from './grpc-call.ts';
import { beginGrpc, end } from './grpc-end.ts';
import { type Decode, frameOf, onlyMessage, readGrpcBody } from './grpc-frames.ts';
import type { GrpcMethod, GrpcOptions, Handler } from './grpc-types.ts';
import { grpcUnary } from './grpc-unary.ts';

type Invoke = ReturnType<Interceptor>;
type Asked = Parameters<Invoke>[0];
type Answer = Awaited<ReturnType<Invoke>>;

/** Returns the function that answers the calls of a method. */
export function grpcMethod(spec: MethodImplSpec, options: GrpcOptions): GrpcMethod {
  return spec.kind === 'unary' ? grpcUnary(spec, options) : grpcStream(spec, options);
}

function grpcStream(spec: MethodImplSpec, options: GrpcOptions): GrpcMethod {
  const { interceptors, readMaxBytes, workOf } = options;
  const { input, output } = spec.method;
  const decode: Decode = (bytes) => fromBinary(input, bytes);
  const takesOne = spec.kind === 'server_streaming';
  const answersOne = spec.kind === 'client_streaming';
  const limits = { readMaxBytes, writeMaxBytes: 0xffffffff };
  const parser = createMethodSerializationLookup(spec.method, undefined, undefined, limits).getI(true);
  const messagesOf = (call: Http2Call): AsyncIterable<MessageShape<DescMessage>> =>
    pipe(
      bytesOf(call),
      transformSplitEnvelope(readMaxBytes),
      transformDecompressEnvelope(null, readMaxBytes),
      transformParseEnvelope(parser),
    );

  return async (call, values, byConnect) => {
    let message: Input | undefined;
    if (takesOne) {
      const body = await readGrpcBody(call.stream, readMaxBytes);
      if (call.stream.aborted) return;
      message = onlyMessage(decode, body, readMaxBytes);
      if (message === undefined) return byConnect(body);
    } else message = messagesOf(call);

    const context = new GrpcCall(spec, message, values, call);
    const handle: Invoke = async () =>
      answerOf(context, !answersOne, await (spec.impl as Handler)(context.message, context));
    const invoke = interceptors.reduceRight((next, interceptor) => interceptor(next), handle);
    let last: Buffer | undefined;
    try {
      const answer = await invoke(context as Asked);
      const count = sendingMeter(workOf(values));
      if (answer.stream) await sendAll(answer.message, output, context, call, count);
      else {
        last = frameOf(output, create(output, answer.message));
        count(last.length);
      }
    } catch (thrown) {
      return end(context, call, undefined, thrown);
    }
    end(context, call, last);
  };
}

/**
 * Yields a body as it arrives. Only the client can break it off, and Node.js may report that here before the
 * signal does.
 */
async function* bytesOf({ stream }: Http2Call): AsyncGenerator<Uint8Array> {
  try {
    // The response may be still to come.
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) yield chunk as Uint8Array;
  } catch {
    throw GONE;
  }
}

/** Wraps a handler's response as interceptors see it. */
function answerOf(context: GrpcCall, stream: boolean, message: unknown): Answer {
  const { service, method } = context;
  return {
    stream,
    service,
    method,
    message,
    get header() {
      return context.responseHeader;
    },
    get trailer() {
      return context.responseTrailer;
    },
  } as Answer;
}

/** Sends messages, each when the client has room for it, until none are left or the client is gone. */
async function sendAll(
  messages: AsyncIterable<MessageInitShape<DescMessage>>,
  desc: DescMessage,
  context: GrpcCall,
  call: Http2Call,
  count: (bytes: number) => void,
): Promise<void> {
  for await (const message of messages) {
    beginGrpc(context, call);
    if (call.stream.destroyed) return;
    const frame = frameOf(desc, create(desc, message));
    count(frame.length);
    if (!call.write(frame)) await drained(call);
  }
}

function drained({ stream }: Http2Call): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}
