import { Code } from '@connectrpc/connect';
import { createAsyncIterable, type UniversalServerResponse } from '@connectrpc/connect/protocol';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import { unserved } from '../../etcdv3/unserved.ts';
import type { PortRequest, PortResponse } from '../../port/port.ts';
import { pathOf } from '../route.ts';
import { encodeGrpcMessage } from './grpc-message.ts';

/** Connect reports a message that is not protobuf as a server error, which would alert operators. */
export function explainUnreadable(answer: UniversalServerResponse): UniversalServerResponse {
  const message = 'the body is not a valid protobuf message for this method';
  return inJson({ ...answer, status: 400 }, Code.InvalidArgument, message);
}

/**
 * Errors that Connect returns as a bare status. The first two codes are what its clients derive from the
 * status.
 */
const BARE: ReadonlyMap<number, readonly [code: Code, message: string]> = new Map([
  [405, [Code.Unknown, 'call this method with POST (methods without side effects also accept GET)']],
  [
    415,
    [
      Code.Unknown,
      "unsupported Content-Type; with curl, add -H 'Content-Type: application/json' -d '{...}'; for streams use a Connect or gRPC client",
    ],
  ],
  [505, [Code.Unimplemented, 'a bidirectional stream requires HTTP/2']],
]);
const PLAIN = 'text/plain; charset=utf-8';
const GRPC_WEB_TEXT = /^application\/grpc-web-text/i;
const NO_WEB_TEXT =
  'the text mode of gRPC-Web is not supported; use application/grpc-web+proto (protoc-gen-grpc-web: mode=grpcweb)';
/** The media types of Connect, and those that curl and fetch send by default. */
const CONNECT = /^(?:application\/(?:json|proto|connect\+.*|x-www-form-urlencoded)|text\/plain)?(?:;|$)/;

/**
 * Adds an explanation for people who try a call by hand and forget a part of it. gRPC clients read only the
 * status, and clients of other protocols do not understand Connect's errors.
 */
export function explainStatus(
  bare: UniversalServerResponse,
  contentType: string,
  allowed: readonly string[],
): UniversalServerResponse {
  const answer = bare.status === 405 ? withAllow(bare, allowed) : bare;
  if (bare.status === 415 && GRPC_WEB_TEXT.test(contentType))
    return inWords(answer, PLAIN, `${NO_WEB_TEXT}\n`);
  const [code, message] = BARE.get(answer.status) ?? [];
  if (code === undefined || message === undefined) return answer;
  // gRPC is not supported over HTTP/1.1, so a 505 does not come from a gRPC client.
  if (answer.status !== 505 && isGrpc(contentType)) return answer;
  return answer.status === 505 || CONNECT.test(contentType)
    ? inJson(answer, code, message)
    : inWords(answer, PLAIN, `${message}\n`);
}

function withAllow(answer: UniversalServerResponse, allowed: readonly string[]): UniversalServerResponse {
  const header = new Headers(answer.header);
  header.set('Allow', [...allowed].sort().join(', '));
  return { ...answer, header };
}

export function inJson(
  answer: UniversalServerResponse,
  code: Code,
  message: string,
): UniversalServerResponse {
  return inWords(answer, 'application/json', JSON.stringify({ code: codeToString(code), message }));
}

function inWords(
  { status, header }: UniversalServerResponse,
  contentType: string,
  words: string,
): UniversalServerResponse {
  const body = Buffer.from(words);
  const headers = new Headers(header);
  headers.set('Content-Type', contentType);
  headers.set('Content-Length', String(body.length));
  headers.delete('Content-Encoding');
  return { status, header: headers, body: createAsyncIterable([body]) };
}

const NO_SUCH_RPC =
  'unknown RPC; this service implements discovery.v1.DiscoveryService, discovery.v1.OperatorService, and the RPCs of etcdserverpb that discovery uses';

/** Answers a call of an unknown service or method, in the way of its protocol. */
export function refuseUnknown(request: PortRequest, response: PortResponse): void {
  const message = unserved(pathOf(request.url ?? ''))?.rawMessage ?? NO_SUCH_RPC;
  const type = request.headers['content-type'] ?? '';
  if (isGrpc(type)) {
    const headers = {
      'content-type': type.split(';', 1)[0] ?? type,
      'grpc-status': String(Code.Unimplemented),
      'grpc-message': encodeGrpcMessage(message),
    };
    // gRPC accepts a status only in the frame that ends the stream.
    if ('stream' in response) {
      const all = { ...response.getHeaders(), ...headers, ':status': 200 };
      response.stream.respond(all, { endStream: true });
      // Otherwise it would be logged as a request whose client has left.
      response.end();
    } else response.writeHead(200, headers).end();
  } else {
    response.writeHead(404, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ code: codeToString(Code.Unimplemented), message }));
  }
}

function isGrpc(contentType: string): boolean {
  return contentType.startsWith('application/grpc');
}
