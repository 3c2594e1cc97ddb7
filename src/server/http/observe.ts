import { NO_STORE, onClose } from '../../port/port.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { redactPath, tokenLabel } from '../telemetry/redact.ts';
import type { RequestSpan, Tracing } from '../telemetry/tracing.ts';
import type { AnyExchange } from './exchange.ts';

/** The client had disconnected before the response. The same status as in nginx. */
const CLIENT_GONE = 499;

/** Observers receive information about a request. */
export interface Observers {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracing: Tracing | undefined;
}

/** How a request has ended. */
interface End {
  readonly status: number;
  readonly ms: number;
  /** Whether its client left before the end of the response. */
  readonly gone: boolean;
  readonly rpc: { readonly method: string; readonly code: string } | undefined;
}

/**
 * Counts and logs a request when it has ended, a long poll or a stream when that ends. Queries and full
 * tokens are never logged. The response returns the ID that the log line has. Returns the span of the request
 * if tracing is on.
 */
export function observe(
  exchange: AnyExchange,
  { log, metrics, tracing }: Observers,
): RequestSpan | undefined {
  const begin = performance.now();
  const { request, response, route, requestId, leave } = exchange;
  const { method = '' } = request;
  const span = tracing?.begin(request, route, requestId);
  // The v2 gateway sets them itself: Node.js takes twice as long for a head of which a part was set before.
  if (route.surface !== 'v2') setHead(exchange);
  if (route.kind === 'wait') metrics.beginWait(route.surface);
  onClose(response, () => {
    const end = endOf(exchange, performance.now() - begin);
    const { status, rpc } = end;
    metrics.count({ route, method, status, seconds: end.ms / 1000, rpc });
    span?.end({ status, rpc });
    leave?.();
    logEnd(log, exchange, end, span?.traceId);
  });
  return span;
}

function setHead({ response, route, requestId }: AnyExchange): void {
  response.setHeader('X-Request-Id', requestId);
  response.setHeader('Cache-Control', NO_STORE['Cache-Control']);
  // Otherwise nginx holds back an HTTP/1.1 response until a buffer is full.
  if (route.kind === 'wait') response.setHeader('X-Accel-Buffering', 'no');
}

function endOf({ response, outcome: { method, code } }: AnyExchange, ms: number): End {
  const gone = !response.writableEnded;
  const status = response.headersSent ? response.statusCode : CLIENT_GONE;
  const rpc =
    method === undefined ? undefined : { method, code: code ?? (gone ? 'canceled' : refusedAs(status)) };
  return { status, ms, gone, rpc };
}

/**
 * Returns the code of an RPC that was rejected before the service saw it: invalid JSON, too large, or with
 * another media type.
 */
function refusedAs(status: number): string {
  return status === 200 ? 'refused' : `http_${status}`;
}

function logEnd(log: Log, exchange: AnyExchange, end: End, traceId: string | undefined): void {
  const { request, route, remote, requestId, outcome } = exchange;
  const { status, ms, gone, rpc } = end;
  const level = levelOf(exchange, status);
  if (!log.isLevelEnabled(level)) return;
  log[level](
    {
      method: request.method ?? '',
      path: redactPath(route.path),
      status,
      ms: Math.round(ms * 10) / 10,
      surface: route.surface,
      ...(rpc && { code: rpc.code }),
      ...(outcome.token !== undefined && { token: tokenLabel(outcome.token) }),
      ...(outcome.reason !== undefined && { reason: outcome.reason }),
      ...(gone && { gone }),
      remote,
      http: request.httpVersion,
      requestId,
      ...(traceId !== undefined && { traceId }),
    },
    'request',
  );
}

/** Rejections above a limit come in floods. */
function levelOf({ route, refusal }: AnyExchange, status: number): 'debug' | 'info' | 'warn' {
  if (refusal !== undefined) return 'debug';
  if (status >= 500) return 'warn';
  return route.isQuiet ? 'debug' : 'info';
}
