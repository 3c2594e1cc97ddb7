import {
  type Context,
  context,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { type RequestHead, schemeOf } from '../../port/port.ts';
import type { Route } from '../route.ts';
import { isRpc } from '../rpc/methods.ts';
import { httpRoute } from './http-route.ts';
import { verbOf } from './metrics.ts';
import type { StoreOperation } from './store-metrics.ts';

/** Ended is the result of a request. */
export interface Ended {
  readonly status: number;
  /** The RPC and its result as one of Connect's codes. */
  readonly rpc: { readonly method: string; readonly code: string } | undefined;
}

/** RequestSpan is the span of one request. */
export interface RequestSpan {
  readonly traceId: string;
  /** Runs a function whose spans, and those of everything it starts, are children of this one. */
  run<T>(work: () => T): T;
  end(ended: Ended): void;
}

/** The names of both RPC systems. */
type RpcSystem = 'grpc' | 'connectrpc';

/** Codes that are the service's fault, according to OpenTelemetry's conventions for RPC servers. */
const FAULTS = new Set([
  'unknown',
  'deadline_exceeded',
  'unimplemented',
  'internal',
  'unavailable',
  'data_loss',
]);

/**
 * Tracing creates spans of requests and of the store's work for them, for the OpenTelemetry SDK that an
 * operator preloads. They contain no path, query or error message, which may contain tokens.
 */
export class Tracing {
  readonly #tracer: Tracer;
  /** The active context when a request arrived: the span of an SDK that instruments node:http. */
  readonly #arrived = new WeakMap<RequestHead, Context>();

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /**
   * Called when Node delivers a request, which starts later, together with others, in the context of one of
   * them.
   */
  arrive(request: RequestHead): void {
    const active = context.active();
    if (trace.getSpan(active) !== undefined) this.#arrived.set(request, active);
  }

  /**
   * Starts the span of a request. Its parent is an existing span of the request, or the trace that it names.
   */
  begin(request: RequestHead, route: Route, requestId: string): RequestSpan {
    const { method = '', headers, httpVersion } = request;
    const { surface, path } = route;
    const verb = verbOf(method);
    const rpc = surface === 'rpc' ? rpcOf(path, headers['content-type']) : undefined;
    const template = httpRoute(route);
    const attributes = {
      'http.request.method': verb === 'OTHER' ? '_OTHER' : verb,
      ...(template !== undefined && { 'http.route': template }),
      ...(rpc && { 'rpc.system.name': rpc.system, 'rpc.method': rpc.method }),
      'url.scheme': schemeOf(request),
      'network.protocol.version': httpVersion,
      'discovery.surface': surface,
      'discovery.request_id': requestId,
    };
    const asked = this.#arrived.get(request) ?? propagation.extract(ROOT_CONTEXT, headers);
    const name = rpc?.method ?? [verb === 'OTHER' ? 'HTTP' : verb, template].join(' ').trimEnd();
    const span = this.#tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, asked);
    const inside = trace.setSpan(asked, span);
    return {
      traceId: span.spanContext().traceId,
      run: (work) => context.with(inside, work),
      end: (ended) => end(span, rpc?.system, ended),
    };
  }

  /** Starts a span for the store's work for the current request. Undefined if there is none. */
  store(operation: StoreOperation): Span | undefined {
    const active = context.active();
    if (trace.getSpan(active) === undefined) return undefined;
    return this.#tracer.startSpan(`store ${operation}`, { kind: SpanKind.CLIENT }, active);
  }
}

/** Returns the method of a call, or for unknown methods the name that the conventions prescribe. */
function rpcOf(path: string, contentType = ''): { readonly system: RpcSystem; readonly method: string } {
  return {
    system: contentType.startsWith('application/grpc') ? 'grpc' : 'connectrpc',
    method: isRpc(path) ? path.slice(1) : '_OTHER',
  };
}

function end(span: Span, system: RpcSystem | undefined, { status, rpc }: Ended): void {
  span.setAttribute('http.response.status_code', status);
  const code = rpc && statusCode(system, rpc.code);
  if (rpc !== undefined) span.setAttribute('discovery.code', rpc.code);
  if (code !== undefined) span.setAttribute('rpc.response.status_code', code);
  const isFault = rpc !== undefined && FAULTS.has(rpc.code);
  if (isFault || status >= 500) {
    span.setAttribute('error.type', (isFault ? code : undefined) ?? String(status));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

/** gRPC's codes are upper-case; Connect's exist for errors only. Undefined: no code was sent. */
function statusCode(system: RpcSystem | undefined, code: string): string | undefined {
  if (code === 'refused' || code.startsWith('http_')) return undefined;
  if (system !== 'grpc') return code === 'ok' ? undefined : code;
  return code === 'canceled' ? 'CANCELLED' : code.toUpperCase();
}

/** Returns undefined if no SDK is registered by now: then nothing is traced, at no cost. */
export function openTracing(version: string): Tracing | undefined {
  const tracer = trace.getTracer('etcd-discovery', version);
  // Without an SDK it has no identity. With one it shows the operator that spans arrive.
  const probe = tracer.startSpan('start', {}, ROOT_CONTEXT);
  probe.end();
  return isSpanContextValid(probe.spanContext()) ? new Tracing(tracer) : undefined;
}
