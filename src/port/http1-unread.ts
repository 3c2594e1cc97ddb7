import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PortLimits } from './limits.ts';

/**
 * Has an answer say that it is the last one of its connection when it begins while more of the request's body can still
 * come than is worth reading: behind it comes the next request, which may be another client's where a proxy shares the
 * connection. `onLast` is called then, before the head is written.
 */
export function closeUnlessRead(
  request: IncomingMessage,
  response: ServerResponse,
  { unreadBodyBytes }: PortLimits,
  onLast: () => void,
): void {
  const writeHead = response.writeHead.bind(response) as (...head: unknown[]) => ServerResponse;
  // Node.js writes every head by this one, also of an answer that just ends.
  response.writeHead = (...head: unknown[]) => {
    if (!request.complete && lengthOf(request) > unreadBodyBytes) {
      response.shouldKeepAlive = false;
      onLast();
    }
    return writeHead(...head);
  };
}

/** Of the body. In chunks it has no bound. */
function lengthOf({ headers }: IncomingMessage): number {
  return Number(headers['content-length'] ?? Number.POSITIVE_INFINITY);
}

/** The rest of a body whose request has been answered: read and dropped. */
export class UnreadBody {
  readonly #request: IncomingMessage;
  readonly #since = performance.now();

  constructor(request: IncomingMessage) {
    this.#request = request;
    request.removeAllListeners('data').removeAllListeners('readable');
    // A tick later Node.js looks at who listens, and would stop what has begun by then. The listener keeps it going
    // when a reader leaves later still.
    setImmediate(() => request.on('data', drop).resume());
  }

  get isWhole(): boolean {
    return this.#request.complete;
  }

  /** Whether the client takes too long to send it. */
  isLate(now: number, { unreadBodyTimeout }: PortLimits): boolean {
    return !this.isWhole && now - this.#since > unreadBodyTimeout;
  }
}

function drop(): void {}
