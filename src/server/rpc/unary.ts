// The common part of calls with one message each way, in any protocol.

import {
  create,
  type DescMessage,
  type DescMethod,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { GetClusterResponseSchema } from '../../../gen/discovery/v1/service_pb.ts';
import { RangeResponseSchema } from '../../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { ownTurn } from '../../own-turn.ts';
import { isLarge } from './large.ts';
import { noteError, OUTCOME } from './outcome.ts';
import { type Decode, repeatedly } from './repeated.ts';
import type { Handler, RpcCall } from './rpc-call.ts';
import { type Render, shared } from './shared.ts';

/** The responses of reads, which are the same object until something is written. */
const SHARED: ReadonlySet<string> = new Set([
  GetClusterResponseSchema.typeName,
  RangeResponseSchema.typeName,
]);

/** Codec decodes the requests of a method and renders its responses. Either may throw. */
export interface Codec {
  readonly decode: Decode;
  readonly render: Render;
}

/** Returns the codec of a method. That of a read does for equal bytes and equal responses its work once. */
export function codecOf({ output }: DescMethod, decode: Decode, render: Render): Codec {
  return SHARED.has(output.typeName)
    ? { decode: repeatedly(decode), render: shared(render) }
    : { decode, render };
}

/** Returns the rendered response of a handler. Rejects with its error. Either is noted as the call's outcome. */
export async function respond(handler: Handler, call: RpcCall, render: Render): Promise<Buffer> {
  const outcome = call.values.get(OUTCOME);
  try {
    const made = (await handler(call.message, call)) as MessageInitShape<DescMessage>;
    const response: MessageShape<DescMessage> = create(call.method.output, made);
    outcome.code = 'ok';
    if (isLarge(response)) await ownTurn();
    return render(response);
  } catch (thrown) {
    noteError(outcome, thrown);
    throw thrown;
  }
}
