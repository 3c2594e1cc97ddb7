import type { DescMethodUnary, Message } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { errorFromJsonBytes, validateResponse } from '@connectrpc/connect/protocol-connect';
import { OperatorService } from '../../../gen/discovery/v1/operator_pb.ts';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import { Health } from '../../../gen/grpc/health/v1/health_pb.ts';
import { outOfTime, type RetryLimits, withRetries } from '../../client/retry.ts';
import type { Answer } from './post.ts';

/** FailedCall is a call whose first attempt failed. */
interface FailedCall {
  /** The name of the client's function. */
  readonly name: string;
  readonly message: Message;
  readonly first: Promise<Answer>;
  readonly attempt: (signal: AbortSignal) => Promise<Answer>;
  /** Returns undefined for a response without the message that was asked for. */
  readonly read: (answer: Answer) => object | undefined;
}

/** Continues a call after its first attempt, as the public client would. Throws a ConnectError if it fails. */
export function recover(
  { name, message, first, attempt, read }: FailedCall,
  limits: RetryLimits,
): Promise<object> {
  let isFirst = true;
  const next = async (signal: AbortSignal): Promise<object> => {
    const answering = isFirst ? first : attempt(signal);
    isFirst = false;
    try {
      const answer = await answering;
      return read(answer) ?? fail(answer);
    } catch (error) {
      throw connectErrorOf(error, limits.tryTimeoutMs);
    }
  };
  return withRetries({ method: methodOf(name), message }, limits, new AbortController().signal, next);
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
  if (thrown instanceof ConnectError) return thrown;
  if (!(thrown instanceof Error)) return ConnectError.from(thrown, Code.Internal);
  if (thrown.name === 'AbortError') return outOfTime(tryTimeoutMs);
  return ConnectError.from(thrown, CODES.get((thrown as NodeJS.ErrnoException).code) ?? Code.Internal);
}

function fail(answer: Answer): never {
  throw errorIn(answer);
}

/** Returns the error in a response, as Connect reads it. */
function errorIn({ status, type, body }: Answer): ConnectError {
  const headers = new Headers({ 'content-type': type });
  try {
    const { unaryError } = validateResponse('unary', false, status, headers);
    if (unaryError === undefined) return new ConnectError(`HTTP ${status}`, Code.Internal);
    return errorFromJsonBytes(Buffer.from(body), headers, unaryError);
  } catch (error) {
    return ConnectError.from(error);
  }
}
