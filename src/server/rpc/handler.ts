import type { DescMethod, Registry } from '@bufbuild/protobuf';
import {
  type ConnectError,
  type ContextValues,
  createConnectRouter,
  createContextValues,
  type MethodImpl,
  type ServiceImplSpec,
} from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import { compressionGzip } from '@connectrpc/connect-node';
import { REQUEST_LIMITS } from '../../limits.ts';
import type { PortRequest, PortResponse } from '../../port/port.ts';
import { LONGEST_TIMER_MS } from '../../values/duration.ts';
import { NO_WORK, type Work } from '../../work.ts';
import { pathOf } from '../route.ts';
import { byConnect } from './by-connect.ts';
import { grpcMethod } from './grpc-method.ts';
import { noteOutcome, OUTCOME, type Outcome } from './outcome.ts';
import { refuseUnknown } from './refusals.ts';
import { refuseTurnedAway, TURNED_AWAY } from './turned-away.ts';
import { versionProblem } from './version-problem.ts';

/** RpcHandler answers a call. With a refusal it answers that, in the protocol of the call. */
export type RpcHandler = (
  request: PortRequest,
  response: PortResponse,
  outcome: Outcome,
  refusal?: ConnectError,
) => Promise<void>;

export interface RpcOptions {
  /** The largest accepted message. */
  readonly readMaxBytes?: number | undefined;
  /** The types that an `Any` in JSON may contain. */
  readonly registry?: Registry;
  /** Returns the work budget to which a call's response is charged. */
  readonly workOf?: (values: ContextValues) => Work;
}

/**
 * Returns the handler for the paths of RPC services, over HTTP/1.1 and HTTP/2: Connect, gRPC and gRPC-Web.
 */
export function rpcHandler(
  services: readonly ServiceImplSpec[],
  valuesOf: (request: PortRequest, outcome: Outcome) => ContextValues = () => createContextValues(),
  { readMaxBytes = REQUEST_LIMITS.rpcMessageBytes, registry, workOf = () => NO_WORK }: RpcOptions = {},
): RpcHandler {
  const options = {
    readMaxBytes,
    // Longer ones were removed before: they would end the call at once.
    maxTimeoutMs: LONGEST_TIMER_MS,
    interceptors: [noteOutcome],
  };
  const router = createConnectRouter({
    ...options,
    interceptors: [...options.interceptors, refuseTurnedAway],
    // Not brotli, which takes thirty times as long at its default quality.
    acceptCompression: [compressionGzip],
    // A misspelled field is rejected instead of being treated as missing.
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
    const values = valuesOf(request, outcome);
    values.set(OUTCOME, outcome);
    const connect = (read?: Uint8Array): Promise<void> =>
      byConnect(handler, request, response, { values, outcome, read, work: workOf(values) });
    const turnedAway = refusal ?? versionProblem(request);
    if (turnedAway !== undefined) {
      values.set(TURNED_AWAY, turnedAway);
      outcome.code = codeToString(turnedAway.code);
      return connect();
    }
    const method = grpc.get(handler.requestPath);
    if (method === undefined || !('stream' in request && 'stream' in response)) return connect();
    return method(request, response, values, connect);
  };
}
