import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PortLimits } from './limits.ts';

/**
 * Marks a response as the last of its connection if it starts while more of the request's body is still to
 * come than is worth reading. The next request behind that body may be another client's where a proxy shares
 * the connection. `onLast` is called then, before the head is written.
 */
export function closeUnlessRead(
  request: IncomingMessage,
  response: ServerResponse,
  { unreadBodyBytes }: PortLimits,
  onLast: () => void,
): void {
  const writeHead = response.writeHead.bind(response) as (...head: unknown[]) => ServerResponse;
  // Node.js writes every head through this method, also that of a response that only ends.
  response.writeHead = (...head: unknown[]) => {
    if (!request.complete && lengthOf(request) > unreadBodyBytes) {
      response.shouldKeepAlive = false;
      onLast();
    }
    return writeHead(...head);
  };
}

/** Returns the length of the body, infinite for chunked encoding. */
function lengthOf({ headers }: IncomingMessage): number {
  return Number(headers['content-length'] ?? Number.POSITIVE_INFINITY);
}

/** UnreadBody reads and drops the rest of a body whose request has been answered. */
export class UnreadBody {
  readonly #request: IncomingMessage;
  readonly #since = performance.now();

  constructor(request: IncomingMessage) {
    this.#request = request;
    request.removeAllListeners('data').removeAllListeners('readable');
    // One tick later Node.js checks for listeners, and would otherwise pause a stream that is already
    // flowing. The listener keeps it flowing when another reader leaves later.
    setImmediate(() => request.on('data', drop).resume());
  }

  get isWhole(): boolean {
    return this.#request.complete;
  }

  /** Whether the client takes too long to send the rest. */
  isLate(now: number, { unreadBodyTimeout }: PortLimits): boolean {
    return !this.isWhole && now - this.#since > unreadBodyTimeout;
  }
}

function drop(): void {}
