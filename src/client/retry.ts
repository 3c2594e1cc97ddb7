import { isMessage } from '@bufbuild/protobuf';
import { base64Encode } from '@bufbuild/protobuf/wire';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type Interceptor, type UnaryRequest } from '@connectrpc/connect';
import { type CreateTokenRequest, CreateTokenRequestSchema } from '../../gen/discovery/v1/service_pb.ts';
import { LONGEST_TIMER_MS } from '../values/duration.ts';
import { sleep } from './backoff.ts';
import { isTransient, pauseAfter, wasNeverSent, wasTurnedAway } from './transient.ts';

/** RetryLimits says how a client handles a service that is briefly unavailable. Times in ms. */
export interface RetryLimits {
  /** How long a call that is safe to repeat is retried. 0: never. */
  readonly retryForMs: number;
  /** The timeout of one attempt. */
  readonly tryTimeoutMs: number;
}

/** The parts of a call that decide whether it may be repeated. */
type RepeatableCall = Pick<UnaryRequest, 'method' | 'message'>;

/** Too many random bytes to be guessed. */
const REQUEST_ID_BYTES = 18;

/** A restart of the service takes a second or two. */
export const RETRY_LIMITS: RetryLimits = { retryForMs: 15_000, tryTimeoutMs: 5000 };

/**
 * Retries calls while the service is unreachable, is shutting down, has lost its store, or asks for a pause.
 * It repeats calls that are safe to repeat, and all others if they certainly did not reach the service or
 * were rejected before they had an effect. It does not retry streams: see `watchCluster`.
 */
export function retryInterceptor({ retryForMs, tryTimeoutMs }: RetryLimits = RETRY_LIMITS): Interceptor {
  return (next) => async (request) => {
    if (request.stream) return next(request);
    const call = repeatable(request);
    const attempt = (signal: AbortSignal) => next({ ...call, signal });
    return withRetries(call, { retryForMs, tryTimeoutMs }, request.signal, attempt);
  };
}

/** Makes attempts of a call until one succeeds or no other is worth it. */
export async function withRetries<T>(
  call: RepeatableCall,
  { retryForMs, tryTimeoutMs }: RetryLimits,
  signal: AbortSignal,
  attempt: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const end = performance.now() + retryForMs;
  for (let failures = 1; ; failures++) {
    // Checked here because each attempt has a signal of its own.
    signal.throwIfAborted();
    const ending = new AbortController();
    const giveUp = (): void => ending.abort(signal.reason);
    const timer = setTimeout(
      () => ending.abort(outOfTime(tryTimeoutMs)),
      Math.min(tryTimeoutMs, LONGEST_TIMER_MS),
    );
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await attempt(ending.signal);
    } catch (thrown) {
      signal.throwIfAborted();
      const error = ending.signal.aborted ? outOfTime(tryTimeoutMs) : ConnectError.from(thrown);
      const pauseMs = pauseAfter(error, failures);
      const untouched = wasTurnedAway(error) || wasNeverSent(error);
      const again = isTransient(error) && (untouched || isRepeatable(call));
      if (!again || performance.now() + pauseMs > end) throw error;
      await sleep(pauseMs, signal);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
    }
  }
}

/** Built on demand: the first error loads all of fetch in Node.js. */
export function outOfTime(tryTimeoutMs: number): ConnectError {
  return new ConnectError(`no response within ${tryTimeoutMs / 1000} s`, Code.DeadlineExceeded);
}

/** Adds a request ID to a call that creates a token, by which the service recognises a repetition. */
function repeatable(request: UnaryRequest): UnaryRequest {
  const { message } = request;
  if (!isMessage(message, CreateTokenRequestSchema) || message.requestId !== '') return request;
  const requestId = base64Encode(crypto.getRandomValues(new Uint8Array(REQUEST_ID_BYTES)), 'url');
  const known: CreateTokenRequest = { ...message, requestId };
  return { ...request, message: known };
}

/** Whether repeating the call has no further effect. The response to the first attempt may have been lost. */
function isRepeatable({ method, message }: RepeatableCall): boolean {
  // Without a chosen token each call creates another one, and secrets are returned only once.
  if (isMessage(message, CreateTokenRequestSchema)) {
    return message.requestId !== '' || (message.token !== '' && message.guard.length === 0);
  }
  return method.idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
}
