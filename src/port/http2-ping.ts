import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { writeQueueOf, writtenOf } from './answer.ts';
import type { PortSetup } from './setup.ts';

/**
 * Pings an HTTP/2 peer at intervals, and once when it falls silent. node:http2 does not report that it ended
 * a connection because of the peer's bytes, nor afterwards that the peer is gone. `session.setTimeout` is
 * unsuitable: it fires for a quiet watch, and any write postpones it.
 */
export class Pings {
  readonly #session: ServerHttp2Session;
  readonly #socket: Socket;
  readonly #setup: PortSetup;
  /** The peer's bytes at the last sweep, and at its last ping response. */
  #sweptBytes = 0;
  #answeredBytes = 0;
  /** Bytes written when it was last pinged. */
  #writtenBytes: number | undefined = 0;
  #pingedAt = performance.now();
  #isAnswered = true;

  constructor(session: ServerHttp2Session, socket: Socket, setup: PortSetup) {
    this.#session = session;
    this.#socket = socket;
    this.#setup = setup;
  }

  sweep(now: number): void {
    const { pingInterval, pingTimeout } = this.#setup.limits;
    const { bytesRead } = this.#socket;
    const isQuiet = bytesRead === this.#sweptBytes;
    this.#sweptBytes = bytesRead;
    if (this.#session.destroyed) return;
    const age = now - this.#pingedAt;
    if (!this.#isAnswered && this.#isGivenUp()) return this.#end('malformed');
    if (!this.#isAnswered && age > pingTimeout) return this.#end('gone');
    const isDue = age > pingInterval || (isQuiet && bytesRead !== this.#answeredBytes);
    if (this.#isAnswered && isDue) this.#ping(now);
  }

  #ping(now: number): void {
    this.#pingedAt = now;
    this.#isAnswered = false;
    this.#writtenBytes = writtenOf(this.#socket);
    this.#session.ping((error) => {
      this.#isAnswered = error === null;
      this.#answeredBytes = this.#socket.bytesRead;
    });
  }

  /**
   * Whether nghttp2 has ended the connection, which older versions of node:http2 do not report: its pending
   * bytes are never sent. Checked one sweep after the ping, because a healthy busy connection always has
   * pending bytes but sends them soon. If the peer does not read, bytes remain in the queue of the socket.
   */
  #isGivenUp(): boolean {
    return (
      writtenOf(this.#socket) === this.#writtenBytes &&
      writeQueueOf(this.#socket) === 0 &&
      (this.#session.state.outboundQueueSize ?? 0) > 0
    );
  }

  #end(why: 'gone' | 'malformed'): void {
    this.#setup.onRefused(why);
    this.#session.destroy();
    this.#socket.destroy();
  }
}
