import {
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
import type { Surface } from '../route.ts';
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

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** A request has come, and perhaps says to which trace it belongs. */
  begin(request: PortRequest, surface: Surface, requestId: string): RequestSpan {
    const { method = '', headers, httpVersion } = request;
    const verb = verbOf(method);
    const attributes = {
      'http.request.method': verb,
      'url.scheme': schemeOf(request),
      'network.protocol.version': httpVersion,
      'discovery.surface': surface,
      'discovery.request_id': requestId,
    };
    const asked = propagation.extract(ROOT_CONTEXT, headers);
    const span = this.#tracer.startSpan(`${verb} ${surface}`, { kind: SpanKind.SERVER, attributes }, asked);
    const inside = trace.setSpan(asked, span);
    return {
      traceId: span.spanContext().traceId,
      run: (work) => context.with(inside, work),
      end: (ended) => end(span, ended),
    };
  }

  /** What the store does for the request that is being served; undefined when it does it for nobody. */
  store(operation: StoreOperation): Span | undefined {
    const active = context.active();
    if (trace.getSpan(active) === undefined) return undefined;
    return this.#tracer.startSpan(`store ${operation}`, { kind: SpanKind.CLIENT }, active);
  }
}

function end(span: Span, { status, rpc }: Ended): void {
  span.setAttribute('http.response.status_code', status);
  if (rpc !== undefined) {
    span.updateName(rpc.method);
    span.setAttributes({ 'rpc.method': rpc.method, 'discovery.code': rpc.code });
  }
  if (status >= 500 || (rpc !== undefined && FAULTS.has(rpc.code))) {
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

/** Undefined when no SDK is registered by now: then nothing is traced, at no cost. */
export function openTracing(version: string): Tracing | undefined {
  const tracer = trace.getTracer('etcd-discovery', version);
  // Without an SDK it has no identity. With one it shows the operator that spans arrive.
  const probe = tracer.startSpan('start', {}, ROOT_CONTEXT);
  probe.end();
  return isSpanContextValid(probe.spanContext()) ? new Tracing(tracer) : undefined;
}
