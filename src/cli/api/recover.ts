import type { DescMethodUnary, Message } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { errorFromJsonBytes, validateResponse } from '@connectrpc/connect/protocol-connect';
import { OperatorService } from '../../../gen/discovery/v1/operator_pb.ts';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import { Health } from '../../../gen/grpc/health/v1/health_pb.ts';
import { outOfTime, type RetryLimits, withRetries } from '../../client/retry.ts';
import { type Answer, UnexpectedAnswer } from './post.ts';

/** FailedCall is a call whose first attempt failed. */
interface FailedCall {
  /** The name of the client's function. */
  readonly name: string;
  readonly message: Message;
  readonly attempt: (signal: AbortSignal) => Promise<object>;
}

/** Continues a call after its first attempt, as the public client would. Throws a ConnectError if it fails. */
export function recover(
  { name, message, attempt }: FailedCall,
  thrown: unknown,
  limits: RetryLimits,
): Promise<object> {
  let isFirst = true;
  const again = async (signal: AbortSignal): Promise<object> => {
    try {
      if (!isFirst) return await attempt(signal);
      isFirst = false;
      throw thrown;
    } catch (error) {
      throw connectErrorOf(error, limits.tryTimeoutMs);
    }
  };
  return withRetries({ method: methodOf(name), message }, limits, new AbortController().signal, again);
}

function methodOf(name: string): DescMethodUnary {
  const methods = { ...DiscoveryService.method, ...OperatorService.method, ...Health.method };
  return Object.entries(methods).find(([each]) => each === name)?.[1] as DescMethodUnary;
}

/** The failures of the network that Connect has a code for. All others are internal. */
const CODES: ReadonlyMap<unknown, Code> = new Map([
  ['ECONNRESET', Code.Aborted],
  ['ECONNREFUSED', Code.Unavailable],
  ['ENOTFOUND', Code.Unavailable],
  ['EAI_AGAIN', Code.Unavailable],
  ['ETIMEDOUT', Code.Unavailable],
]);

function connectErrorOf(thrown: unknown, tryTimeoutMs: number): ConnectError {
  if (thrown instanceof UnexpectedAnswer) return errorIn(thrown.answer);
  if (!(thrown instanceof Error)) return ConnectError.from(thrown, Code.Internal);
  if (thrown.name === 'AbortError') return outOfTime(tryTimeoutMs);
  return ConnectError.from(thrown, CODES.get((thrown as NodeJS.ErrnoException).code) ?? Code.Internal);
}

/** Returns the error in a response, as Connect reads it. */
function errorIn({ status, headers: received, body }: Answer): ConnectError {
  const headers = new Headers({ 'content-type': received['content-type'] ?? '' });
  try {
    const { unaryError } = validateResponse('unary', false, status, headers);
    if (unaryError === undefined) return new ConnectError(`HTTP ${status}`, Code.Internal);
    return errorFromJsonBytes(Buffer.from(body), headers, unaryError);
  } catch (error) {
    return ConnectError.from(error);
  }
}
