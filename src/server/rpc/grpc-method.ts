// Reason: connect-node's chains of streams, headers and abort signals take five times as long as the rest of
// a gRPC call. Remove this and the other grpc*.ts files when connect-node alone answers GetCluster within 1.5
// times of this (npm run bench).

// Only the usual call is answered here: over HTTP/2, in protobuf, not compressed, with a valid deadline. All
// others go to Connect, which gives the same responses.

import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { create, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  type ContextValues,
  type Interceptor,
  type MethodImplSpec,
} from '@connectrpc/connect';
import {
  createMethodSerializationLookup,
  pipe,
  transformDecompressEnvelope,
  transformParseEnvelope,
  transformSplitEnvelope,
} from '@connectrpc/connect/protocol';
import { grpcStatusOk, parseTimeout, setTrailerStatus } from '@connectrpc/connect/protocol-grpc';
import { sendingMeter, type Work } from '../../work.ts';
import { forClients } from './connect-words.ts';
import { GONE, GrpcCall, type Input, timeoutOf } from './grpc-call.ts';
import { frameOf, onlyMessage, readBody } from './grpc-frames.ts';
import { encodeGrpcMessage } from './grpc-message.ts';

export interface GrpcOptions {
  readonly readMaxBytes: number;
  readonly interceptors: readonly Interceptor[];
  /** Returns the work budget to which a call's response is charged. */
  readonly workOf: (values: ContextValues) => Work;
}

/** GrpcMethod answers a call, or passes it to Connect: `read` is the body, if some of it was already read. */
export type GrpcMethod = (
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  values: ContextValues,
  byConnect: (read?: Uint8Array) => Promise<void>,
) => Promise<void>;

type Invoke = ReturnType<Interceptor>;
type Asked = Parameters<Invoke>[0];
type Answer = Awaited<ReturnType<Invoke>>;
/** The common type of the four kinds of handlers. */
type Handler = (input: Input, call: GrpcCall) => unknown;

const BINARY = /^application\/grpc(?:\+proto)?\s*(?:;|$)/i;
/** The same as Connect's. */
const HEAD = { 'content-type': 'application/grpc+proto' };

/** Returns the function that answers the calls of a method. */
export function grpcMethod(spec: MethodImplSpec, options: GrpcOptions): GrpcMethod {
  const { interceptors, readMaxBytes, workOf } = options;
  const { input, output } = spec.method;
  const takesOne = spec.kind === 'unary' || spec.kind === 'server_streaming';
  const answersOne = spec.kind === 'unary' || spec.kind === 'client_streaming';
  const limits = { readMaxBytes, writeMaxBytes: 0xffffffff };
  const parser = createMethodSerializationLookup(spec.method, undefined, undefined, limits).getI(true);
  const messagesOf = (request: Http2ServerRequest): AsyncIterable<MessageShape<DescMessage>> =>
    pipe(
      bytesOf(request),
      transformSplitEnvelope(readMaxBytes),
      transformDecompressEnvelope(null, readMaxBytes),
      transformParseEnvelope(parser),
    );

  return async (request, response, values, byConnect) => {
    if (!isUsual(request)) return byConnect();
    let message: Input | undefined;
    if (takesOne) {
      const body = await readBody(request, readMaxBytes);
      if (request.stream.aborted) return;
      message = onlyMessage(input, body, readMaxBytes);
      if (message === undefined) return byConnect(body);
    } else message = messagesOf(request);

    const call = new GrpcCall(spec, message, values, request, response);
    const handle: Invoke = async () =>
      answerOf(call, !answersOne, await (spec.impl as Handler)(call.message, call));
    const invoke = interceptors.reduceRight((next, interceptor) => interceptor(next), handle);
    let error: ConnectError | undefined;
    let last: Buffer | undefined;
    try {
      const answer = await invoke(call as Asked);
      const count = sendingMeter(workOf(values));
      if (answer.stream) await sendAll(answer.message, output, call, response, count);
      else {
        last = frameOf(output, create(output, answer.message));
        count(last.length);
      }
    } catch (thrown) {
      error = thrown instanceof ConnectError ? thrown : new ConnectError('internal error', Code.Internal);
    }
    call.end();
    begin(call, response);
    const { trailer } = call.additions;
    response.addTrailers(
      trailer === undefined && error === undefined
        ? { 'grpc-status': grpcStatusOk }
        : Object.fromEntries(withStatus(trailer ?? new Headers(), error)),
    );
    if (last === undefined) response.end();
    else response.end(last);
  };
}

/** Sets the status of the call. */
function withStatus(trailer: Headers, error: ConnectError | undefined): Headers {
  setTrailerStatus(trailer, error);
  if (error !== undefined) trailer.set('grpc-message', encodeGrpcMessage(forClients(error.rawMessage)));
  return trailer;
}

/**
 * Yields a body as it arrives. Only the client can break it off, and Node.js may report that here before the
 * signal does.
 */
async function* bytesOf(request: Http2ServerRequest): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of request) yield chunk as Uint8Array;
  } catch {
    throw GONE;
  }
}

/** Whether the head is that of a usual call. */
function isUsual(request: Http2ServerRequest): boolean {
  const { method, headers } = request;
  const encoding = headers['grpc-encoding'];
  return (
    method === 'POST' &&
    BINARY.test(headers['content-type'] ?? '') &&
    (encoding === undefined || encoding === 'identity') &&
    parseTimeout(timeoutOf(request), Number.POSITIVE_INFINITY).error === undefined
  );
}

/** Wraps a handler's response as interceptors see it. */
function answerOf(call: GrpcCall, stream: boolean, message: unknown): Answer {
  const { service, method } = call;
  return {
    stream,
    service,
    method,
    message,
    get header() {
      return call.responseHeader;
    },
    get trailer() {
      return call.responseTrailer;
    },
  } as Answer;
}

/** Sends messages, each when the client has room for it, until none are left or the client is gone. */
async function sendAll(
  messages: AsyncIterable<MessageInitShape<DescMessage>>,
  desc: DescMessage,
  call: GrpcCall,
  response: Http2ServerResponse,
  count: (bytes: number) => void,
): Promise<void> {
  for await (const message of messages) {
    begin(call, response);
    if (response.stream.destroyed) return;
    const frame = frameOf(desc, create(desc, message));
    count(frame.length);
    if (!response.write(frame)) await drained(response);
  }
}

function drained({ stream }: Http2ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}

function begin({ additions: { header } }: GrpcCall, response: Http2ServerResponse): void {
  if (response.headersSent) return;
  response.writeHead(200, header === undefined ? HEAD : { ...Object.fromEntries(header), ...HEAD });
}
