import { parseTimeout as parseConnect } from '@connectrpc/connect/protocol-connect';
import { parseTimeout as parseGrpc } from '@connectrpc/connect/protocol-grpc';
import { LONGEST_TIMER_MS } from '../../values/duration.ts';

/** Parses a deadline in ms. Undefined: none, or one too long for a timer, which amounts to none. */
type ParseMs = (text: string | null) => number | undefined;

const parsed =
  (parse: typeof parseConnect): ParseMs =>
  (text) => {
    const { timeoutMs } = parse(text, Number.POSITIVE_INFINITY);
    return timeoutMs === undefined || timeoutMs > LONGEST_TIMER_MS ? undefined : timeoutMs;
  };
export const connectTimeoutMs = parsed(parseConnect);
export const grpcTimeoutMs = parsed(parseGrpc);

const PARSERS = { 'connect-timeout-ms': parseConnect, 'grpc-timeout': parseGrpc };

/** Removes a deadline that is too long for a timer from the headers: 24 days and more. */
export function dropLongDeadlines(headers: Headers): void {
  for (const [name, parse] of Object.entries(PARSERS)) {
    const { timeoutMs = 0 } = parse(headers.get(name), Number.POSITIVE_INFINITY);
    if (timeoutMs > LONGEST_TIMER_MS) headers.delete(name);
  }
}
