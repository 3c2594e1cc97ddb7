import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

export type PortRequest = IncomingMessage | Http2ServerRequest;
export type PortResponse = ServerResponse | Http2ServerResponse;

/** One open socket, whatever it speaks. */
export interface Connection {
  /** Requests whose response is not over. */
  readonly inFlight: number;
  /** Ends what has taken too long. `now` in ms, of a clock that never goes back. */
  sweep(now: number): void;
  /** Takes no new request where the protocol can say so, and closes once the ones in flight are answered. */
  drain(): void;
}

/** Tells how long a writable has had bytes that its peer does not take. */
export class StallClock {
  private length = 0;
  private since = 0;

  /** How long, in ms, the `length` of bytes waiting has not gone down. */
  look(length: number, now: number): number {
    if (length === 0 || this.length === 0 || length < this.length) this.since = now;
    this.length = length;
    return now - this.since;
  }
}
