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
import { type PortRequest, schemeOf } from '../../port/port.ts';
import type { Route } from '../route.ts';
import { isRpc } from '../rpc/methods.ts';
import { httpRoute } from './http-route.ts';
import { verbOf } from './metrics.ts';
import type { StoreOperation } from './store-metrics.ts';

/** How a request ended. */
export interface Ended {
  readonly status: number;
  /** The RPC and its code, in Connect's words. */
  readonly rpc: { readonly method: string; readonly code: string } | undefined;
}

/** The span of one request. */
export interface RequestSpan {
  readonly traceId: string;
  /** Calls a function whose spans, and those of all that it starts, are below this one. */
  run<T>(work: () => T): T;
  end(ended: Ended): void;
}

/** What both ways of an RPC are called by. */
type RpcSystem = 'grpc' | 'connectrpc';

/** Codes that are the service's fault, as OpenTelemetry's conventions for RPC servers have them. */
const FAULTS = new Set([
  'unknown',
  'deadline_exceeded',
  'unimplemented',
  'internal',
  'unavailable',
  'data_loss',
]);

/**
 * Spans of requests and of what the store does for them, for the OpenTelemetry SDK that an operator preloads. They
 * hold no path, no query and no text of an error: those may hold tokens.
 */
export class Tracing {
  readonly #tracer: Tracer;
  /** What was active when a request came: the span of an SDK that instruments node:http. */
  readonly #arrived = new WeakMap<PortRequest, Context>();

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** Called as Node hands a request over. It is begun later, with others, in the context of one of them. */
  arrive(request: PortRequest): void {
    const active = context.active();
    if (trace.getSpan(active) !== undefined) this.#arrived.set(request, active);
  }

  /** A request is begun. It belongs to a span that is there for it already, or to the trace that it names. */
  begin(request: PortRequest, route: Route, requestId: string): RequestSpan {
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

  /** What the store does for the request that is being served; undefined when it does it for nobody. */
  store(operation: StoreOperation): Span | undefined {
    const active = context.active();
    if (trace.getSpan(active) === undefined) return undefined;
    return this.#tracer.startSpan(`store ${operation}`, { kind: SpanKind.CLIENT }, active);
  }
}

/** The call of a method that is served, and of any other as the conventions name what is not known. */
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

/** gRPC's codes are in capitals, and Connect's are those of its errors alone. Undefined: no code was sent. */
function statusCode(system: RpcSystem | undefined, code: string): string | undefined {
  if (code === 'refused' || code.startsWith('http_')) return undefined;
  if (system !== 'grpc') return code === 'ok' ? undefined : code;
  return code === 'canceled' ? 'CANCELLED' : code.toUpperCase();
}

/** Undefined when no SDK is registered by now: then nothing is traced, at no cost. */
export function openTracing(version: string): Tracing | undefined {
  const tracer = trace.getTracer('etcd-discovery', version);
  // Without an SDK it has no identity. With one it shows the operator that spans arrive.
  const probe = tracer.startSpan('start', {}, ROOT_CONTEXT);
  probe.end();
  return isSpanContextValid(probe.spanContext()) ? new Tracing(tracer) : undefined;
}
