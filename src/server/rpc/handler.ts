import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ContextValues,
  createConnectRouter,
  createContextKey,
  createContextValues,
  createServiceImplSpec,
  type HandlerContext,
  type Interceptor,
} from '@connectrpc/connect';
import { createAsyncIterable, type UniversalServerResponse } from '@connectrpc/connect/protocol';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import {
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import { unserved } from '../../etcdv3/unserved.ts';
import { REQUEST_LIMITS } from '../../limits.ts';
import type { PortRequest, PortResponse } from '../../port/port.ts';
import { pathOf } from '../route.ts';
import { type GrpcMethod, type GrpcOptions, grpcMethod } from './grpc.ts';

/** How an RPC ended, for the log and the metrics. */
export interface RpcOutcome {
  /** Of a method that exists. */
  method?: string;
  /** In Connect's words, like `not_found`. Unset when the call never got as far as the service. */
  code?: string;
}

/** What a timer can hold; a longer deadline would end the call at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

const OUTCOME = createContextKey<RpcOutcome>({});
const TURNED_AWAY = createContextKey<ConnectError | undefined>(undefined);

/** Before the body is read, so that a call that is one too many costs next to nothing. */
function requestGate({ values }: HandlerContext): void {
  const refusal = values.get(TURNED_AWAY);
  if (refusal !== undefined) throw refusal;
}

/** With a refusal it answers that, in the protocol of the call. */
export type RpcHandler = (
  request: PortRequest,
  response: PortResponse,
  outcome: RpcOutcome,
  refusal?: ConnectError,
) => Promise<void>;

/** Answers the paths of RPC services, over HTTP/1.1 and HTTP/2: Connect, gRPC and gRPC-Web. */
export function rpcHandler(
  routes: (router: ConnectRouter) => void,
  valuesOf: (request: PortRequest) => ContextValues | undefined,
): RpcHandler {
  const options = {
    readMaxBytes: REQUEST_LIMITS.rpcMessageBytes,
    maxTimeoutMs: MAX_TIMEOUT_MS,
    interceptors: [noteOutcome],
  };
  const router = createConnectRouter({
    ...options,
    requestGate,
    // Not brotli: at its default quality it takes thirty times as long.
    acceptCompression: [compressionGzip],
    // A misspelt field is refused, and not taken for one that is left out.
    jsonOptions: { ignoreUnknownFields: false },
  });
  const grpc = grpcMethods(router, options);
  routes(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  return async (request, response, outcome, refusal) => {
    const handler = handlers.get(pathOf(request.url ?? ''));
    if (handler === undefined) return refuseUnknown(request, response);
    outcome.method = handler.method.name;
    const values = valuesOf(request) ?? createContextValues();
    values.set(OUTCOME, outcome);
    const byConnect = async (read?: Uint8Array): Promise<void> => {
      const asked = universalRequestFromNodeRequest(request, response, undefined, values);
      let answer = await handler(
        read === undefined ? asked : { ...asked, body: createAsyncIterable([read]) },
      );
      if (answer.status === 500 && outcome.code === undefined) answer = unreadable(answer);
      if (answer.body === undefined) answer = unspoken(answer);
      try {
        await universalResponseToNodeResponse(answer, response);
      } catch (thrown) {
        // The client is gone; whatever else went wrong has been told in the answer.
        outcome.code ??= codeToString(ConnectError.from(thrown).code);
      }
    };
    if (refusal !== undefined) {
      values.set(TURNED_AWAY, refusal);
      outcome.code = codeToString(refusal.code);
      return byConnect();
    }
    const method = grpc.get(handler.requestPath);
    if (method === undefined || !('stream' in request && 'stream' in response)) return byConnect();
    return method(request, response, values, byConnect);
  };
}

/** To Connect a message that is no protobuf is an error of the server, which operators would be woken for. */
function unreadable(answer: UniversalServerResponse): UniversalServerResponse {
  const words = 'the body is not the protobuf message of this method';
  return inWords({ ...answer, status: 400 }, Code.InvalidArgument, words);
}

/** What Connect refuses with a bare status: whoever tries a call by hand, and forgets half of it, is to see why. */
function unspoken(answer: UniversalServerResponse): UniversalServerResponse {
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

/** Has a router note the methods of the services that it is given, by their paths. */
function grpcMethods(router: ConnectRouter, options: GrpcOptions): ReadonlyMap<string, GrpcMethod> {
  const methods = new Map<string, GrpcMethod>();
  const { service } = router;
  router.service = (desc, implementation, ...rest) => {
    for (const spec of Object.values(createServiceImplSpec(desc, implementation).methods)) {
      methods.set(`/${desc.typeName}/${spec.method.name}`, grpcMethod(spec, options));
    }
    return service(desc, implementation, ...rest);
  };
  return methods;
}

const noteOutcome: Interceptor = (next) => async (request) => {
  const outcome = request.contextValues.get(OUTCOME);
  try {
    const response = await next(request);
    if (response.stream) return { ...response, message: noted(response.message, request.signal, outcome) };
    outcome.code = 'ok';
    return response;
  } catch (thrown) {
    outcome.code = codeToString(ConnectError.from(thrown).code);
    throw thrown;
  }
};

async function* noted<T>(
  messages: AsyncIterable<T>,
  signal: AbortSignal,
  outcome: RpcOutcome,
): AsyncGenerator<T> {
  try {
    yield* messages;
    // A handler ends quietly when its time is over: its client would take that for the end of what there is.
    const reason: unknown = signal.reason;
    if (reason instanceof ConnectError && reason.code === Code.DeadlineExceeded) throw reason;
    outcome.code = 'ok';
  } catch (thrown) {
    outcome.code = codeToString(ConnectError.from(thrown).code);
    throw thrown;
  }
}

const NO_SUCH_RPC =
  'no such RPC here: the services are discovery.v1.DiscoveryService and what discovery needs of etcdserverpb';

/** A service or a method that is not here. Each protocol has its own way to say so. */
function refuseUnknown(request: PortRequest, response: PortResponse): void {
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
