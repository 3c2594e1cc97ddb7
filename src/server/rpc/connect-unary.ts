// Reason: connect-node's chains of streams, headers and abort signals take ten times as long as the rest of a
// call of Connect's protocol. Remove this and connect-head.ts when connect-node alone answers GetCluster in
// JSON within 1.5 times of this (npm run bench).

// Only usual calls are answered here (see `usualForm`), unless with an error. Connect answers all others.

import type { OutgoingHttpHeaders } from 'node:http';
import type { DescMessage, JsonReadOptions, JsonWriteOptions, MessageShape } from '@bufbuild/protobuf';
import type { ContextValues, MethodImplSpec } from '@connectrpc/connect';
import { createMethodSerializationLookup } from '@connectrpc/connect/protocol';
import { contentTypeUnaryJson, contentTypeUnaryProto } from '@connectrpc/connect/protocol-connect';
import { compressionGzip } from '@connectrpc/connect-node';
import { isOver, type PortRequest, type PortResponse } from '../../port/port.ts';
import { sendingUnits } from '../../work.ts';
import { connectTimeoutOf, type Form } from './connect-head.ts';
import { connectTimeoutMs } from './deadline.ts';
import { errorOf } from './outcome.ts';
import { bodyOf, readWhole } from './read-whole.ts';
import type { Decode } from './repeated.ts';
import { type CallOptions, type Handler, RpcCall } from './rpc-call.ts';
import type { Render } from './shared.ts';
import { TURNED_AWAY } from './turned-away.ts';
import { type Codec, codecOf, respond } from './unary.ts';

/** The same as Connect's. */
const COMPRESSED_FROM_BYTES = 1024;
const GZIP = /(?:^|,)\s*gzip\s*(?:,|$)/;
const TYPES = { json: contentTypeUnaryJson, proto: contentTypeUnaryProto };

export interface ConnectOptions extends CallOptions {
  readonly jsonOptions: Partial<JsonReadOptions & JsonWriteOptions>;
}

/** ConnectCall is a usual call of Connect's protocol. */
export interface ConnectCall {
  readonly request: PortRequest;
  readonly response: PortResponse;
  readonly form: Form;
  readonly values: ContextValues;
}

/**
 * ConnectMethod answers a call, or has Connect do it: `read` is the body, if it was read. Connect answers with
 * the error in the values, if there is one.
 */
export type ConnectMethod = (
  call: ConnectCall,
  byConnect: (read?: Uint8Array) => Promise<void>,
) => Promise<void>;

/** Returns the function that answers the calls of a method with one message each way. */
export function connectUnary(
  spec: MethodImplSpec,
  { readMaxBytes, workOf, jsonOptions }: ConnectOptions,
): ConnectMethod {
  const limits = { readMaxBytes, writeMaxBytes: 0xffffffff };
  const read = { readUnknownFields: false };
  const serializations = createMethodSerializationLookup(spec.method, read, jsonOptions, limits);
  const codec = (isBinary: boolean): Codec => {
    const { serialize } = serializations.getO(isBinary);
    const render: Render = (message) => {
      const { buffer, byteOffset, byteLength } = serialize(message);
      return Buffer.from(buffer, byteOffset, byteLength);
    };
    return codecOf(spec.method, serializations.getI(isBinary).parse, render);
  };
  const codecs = { json: codec(false), proto: codec(true) };
  const handler = spec.impl as Handler;

  return async ({ request, response, form, values }, byConnect) => {
    const body = bodyOf(request) ?? (await readWhole(request, readMaxBytes));
    const { decode, render } = codecs[form];
    const message = messageOf(decode, body, request);
    if (message === undefined) return byConnect(body);
    const timeoutMs = connectTimeoutMs(connectTimeoutOf(request.headers));
    const arrival = { request, response, values, protocolName: 'connect', timeoutMs } as const;
    const context = new RpcCall(spec, message, arrival);
    let bytes: Uint8Array | undefined;
    try {
      bytes = await respond(handler, context, render);
    } catch (thrown) {
      values.set(TURNED_AWAY, errorOf(thrown));
    }
    context.end();
    setAdditions(context, response);
    if (bytes === undefined) return byConnect();
    const head: OutgoingHttpHeaders = { 'content-type': TYPES[form] };
    const isCompressed = bytes.length >= COMPRESSED_FROM_BYTES && acceptsGzip(request);
    if (isCompressed) {
      bytes = await compressionGzip.compress(bytes);
      head['content-encoding'] = compressionGzip.name;
    }
    const units = sendingUnits(bytes.length, isCompressed);
    if (units > 0) workOf(values).owe(units);
    if (isOver(response)) return;
    head['content-length'] = bytes.length;
    response.writeHead(200, head);
    response.end(bytes);
  };
}

/** Returns the message of a body that is complete and valid. */
function messageOf(
  decode: Decode,
  body: Uint8Array,
  { headers }: PortRequest,
): MessageShape<DescMessage> | undefined {
  if (body.length !== Number(headers['content-length'])) return undefined;
  try {
    return decode(body);
  } catch {
    return undefined;
  }
}

function acceptsGzip({ headers }: PortRequest): boolean {
  return GZIP.test(headers['accept-encoding']?.toString() ?? '');
}

/** Sets the headers that the handler has added, and its trailers: with a prefix in the protocol of Connect. */
function setAdditions({ additions: { header, trailer } }: RpcCall, response: PortResponse): void {
  header?.forEach((value, name) => response.setHeader(name, value));
  trailer?.forEach((value, name) => response.setHeader(`trailer-${name}`, value));
}
