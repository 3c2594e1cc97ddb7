import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';

export type PortRequest = IncomingMessage | Http2ServerRequest;
export type PortResponse = ServerResponse | Http2ServerResponse;

/** Connection is one open socket of any protocol. */
export interface Connection {
  /** Ends what has taken too long. `now` in ms, of a monotonic clock. */
  sweep(now: number): void;
  /** Ends a flooding peer. Called more often than `sweep` while the process is busy. */
  look?(now: number): void;
  /**
   * Announces to the peer that no new requests are accepted, where the protocol allows it, and closes once
   * those in flight are answered.
   */
  drain(): void;
}

/**
 * Identifies the other end of a socket. Over TLS, the accepted socket and the decrypted one have the same
 * identifier.
 */
export function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** StallClock measures how long a writable has held bytes that its peer does not take. */
export class StallClock {
  private waiting = 0;
  private taken = 0;
  private since = 0;

  /**
   * Returns how long, in ms, there has been no progress: the `waiting` bytes have not decreased, and `taken`,
   * which changes with any progress, is unchanged.
   */
  look(waiting: number, taken: number, now: number): number {
    const progress = waiting < this.waiting || taken !== this.taken;
    if (waiting === 0 || this.waiting === 0 || progress) this.since = now;
    this.waiting = waiting;
    this.taken = taken;
    return now - this.since;
  }
}
