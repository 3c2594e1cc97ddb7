import { isMessage } from '@bufbuild/protobuf';
import { base64Encode } from '@bufbuild/protobuf/wire';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type Interceptor, type UnaryRequest } from '@connectrpc/connect';
import { type CreateTokenRequest, CreateTokenRequestSchema } from '../../gen/discovery/v1/service_pb.ts';
import { LONGEST_TIMER_MS } from '../values/duration.ts';
import { sleep } from './backoff.ts';
import { isTransient, pauseAfter, wasNeverSent, wasTurnedAway } from './transient.ts';

/** How a client deals with a service that is away for a moment. Times in ms. */
export interface RetryLimits {
  /** For how long a call that is safe to repeat is tried again. 0: not at all. */
  readonly retryForMs: number;
  /** When a try that has no answer is given up. */
  readonly tryTimeoutMs: number;
}

/** More than anybody guesses. */
const REQUEST_ID_BYTES = 18;

/** A restart of the service takes a second or two. */
export const RETRY_LIMITS: RetryLimits = { retryForMs: 15_000, tryTimeoutMs: 5000 };

/**
 * Repeats calls while the service cannot be reached, stops, has lost its store, or asks for a pause: those for which a
 * repetition changes nothing, and any that certainly never reached the service or was turned away. Streams are left alone: see `watchCluster`.
 */
export function retryInterceptor({ retryForMs, tryTimeoutMs }: RetryLimits = RETRY_LIMITS): Interceptor {
  return (next) => async (request) => {
    if (request.stream) return next(request);
    const call = repeatable(request);
    const end = performance.now() + retryForMs;
    for (let failures = 1; ; failures++) {
      // Each try has a signal of its own, which would not know.
      request.signal.throwIfAborted();
      const deadline = new ConnectError(`no answer within ${tryTimeoutMs / 1000} s`, Code.DeadlineExceeded);
      const attempt = new AbortController();
      const giveUp = (): void => attempt.abort(request.signal.reason);
      const timer = setTimeout(() => attempt.abort(deadline), Math.min(tryTimeoutMs, LONGEST_TIMER_MS));
      request.signal.addEventListener('abort', giveUp, { once: true });
      try {
        return await next({ ...call, signal: attempt.signal });
      } catch (thrown) {
        request.signal.throwIfAborted();
        const error = attempt.signal.aborted ? deadline : ConnectError.from(thrown);
        const pauseMs = pauseAfter(error, failures);
        const untouched = wasTurnedAway(error) || wasNeverSent(error);
        const again = isTransient(error) && (untouched || isRepeatable(call));
        if (!again || performance.now() + pauseMs > end) throw error;
        await sleep(pauseMs, request.signal);
      } finally {
        clearTimeout(timer);
        request.signal.removeEventListener('abort', giveUp);
      }
    }
  };
}

/** A call that makes a token with what lets the service know it again. */
function repeatable(request: UnaryRequest): UnaryRequest {
  const { message } = request;
  if (!isMessage(message, CreateTokenRequestSchema) || message.requestId !== '') return request;
  const requestId = base64Encode(crypto.getRandomValues(new Uint8Array(REQUEST_ID_BYTES)), 'url');
  const known: CreateTokenRequest = { ...message, requestId };
  return { ...request, message: known };
}

/** Whether a second call changes nothing that the first has not: the reply to the first may have been lost. */
function isRepeatable({ method, message }: UnaryRequest): boolean {
  // Without a token of the caller's own each call makes another, and secrets are told once.
  if (isMessage(message, CreateTokenRequestSchema)) {
    return message.requestId !== '' || (message.token !== '' && message.guard.length === 0);
  }
  return method.idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
}
