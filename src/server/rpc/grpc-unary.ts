import { fromBinary } from '@bufbuild/protobuf';
import type { MethodImplSpec } from '@connectrpc/connect';
import { sendingUnits } from '../../work.ts';
import { end } from './grpc-end.ts';
import { frameOf, onlyMessage, readOne } from './grpc-frames.ts';
import { arrivalOf } from './grpc-head.ts';
import type { GrpcMethod } from './grpc-types.ts';
import { type CallOptions, type Handler, RpcCall } from './rpc-call.ts';
import { codecOf, respond } from './unary.ts';

/** Unknown fields can take a hundred times their bytes, and nobody reads them. */
const READ = { readUnknownFields: false };

/**
 * Returns the function that answers the calls of a method with one message each way: what `grpcMethod` does for
 * streams, without iterators.
 */
export function grpcUnary(spec: MethodImplSpec, { readMaxBytes, workOf }: CallOptions): GrpcMethod {
  const { input, output } = spec.method;
  const { decode, render } = codecOf(
    spec.method,
    (bytes) => fromBinary(input, bytes, READ),
    (message) => frameOf(output, message),
  );
  const handler = spec.impl as Handler;
  return async (call, values, byConnect) => {
    const body = await readOne(call, readMaxBytes);
    if (call.stream.aborted) return;
    const message = onlyMessage(decode, body, readMaxBytes);
    if (message === undefined) return byConnect(body);
    const context = new RpcCall(spec, message, arrivalOf(call, values));
    let frame: Buffer;
    try {
      frame = await respond(handler, context, render);
    } catch (thrown) {
      return end(context, call, undefined, thrown);
    }
    const units = sendingUnits(frame.length);
    if (units > 0) workOf(values).owe(units);
    end(context, call, frame);
  };
}
