import type { DescMethod, Registry } from '@bufbuild/protobuf';
import {
  type ConnectError,
  type ContextValues,
  createConnectRouter,
  createContextValues,
  type MethodImpl,
  type MethodImplSpec,
  type ServiceImplSpec,
} from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import { compressionGzip } from '@connectrpc/connect-node';
import { REQUEST_LIMITS } from '../../limits.ts';
import type { CallHandler, Http2Call, PortRequest, PortResponse, RequestHead } from '../../port/port.ts';
import { LONGEST_TIMER_MS } from '../../values/duration.ts';
import { NO_WORK, type Work } from '../../work.ts';
import { pathOf } from '../route.ts';
import { byConnect } from './by-connect.ts';
import { usualForm } from './connect-head.ts';
import { connectUnary } from './connect-unary.ts';
import { isUsual } from './grpc-head.ts';
import { grpcMethod } from './grpc-method.ts';
import { noteOutcome, OUTCOME, type Outcome } from './outcome.ts';
import { refuseUnknown } from './refusals.ts';
import { refuseTurnedAway, TURNED_AWAY } from './turned-away.ts';
import { versionProblem } from './version-problem.ts';

/** RpcHandler answers calls. With a refusal it answers that, in the protocol of the call. */
export interface RpcHandler extends Pick<CallHandler, 'takes'> {
  /** Answers any request to the path of a service. */
  request(
    request: PortRequest,
    response: PortResponse,
    outcome: Outcome,
    refusal?: ConnectError,
  ): Promise<void>;
  /** Answers a call that it takes. */
  call(call: Http2Call, outcome: Outcome, refusal?: ConnectError): Promise<void>;
}

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
  valuesOf: (request: RequestHead, outcome: Outcome) => ContextValues = () => createContextValues(),
  { readMaxBytes = REQUEST_LIMITS.rpcMessageBytes, registry, workOf = () => NO_WORK }: RpcOptions = {},
): RpcHandler {
  const options = {
    readMaxBytes,
    // Longer ones were removed before: they would end the call at once.
    maxTimeoutMs: LONGEST_TIMER_MS,
  };
  // A misspelled field is rejected instead of being treated as missing.
  const jsonOptions = { ignoreUnknownFields: false, ...(registry && { registry }) };
  const router = createConnectRouter({
    ...options,
    interceptors: [noteOutcome, refuseTurnedAway],
    // Not brotli, which takes thirty times as long at its default quality.
    acceptCompression: [compressionGzip],
    jsonOptions,
  });
  const methods = services.flatMap(({ methods }) => Object.values(methods));
  for (const { method, impl } of methods) router.rpc(method, impl as MethodImpl<DescMethod>);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  const grpc = new Map(
    methods.map((spec) => [pathOfMethod(spec), grpcMethod(spec, { readMaxBytes, workOf })]),
  );
  const unary = new Map(
    methods
      .filter(({ kind }) => kind === 'unary')
      .map((spec) => [pathOfMethod(spec), connectUnary(spec, { readMaxBytes, workOf, jsonOptions })]),
  );
  const valuesWith = (request: RequestHead, outcome: Outcome): ContextValues =>
    valuesOf(request, outcome).set(OUTCOME, outcome);

  return {
    async request(request, response, outcome, refusal) {
      const path = pathOf(request.url ?? '');
      const handler = handlers.get(path);
      if (handler === undefined) return refuseUnknown(request, response);
      outcome.method = handler.method.name;
      const values = valuesWith(request, outcome);
      const connect = (read?: Uint8Array): Promise<void> =>
        byConnect(handler, request, response, { values, outcome, read, work: workOf(values) });
      const problem = refusal ?? versionProblem(request);
      turnAway(values, outcome, problem);
      const method = unary.get(path);
      const form = method && problem === undefined ? usualForm(request, readMaxBytes) : undefined;
      return form === undefined || method === undefined
        ? connect()
        : method({ request, response, form, values }, connect);
    },
    takes: (headers) => isUsual(headers) && grpc.has(headers[':path'] ?? ''),
    call(call, outcome, refusal) {
      const [handler, method] = [handlers.get(call.url), grpc.get(call.url)];
      if (handler === undefined || method === undefined)
        throw new TypeError('took a call of an unknown method');
      outcome.method = handler.method.name;
      const values = valuesWith(call, outcome);
      const connect = (read?: Uint8Array): Promise<void> => {
        const { request, response } = call.asPair();
        return byConnect(handler, request, response, { values, outcome, read, work: workOf(values) });
      };
      turnAway(values, outcome, refusal);
      return refusal === undefined ? method(call, values, connect) : connect();
    },
  };
}

/** Has Connect answer with an error, if there is one. */
function turnAway(values: ContextValues, outcome: Outcome, refusal: ConnectError | undefined): void {
  if (refusal === undefined) return;
  values.set(TURNED_AWAY, refusal);
  outcome.code = codeToString(refusal.code);
}

function pathOfMethod({ method }: MethodImplSpec): string {
  return `/${method.parent.typeName}/${method.name}`;
}
