import { asksToWait } from '../../etcdv2/params.ts';
import type { PortRequest, PortResponse } from '../../port/port.ts';
import { pathOf, type Surface } from '../route.ts';
import { isStream } from '../rpc/methods.ts';
import type { RpcOutcome } from '../rpc/outcome.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { redactPath } from '../telemetry/redact.ts';
import { requestIdOf } from '../telemetry/request-id.ts';
import type { Kind } from '../telemetry/request-metrics.ts';
import type { RequestSpan, Tracing } from '../telemetry/tracing.ts';

/** Nobody was there to get the answer. As nginx has it. */
const CLIENT_GONE = 499;

/** Who is told of a request. */
export interface Observers {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracing: Tracing | undefined;
}

/** What a request is. */
export interface Call {
  readonly surface: Surface;
  readonly kind: Kind;
}

/** What others find out of a request on its way. */
export interface RequestOutcome extends RpcOutcome {
  /** The address of whoever has sent it. */
  readonly remote: string | undefined;
  /** Whether it was one too many of its client: these come in floods. */
  isTurnedAway?: boolean;
  /** Called when it is over. */
  over?: () => void;
}

/**
 * Counts and logs a request when it is over: a long poll or a stream when it ends. No query and no whole token
 * gets into the log. The answer tells the id that the line has. Returns the span of the request, if there is tracing.
 */
export function note(
  request: PortRequest,
  response: PortResponse,
  { surface, kind }: Call,
  outcome: RequestOutcome,
  { log, metrics, tracing }: Observers,
): RequestSpan | undefined {
  const begin = performance.now();
  const { method = '', url: target = '', httpVersion: http } = request;
  const requestId = requestIdOf(request);
  const span = tracing?.begin(request, surface, requestId);
  // The v2 gateway takes it from there: Node.js takes twice as long for a head of which a part was set before.
  if (surface === 'v2') request.headers['x-request-id'] = requestId;
  else response.setHeader('X-Request-Id', requestId);
  if (kind === 'wait') metrics.beginWait(surface);
  response.on('close', () => {
    const gone = !response.writableEnded;
    const status = response.headersSent ? response.statusCode : CLIENT_GONE;
    const rpc =
      outcome.method === undefined
        ? undefined
        : { method: outcome.method, code: outcome.code ?? (gone ? 'canceled' : refusedAs(status)) };
    const ms = performance.now() - begin;
    metrics.count({ surface, target, method, status, kind, seconds: ms / 1000, rpc });
    span?.end({ status, rpc });
    outcome.over?.();
    const level = outcome.isTurnedAway ? 'debug' : levelOf(surface, target, status);
    if (!log.isLevelEnabled(level)) return;
    log[level](
      {
        method,
        path: redactPath(target),
        status,
        ms: Math.round(ms * 10) / 10,
        surface,
        ...(rpc && { code: rpc.code }),
        ...(gone && { gone }),
        remote: outcome.remote,
        http,
        requestId,
        ...(span && { traceId: span.traceId }),
      },
      'request',
    );
  });
  return span;
}

export function kindOf(surface: Surface, target: string): Kind {
  if (surface === 'rpc') return isStream(pathOf(target)) ? 'wait' : 'call';
  return surface === 'v2' && asksToWait(target) ? 'wait' : 'call';
}

/** The code of an RPC that was refused before the service saw it: bad JSON, too large, of another media type. */
function refusedAs(status: number): string {
  return status === 200 ? 'refused' : `http_${status}`;
}

const PROBED: ReadonlySet<Surface> = new Set(['health', 'live', 'metrics']);

/** Whether a request is one of those that probes and scrapers send every few seconds. */
export function isProbe(surface: Surface, target: string): boolean {
  return PROBED.has(surface) || target === '/grpc.health.v1.Health/Check';
}

/** What probes and scrapers ask for every few seconds is not worth a line. */
function levelOf(surface: Surface, target: string, status: number): 'debug' | 'info' | 'warn' {
  if (status >= 500) return 'warn';
  return isProbe(surface, target) || target.startsWith('/grpc.health.v1.Health/') ? 'debug' : 'info';
}
