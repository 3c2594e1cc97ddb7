import { create, type DescMessage, fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import type { MethodImplSpec } from '@connectrpc/connect';
import { GetClusterResponseSchema } from '../../../gen/discovery/v1/service_pb.ts';
import { RangeResponseSchema } from '../../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { ownTurn } from '../../own-turn.ts';
import { sendingUnits } from '../../work.ts';
import { GrpcCall } from './grpc-call.ts';
import { end } from './grpc-end.ts';
import { type Decode, frameOf, onlyMessage, readGrpcBody, sharedFrameOf } from './grpc-frames.ts';
import type { GrpcMethod, GrpcOptions, Handler } from './grpc-types.ts';
import { isLarge } from './large.ts';
import { noteError, OUTCOME } from './outcome.ts';
import { repeatedDecoder } from './repeated.ts';

/** The responses of reads, which are the same object until something is written. */
const SHARED: ReadonlySet<string> = new Set([
  GetClusterResponseSchema.typeName,
  RangeResponseSchema.typeName,
]);

/**
 * Returns the function that answers the calls of a method with one message each way: what `grpcMethod` does for
 * streams, without iterators.
 */
export function grpcUnary(spec: MethodImplSpec, { readMaxBytes, workOf }: GrpcOptions): GrpcMethod {
  const { input, output } = spec.method;
  const impl = spec.impl as Handler;
  const isRead = SHARED.has(output.typeName);
  const render = isRead ? sharedFrameOf : frameOf;
  const decode: Decode = isRead ? repeatedDecoder(input) : (bytes) => fromBinary(input, bytes);
  return async (call, values, byConnect) => {
    const body = await readGrpcBody(call.stream, readMaxBytes);
    if (call.stream.aborted) return;
    const message = onlyMessage(decode, body, readMaxBytes);
    if (message === undefined) return byConnect(body);
    const context = new GrpcCall(spec, message, values, call);
    const outcome = values.get(OUTCOME);
    let frame: Buffer;
    try {
      const answer = create(output, (await impl(message, context)) as MessageInitShape<DescMessage>);
      outcome.code = 'ok';
      if (isLarge(answer)) await ownTurn();
      frame = render(output, answer);
    } catch (thrown) {
      noteError(outcome, thrown);
      return end(context, call, undefined, thrown);
    }
    const units = sendingUnits(frame.length);
    if (units > 0) workOf(values).owe(units);
    end(context, call, frame);
  };
}
