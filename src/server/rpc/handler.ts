import type { DescMethod, Registry } from '@bufbuild/protobuf';
import {
  ConnectError,
  type ContextValues,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type MethodImpl,
  type ServiceImplSpec,
} from '@connectrpc/connect';
import { createAsyncIterable, type UniversalServerResponse } from '@connectrpc/connect/protocol';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import {
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import { REQUEST_LIMITS } from '../../limits.ts';
import type { PortRequest, PortResponse } from '../../port/port.ts';
import { LONGEST_TIMER_MS } from '../../values/duration.ts';
import { NO_WORK, sendingMeter, type Work } from '../../work.ts';
import { pathOf } from '../route.ts';
import { grpcMethod } from './grpc-method.ts';
import { noteOutcome, OUTCOME, type RpcOutcome } from './outcome.ts';
import { explainStatus, explainUnreadable, refuseUnknown } from './refusals.ts';

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

export interface RpcOptions {
  /** The largest message that is taken. */
  readonly readMaxBytes?: number | undefined;
  /** What an `Any` in JSON may hold. */
  readonly registry?: Registry;
  /** What the work of a call's answer is taken of. */
  readonly workOf?: (values: ContextValues) => Work;
}

/** Answers the paths of RPC services, over HTTP/1.1 and HTTP/2: Connect, gRPC and gRPC-Web. */
export function rpcHandler(
  services: readonly ServiceImplSpec[],
  valuesOf: (request: PortRequest) => ContextValues = createContextValues,
  { readMaxBytes = REQUEST_LIMITS.rpcMessageBytes, registry, workOf = () => NO_WORK }: RpcOptions = {},
): RpcHandler {
  const options = {
    readMaxBytes,
    // A longer deadline would end the call at once.
    maxTimeoutMs: LONGEST_TIMER_MS,
    interceptors: [noteOutcome],
  };
  const router = createConnectRouter({
    ...options,
    requestGate,
    // Not brotli: at its default quality it takes thirty times as long.
    acceptCompression: [compressionGzip],
    // A misspelt field is refused, and not taken for one that is left out.
    jsonOptions: { ignoreUnknownFields: false, ...(registry && { registry }) },
  });
  const methods = services.flatMap(({ methods }) => Object.values(methods));
  for (const { method, impl } of methods) router.rpc(method, impl as MethodImpl<DescMethod>);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  const grpc = new Map(
    methods.map((spec) => [
      `/${spec.method.parent.typeName}/${spec.method.name}`,
      grpcMethod(spec, { ...options, workOf }),
    ]),
  );

  return async (request, response, outcome, refusal) => {
    const handler = handlers.get(pathOf(request.url ?? ''));
    if (handler === undefined) return refuseUnknown(request, response);
    outcome.method = handler.method.name;
    const values = valuesOf(request);
    values.set(OUTCOME, outcome);
    const byConnect = async (read?: Uint8Array): Promise<void> => {
      const asked = universalRequestFromNodeRequest(request, response, undefined, values);
      // Connect may leave it half-read. That is for the port to see to: a request that is destroyed holds its socket.
      const body =
        read === undefined ? request.iterator({ destroyOnReturn: false }) : createAsyncIterable([read]);
      let answer = await handler({ ...asked, body });
      if (answer.status === 500 && outcome.code === undefined) answer = explainUnreadable(answer);
      if (answer.body === undefined) answer = explainStatus(answer, request.headers['content-type'] ?? '');
      else
        answer = {
          ...answer,
          body: counted(answer.body, sendingMeter(workOf(values), isCompressed(answer))),
        };
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

async function* counted(
  body: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    count(chunk.length);
    yield chunk;
  }
}

const ENCODINGS = ['content-encoding', 'connect-content-encoding', 'grpc-encoding'];

/** Short messages are not, though they are of one stream: those count for little. */
function isCompressed({ header }: UniversalServerResponse): boolean {
  return ENCODINGS.some((name) => (header?.get(name) ?? 'identity') !== 'identity');
}
