// grpc.testing.TestService, which gRPC's interoperability tests call.

import { setTimeout as sleep } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import { codeOf } from './code.ts';
import {
  type EchoStatus,
  type Payload,
  PayloadSchema,
  type StreamingOutputCallRequest,
  type StreamingOutputCallResponse,
} from './gen/grpc/testing/messages_pb.ts';
import type { TestService } from './gen/grpc/testing/test_pb.ts';

const INITIAL = 'x-grpc-test-echo-initial';
const TRAILING = 'x-grpc-test-echo-trailing-bin';

export const interopService: Partial<ServiceImpl<typeof TestService>> = {
  emptyCall: () => ({}),
  unaryCall({ responseStatus, responseSize, fillServerId }, context) {
    echo(context);
    throwIfAsked(responseStatus);
    return { payload: payloadOf(responseSize), ...(fillServerId && { serverId: 'the only one' }) };
  },
  streamingOutputCall: answersTo,
  async streamingInputCall(requests) {
    let aggregatedPayloadSize = 0;
    for await (const { payload } of requests) aggregatedPayloadSize += payload?.body.length ?? 0;
    return { aggregatedPayloadSize };
  },
  async *fullDuplexCall(requests, context) {
    echo(context);
    for await (const request of requests) {
      throwIfAsked(request.responseStatus);
      yield* answersTo(request);
    }
  },
};

/** Echoes the metadata that a client sends for that purpose. */
function echo({ requestHeader, responseHeader, responseTrailer }: HandlerContext): void {
  const [initial, trailing] = [requestHeader.get(INITIAL), requestHeader.get(TRAILING)];
  if (initial !== null) responseHeader.set(INITIAL, initial);
  if (trailing !== null) responseTrailer.set(TRAILING, trailing);
}

function throwIfAsked(status: EchoStatus | undefined): void {
  if (status !== undefined && status.code !== 0) throw new ConnectError(status.message, codeOf(status.code));
}

async function* answersTo({
  responseParameters,
}: StreamingOutputCallRequest): AsyncGenerator<Pick<StreamingOutputCallResponse, 'payload'>> {
  for (const { size, intervalUs } of responseParameters) {
    await sleep(intervalUs / 1000);
    yield { payload: payloadOf(size) };
  }
}

const payloadOf = (size: number): Payload => create(PayloadSchema, { body: new Uint8Array(size) });
