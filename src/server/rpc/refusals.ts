import { Code } from '@connectrpc/connect';
import { createAsyncIterable, type UniversalServerResponse } from '@connectrpc/connect/protocol';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import { unserved } from '../../etcdv3/unserved.ts';
import type { PortRequest, PortResponse } from '../../port/port.ts';
import { pathOf } from '../route.ts';

/** To Connect a message that is no protobuf is an error of the server, which operators would be woken for. */
export function unreadable(answer: UniversalServerResponse): UniversalServerResponse {
  const words = 'the body is not the protobuf message of this method';
  return inWords({ ...answer, status: 400 }, Code.InvalidArgument, words);
}

/** What Connect refuses with a bare status: whoever tries a call by hand, and forgets half of it, is to see why. */
export function unspoken(answer: UniversalServerResponse): UniversalServerResponse {
  switch (answer.status) {
    case 405:
      return inWords(
        answer,
        Code.Unimplemented,
        'this method is called with POST, and reads with GET as well',
      );
    case 415:
      return inWords(
        answer,
        Code.InvalidArgument,
        "the Content-Type is none of this method's; with curl: -H 'Content-Type: application/json' -d '{...}', and for streams use a client of Connect or gRPC",
      );
    case 505:
      return inWords(answer, Code.Unimplemented, 'a stream in both directions needs HTTP/2');
    default:
      return answer;
  }
}

function inWords(
  { status, header }: UniversalServerResponse,
  code: Code,
  message: string,
): UniversalServerResponse {
  const body = Buffer.from(JSON.stringify({ code: codeToString(code), message }));
  const headers = new Headers(header);
  headers.set('Content-Type', 'application/json');
  headers.set('Content-Length', String(body.length));
  headers.delete('Content-Encoding');
  return { status, header: headers, body: createAsyncIterable([body]) };
}

const NO_SUCH_RPC =
  'no such RPC here: the services are discovery.v1.DiscoveryService and what discovery needs of etcdserverpb';

/** A service or a method that is not here. Each protocol has its own way to say so. */
export function refuseUnknown(request: PortRequest, response: PortResponse): void {
  const message = unserved(pathOf(request.url ?? ''))?.rawMessage ?? NO_SUCH_RPC;
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('application/grpc')) {
    const headers = {
      'content-type': type.split(';', 1)[0] ?? type,
      'grpc-status': String(Code.Unimplemented),
      'grpc-message': message,
    };
    // gRPC takes a status for one only in the frame that ends the stream.
    if ('stream' in response) {
      const all = { ...response.getHeaders(), ...headers, ':status': 200 };
      response.stream.respond(all, { endStream: true });
      // Else it is logged as one that its client has left.
      response.end();
    } else response.writeHead(200, headers).end();
  } else {
    response.writeHead(404, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ code: codeToString(Code.Unimplemented), message }));
  }
}
