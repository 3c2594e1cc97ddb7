import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError, createContextKey, type Interceptor } from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import { ownTurn } from '../../own-turn.ts';
import { isLarge } from './large.ts';

/** How an RPC ended, for the log and the metrics. */
export interface RpcOutcome {
  /** Of a method that exists. */
  method?: string;
  /** In Connect's words, like `not_found`. Unset when the call never got as far as the service. */
  code?: string;
}

export const OUTCOME = createContextKey<RpcOutcome>({});

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
  outcome: RpcOutcome,
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
