// gRPC's unary calls over HTTP/2, without connect-node's chains of streams, headers and abort signals, which take
// five times as long as all else of a call, and far longer while they are not compiled. Only the usual call is
// answered here: one message, not compressed, with a deadline that can be kept. All others are Connect's.

import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError, type ContextValues, type Interceptor } from '@connectrpc/connect';
import { grpcStatusOk, parseTimeout, setTrailerStatus } from '@connectrpc/connect/protocol-grpc';
import { timeoutOf, UnaryCall, type UnarySpec } from './grpc-call.ts';

export interface GrpcOptions {
  readonly readMaxBytes: number;
  readonly maxTimeoutMs: number;
  readonly interceptors: readonly Interceptor[];
}

/** Answers a call, or has Connect do it: `read` is what there is of the body when some of it was read. */
export type GrpcMethod = (
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  values: ContextValues,
  byConnect: (read?: Uint8Array) => Promise<void>,
) => Promise<void>;

type Invoke = ReturnType<Interceptor>;

/** Before each message: a byte that says whether it is compressed, and its length in four. */
const PREFIX_BYTES = 5;
const BINARY = /^application\/grpc(?:\+proto)?$/;
/** As Connect answers. */
const HEAD = { 'content-type': 'application/grpc+proto' };

/** What answers the calls of a unary method. */
export function grpcMethod(spec: UnarySpec, options: GrpcOptions): GrpcMethod {
  const { interceptors, readMaxBytes } = options;
  const { input, output } = spec.method;
  return async (request, response, values, byConnect) => {
    if (!isUsual(request, options)) return byConnect();
    const body = await readBody(request, PREFIX_BYTES + readMaxBytes);
    if (request.stream.aborted) return;
    const message = onlyMessage(input, body);
    if (message === undefined) return byConnect(body);

    const call = new UnaryCall(spec, message, values, request, response);
    const handle: Invoke = async () => ({
      stream: false,
      service: call.service,
      method: call.method,
      message: create(output, await spec.impl(message, call)),
      get header() {
        return call.responseHeader;
      },
      get trailer() {
        return call.responseTrailer;
      },
    });
    const invoke = interceptors.reduceRight((next, interceptor) => interceptor(next), handle);
    let frame: Buffer | undefined;
    let error: ConnectError | undefined;
    try {
      const answer = await invoke(call);
      frame = frameOf(toBinary(output, answer.message as MessageShape<DescMessage>));
    } catch (thrown) {
      error = thrown instanceof ConnectError ? thrown : new ConnectError('internal error', Code.Internal);
    }
    call.end(error);
    const { made } = call;
    response.writeHead(
      200,
      made === undefined ? HEAD : { ...Object.fromEntries(made.responseHeader), ...HEAD },
    );
    response.addTrailers(
      made === undefined && error === undefined
        ? { 'grpc-status': grpcStatusOk }
        : Object.fromEntries(setTrailerStatus(made?.responseTrailer ?? new Headers(), error)),
    );
    if (frame === undefined) response.end();
    else response.end(frame);
  };
}

/** Whether the head is that of a usual call. */
function isUsual(request: Http2ServerRequest, { maxTimeoutMs }: GrpcOptions): boolean {
  const { method, headers } = request;
  const encoding = headers['grpc-encoding'];
  return (
    method === 'POST' &&
    BINARY.test(headers['content-type'] ?? '') &&
    (encoding === undefined || encoding === 'identity') &&
    parseTimeout(timeoutOf(request), maxTimeoutMs).error === undefined
  );
}

/** All of a body, or more than `enough`. Never resolves when the client goes away before. */
function readBody({ stream }: Http2ServerRequest, enough: number): Promise<Uint8Array> {
  return new Promise((resolve) => {
    let body: Buffer | undefined;
    stream.on('data', (chunk: Buffer) => {
      // Nearly every body comes in one piece.
      body = body === undefined ? chunk : Buffer.concat([body, chunk]);
      if (body.length <= enough) return;
      stream.removeAllListeners('data').resume();
      resolve(body);
    });
    stream.once('end', () => resolve(body ?? new Uint8Array()));
  });
}

/** The message of a body that is one message and nothing else. */
function onlyMessage(desc: DescMessage, body: Uint8Array): MessageShape<DescMessage> | undefined {
  const { buffer, byteOffset, length } = body;
  if (length < PREFIX_BYTES || body[0] !== 0) return undefined;
  const size = new DataView(buffer, byteOffset).getUint32(1);
  if (size !== length - PREFIX_BYTES) return undefined;
  try {
    return fromBinary(desc, new Uint8Array(buffer, byteOffset + PREFIX_BYTES, size));
  } catch {
    return undefined;
  }
}

function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}
