import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError, createContextKey, type Interceptor } from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import { ownTurn } from '../../own-turn.ts';
import { isLarge } from './large.ts';

/** What became of a request, for the log and the metrics: filled by what answers it. */
export interface Outcome {
  /** Of an RPC that exists. */
  method?: string;
  /** How an RPC ended, in Connect's words, like `not_found`. Unset when it never got as far as the service. */
  code?: string;
  /** What it was about, as it names it: with a secret behind it or without. */
  token?: string;
  /** Why it was refused. */
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
    outcome.code = codeToString(ConnectError.from(thrown).code);
    throw thrown;
  }
};

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
    // A handler ends quietly when its time is over: its client would take that for the end of what there is.
    const reason: unknown = signal.reason;
    if (reason instanceof ConnectError && reason.code === Code.DeadlineExceeded) throw reason;
    outcome.code = 'ok';
  } catch (thrown) {
    outcome.code = codeToString(ConnectError.from(thrown).code);
    throw thrown;
  }
}
