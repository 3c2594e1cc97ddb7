import { grpcStatusOk, setTrailerStatus } from '@connectrpc/connect/protocol-grpc';
import type { Http2Call } from '../../port/port.ts';
import { forClients } from './connect-words.ts';
import { encodeGrpcMessage } from './grpc-message.ts';
import { errorOf } from './outcome.ts';
import type { RpcCall } from './rpc-call.ts';

/** The same as Connect's. */
const HEAD = { 'content-type': 'application/grpc+proto' };
const OK = { 'grpc-status': grpcStatusOk };

/** Sends the head of a response, unless it was sent. */
export function beginGrpc({ additions: { header } }: RpcCall, call: Http2Call): void {
  if (call.headersSent) return;
  call.writeHead(200, header === undefined ? HEAD : { ...Object.fromEntries(header), ...HEAD });
}

/** Ends a response with its last message, if there is one, or with the error that the handler has thrown. */
export function end(context: RpcCall, call: Http2Call, last?: Buffer, thrown?: unknown): void {
  context.end();
  beginGrpc(context, call);
  const { trailer } = context.additions;
  const isPlain = trailer === undefined && thrown === undefined;
  call.setTrailers(isPlain ? OK : trailersOf(trailer ?? new Headers(), thrown));
  call.end(last);
}

function trailersOf(trailer: Headers, thrown: unknown): Record<string, string> {
  const error = thrown === undefined ? undefined : errorOf(thrown);
  setTrailerStatus(trailer, error);
  if (error !== undefined) trailer.set('grpc-message', encodeGrpcMessage(forClients(error.rawMessage)));
  return Object.fromEntries(trailer);
}
