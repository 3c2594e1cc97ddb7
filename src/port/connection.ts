import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';

export type PortRequest = IncomingMessage | Http2ServerRequest;
export type PortResponse = ServerResponse | Http2ServerResponse;

/** One open socket, whatever it speaks. */
export interface Connection {
  /** Ends what has taken too long. `now` in ms, of a clock that never goes back. */
  sweep(now: number): void;
  /** Ends what floods. Called more often, while the process is busy. */
  look?(now: number): void;
  /** Takes no new request where the protocol can say so, and closes once the ones in flight are answered. */
  drain(): void;
}

/** Names the other end of a socket. Over TLS it is the same for the socket that was accepted and that of the bytes within. */
export function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Tells how long a writable has had bytes that its peer does not take. */
export class StallClock {
  private waiting = 0;
  private taken = 0;
  private since = 0;

  /**
   * How long, in ms, there has been no progress: `waiting` bytes have not become fewer, and `taken`, which is
   * different after each progress, is the same.
   */
  look(waiting: number, taken: number, now: number): number {
    const progress = waiting < this.waiting || taken !== this.taken;
    if (waiting === 0 || this.waiting === 0 || progress) this.since = now;
    this.waiting = waiting;
    this.taken = taken;
    return now - this.since;
  }
}
