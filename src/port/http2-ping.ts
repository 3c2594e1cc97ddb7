import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { PortLimits } from './limits.ts';
import type { OnRefused } from './refusals.ts';

/**
 * Pings an HTTP/2 peer, at intervals and once when it falls silent: node:http2 does not tell that it has ended a
 * connection for what the peer sent, nor then that the peer is gone. `session.setTimeout` would not do: it fires on a
 * quiet watch, and is put off by any write.
 */
export class Pings {
  readonly #session: ServerHttp2Session;
  readonly #socket: Socket;
  readonly #limits: PortLimits;
  readonly #onRefused: OnRefused;
  /** Bytes of the peer at the last sweep. */
  #sweptBytes = 0;
  #pingedAt = performance.now();
  #isAnswered = true;
  /** Bytes of the peer at its last answer to a ping. */
  #answeredBytes = 0;

  constructor(session: ServerHttp2Session, socket: Socket, limits: PortLimits, onRefused: OnRefused) {
    this.#session = session;
    this.#socket = socket;
    this.#limits = limits;
    this.#onRefused = onRefused;
  }

  sweep(now: number): void {
    const { bytesRead } = this.#socket;
    const isQuiet = bytesRead === this.#sweptBytes;
    this.#sweptBytes = bytesRead;
    if (this.#session.destroyed) return;
    const { pingInterval, pingTimeout } = this.#limits;
    if (!this.#isAnswered && now - this.#pingedAt > pingTimeout) return this.#end('gone');
    const isDue = now - this.#pingedAt > pingInterval || (isQuiet && bytesRead !== this.#answeredBytes);
    if (this.#isAnswered && isDue) this.#ping(now);
  }

  #ping(now: number): void {
    this.#pingedAt = now;
    this.#isAnswered = false;
    this.#session.ping((error) => {
      this.#isAnswered = error === null;
      this.#answeredBytes = this.#socket.bytesRead;
    });
    // Written a turn later, where it can be.
    setImmediate(() => setImmediate(() => this.#endIfGivenUp()));
  }

  /** nghttp2 has ended the connection, of which older versions of node:http2 do not tell: it keeps what it is to send. */
  #endIfGivenUp(): void {
    if (this.#isAnswered || this.#session.destroyed) return;
    // A ping that waits for nothing: a peer that does not read leaves bytes in the queue of the socket.
    const isWriting = writeQueueOf(this.#socket) !== 0;
    if (!isWriting && (this.#session.state.outboundQueueSize ?? 0) > 0) this.#end('malformed');
  }

  #end(why: 'gone' | 'malformed'): void {
    this.#onRefused(why);
    this.#session.destroy();
    this.#socket.destroy();
  }
}

/** Bytes that the kernel has not taken yet; what node:http2 writes is not in `writableLength`. Undefined: not known. */
function writeQueueOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as { readonly _handle?: { readonly writeQueueSize?: number } | null };
  return handle?.writeQueueSize;
}
