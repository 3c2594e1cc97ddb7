// connectrpc.conformance.v1.ConformanceService, whose requests specify the responses, as its proto describes.

import { setTimeout as sleep } from 'node:timers/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Any, anyPack } from '@bufbuild/protobuf/wkt';
import { ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import { codeOf } from './code.ts';
import {
  BidiStreamRequestSchema,
  ClientStreamRequestSchema,
  type ConformancePayloadSchema,
  type ConformanceService,
  type Error as ErrorDefinition,
  type Header,
  IdempotentUnaryRequestSchema,
  ConformancePayload_RequestInfoSchema as RequestInfoSchema,
  ServerStreamRequestSchema,
  type StreamResponseDefinition,
  UnaryRequestSchema,
  type UnaryResponseDefinition,
} from './gen/connectrpc/conformance/v1/service_pb.ts';

type Payload = MessageInitShape<typeof ConformancePayloadSchema>;
type RequestInfo = MessageInitShape<typeof RequestInfoSchema>;

export const conformanceService: Partial<ServiceImpl<typeof ConformanceService>> = {
  async unary(request, context) {
    const info = infoOf(context, [anyPack(UnaryRequestSchema, request)]);
    return { payload: await answer(request.responseDefinition, info, context) };
  },
  async idempotentUnary(request, context) {
    const info = infoOf(context, [anyPack(IdempotentUnaryRequestSchema, request)]);
    return { payload: await answer(request.responseDefinition, info, context) };
  },
  async clientStream(requests, context) {
    let definition: UnaryResponseDefinition | undefined;
    const received: Any[] = [];
    for await (const request of requests) {
      if (received.length === 0) definition = request.responseDefinition;
      received.push(anyPack(ClientStreamRequestSchema, request));
    }
    return { payload: await answer(definition, infoOf(context, received), context) };
  },
  async *serverStream(request, context) {
    const { responseDefinition: definition } = request;
    const info = infoOf(context, [anyPack(ServerStreamRequestSchema, request)]);
    addMetadata(definition, context);
    yield* answersFrom(0, definition, info);
  },
  async *bidiStream(requests, context) {
    let definition: StreamResponseDefinition | undefined;
    let isFullDuplex: boolean | undefined;
    let received: Any[] = [];
    let sent = 0;
    for await (const request of requests) {
      if (isFullDuplex === undefined) {
        isFullDuplex = request.fullDuplex;
        definition = request.responseDefinition;
        addMetadata(definition, context);
      }
      received.push(anyPack(BidiStreamRequestSchema, request));
      if (!isFullDuplex) continue;
      const data = definition?.responseData[sent];
      if (data === undefined) break;
      await sleep(definition?.responseDelayMs);
      yield {
        payload: { data, requestInfo: sent === 0 ? infoOf(context, received) : { requests: received } },
      };
      sent += 1;
      received = [];
    }
    yield* answersFrom(sent, definition, infoOf(context, received));
  },
};

/** Returns the response to a call, if it has one. */
async function answer(
  definition: UnaryResponseDefinition | undefined,
  requestInfo: RequestInfo,
  context: HandlerContext,
): Promise<Payload> {
  if (definition === undefined) return { requestInfo };
  const { response, responseDelayMs } = definition;
  addMetadata(definition, context);
  await sleep(responseDelayMs);
  if (response.case === 'error') throw errorOf(response.value, requestInfo);
  return response.case === 'responseData' ? { data: response.value, requestInfo } : { requestInfo };
}

/** Returns the responses of a stream after the first `sent` ones. The very first describes the request. */
async function* answersFrom(
  sent: number,
  definition: StreamResponseDefinition | undefined,
  requestInfo: RequestInfo,
): AsyncGenerator<{ payload: Payload }> {
  if (definition === undefined) return;
  const { responseData, responseDelayMs, error } = definition;
  for (const [index, data] of responseData.entries()) {
    if (index < sent) continue;
    await sleep(responseDelayMs);
    yield { payload: index === 0 ? { data, requestInfo } : { data } };
  }
  if (error !== undefined) throw errorOf(error, responseData.length === 0 ? requestInfo : undefined);
}

function infoOf(context: HandlerContext, requests: Any[]): RequestInfo {
  const timeoutMs = context.timeoutMs();
  return {
    requestHeaders: [...context.requestHeader].map(([name, value]) => ({ name, value: [value] })),
    requests,
    // Throws for a fraction, which is not a valid number of ms.
    ...(timeoutMs !== undefined && { timeoutMs: BigInt(timeoutMs) }),
    ...(context.requestMethod === 'GET' && {
      connectGetInfo: {
        queryParams: [...new URL(context.url).searchParams].map(([name, value]) => ({
          name,
          value: [value],
        })),
      },
    }),
  };
}

function addMetadata(
  definition: { readonly responseHeaders: Header[]; readonly responseTrailers: Header[] } | undefined,
  { responseHeader, responseTrailer }: HandlerContext,
): void {
  for (const [headers, defined] of [
    [responseHeader, definition?.responseHeaders],
    [responseTrailer, definition?.responseTrailers],
  ] as const) {
    for (const { name, value } of defined ?? []) for (const each of value) headers.append(name, each);
  }
}

function errorOf(
  { code, message, details }: ErrorDefinition,
  requestInfo: RequestInfo | undefined,
): ConnectError {
  const error = new ConnectError(message ?? '', codeOf(code));
  error.details = details.map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf('/') + 1),
    value,
  }));
  if (requestInfo !== undefined) error.details.push({ desc: RequestInfoSchema, value: requestInfo });
  return error;
}
