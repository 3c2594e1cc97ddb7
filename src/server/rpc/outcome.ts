import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError, createContextKey, type Interceptor } from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import { ownTurn } from '../../own-turn.ts';
import { isLarge } from './large.ts';

/**
 * Outcome is the result of a request, for the log and the metrics. It is filled while the request is
 * answered.
 */
export interface Outcome {
  /** The method of an RPC that exists. */
  method?: string;
  /**
   * The result of an RPC as one of Connect's codes, such as `not_found`. Unset if it never reached the
   * service.
   */
  code?: string;
  /** The token as named in the request, with or without a secret. */
  token?: string;
  /** The reason why it was rejected. */
  reason?: string;
}

export const OUTCOME = createContextKey<Outcome>({});

export const noteOutcome: Interceptor = (next) => async (request) => {
  const outcome = request.contextValues.get(OUTCOME);
  try {
    const response = await next(request);
    if (response.stream) return { ...response, message: noted(response.message, request.signal, outcome) };
    outcome.code = 'ok';
    if (isLarge(response.message)) await ownTurn();
    return response;
  } catch (thrown) {
    noteError(outcome, thrown);
    throw thrown;
  }
};

export function noteError(outcome: Outcome, thrown: unknown): void {
  outcome.code = codeToString(ConnectError.from(thrown).code);
}

/** A defect says nothing about itself to clients. */
export function errorOf(thrown: unknown): ConnectError {
  return thrown instanceof ConnectError ? thrown : new ConnectError('internal error', Code.Internal);
}

/** Throws after the deadline: a handler ends silently then, which its client would take for the end of the data. */
export function requireInTime({ reason }: AbortSignal): void {
  if (reason instanceof ConnectError && reason.code === Code.DeadlineExceeded) throw reason;
}

async function* noted<T extends MessageInitShape<DescMessage>>(
  messages: AsyncIterable<T>,
  signal: AbortSignal,
  outcome: Outcome,
): AsyncGenerator<T> {
  try {
    for await (const message of messages) {
      if (isLarge(message)) await ownTurn();
      yield message;
    }
    requireInTime(signal);
    outcome.code = 'ok';
  } catch (thrown) {
    noteError(outcome, thrown);
    throw thrown;
  }
}
