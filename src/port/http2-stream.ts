import { constants, type Http2ServerResponse, type ServerHttp2Stream } from 'node:http2';
import { StallClock } from './connection.ts';
import type { PortLimits } from './limits.ts';
import type { PortSetup } from './setup.ts';

/** A stream that was reset sooner than this after its opening is hasty: no client gives up so soon. */
const HASTY_MS = 1000;

/** Http2Stream is a request and its response on one stream. */
export class Http2Stream {
  readonly #stream: ServerHttp2Stream;
  readonly #response: Http2ServerResponse;
  readonly #setup: PortSetup;
  readonly #since = performance.now();
  readonly #stall = new StallClock();
  /** How often everything written was taken. */
  #drains = 0;
  /** The time until which the sweep skips this stream. */
  #restsUntil: number;

  constructor(response: Http2ServerResponse, setup: PortSetup) {
    const { stream } = response;
    this.#stream = stream;
    this.#response = response;
    this.#setup = setup;
    this.#restsUntil = this.#since + restTime(setup.limits);
    stream.on('drain', () => {
      this.#drains += 1;
    });
    stream.once('finish', () => {
      this.#restsUntil = 0;
      // The response is complete and nobody reads the rest of the body, which would hold the stream open.
      stream.removeAllListeners('data').resume();
      // Node sends trailers one turn later and writes in the turn after that. Anything slower is left to the
      // sweep.
      if (!stream.endAfterHeaders && !stream.readableEnded) {
        setImmediate(() => setImmediate(() => endUnread(stream)));
      }
    });
    // For HEAD requests, node:http2 reports the close only after the response was ended. For others this has
    // no effect.
    stream.once('close', () => response.end());
  }

  /** Bytes of the response that the peer has not taken. */
  get unread(): number {
    return this.#stream.writableLength;
  }

  /** Whether the stream has ended and was reset soon after it was opened. */
  wasHasty(now: number): boolean {
    return this.#stream.aborted && now - this.#since < HASTY_MS;
  }

  /**
   * Ends a stream that its peer reset without an error while it was being answered, and one whose socket has
   * closed since: node:http2 waits for the end of a body that nobody reads.
   */
  endClosed(): void {
    if (this.#stream.closed && !this.#stream.destroyed) this.#stream.destroy();
  }

  sweep(now: number): void {
    this.endClosed();
    const stream = this.#stream;
    if (now < this.#restsUntil || stream.destroyed) return;
    const { headersSent } = this.#response;
    const { stallTimeout, requestTimeout } = this.#setup.limits;
    if (this.#stall.look(stream.writableLength, this.#drains, now) > stallTimeout)
      this.#cutOff('slow_reader');
    else if (now - this.#since > requestTimeout && !headersSent) {
      // The body is still incomplete. That is normal for a bidirectional stream, which is already being
      // answered.
      if (stream.state.remoteClose !== 1) this.#cutOff('slow_sender');
    } else if (stream.writableFinished) endUnread(stream);
    // A watch without news, one of thousands.
    else if (headersSent && stream.writableLength === 0)
      this.#restsUntil = now + restTime(this.#setup.limits);
  }

  #cutOff(why: 'slow_reader' | 'slow_sender'): void {
    this.#setup.onRefused(why);
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }
}

/** Ends a stream whose complete response was sent and whose client has not ended its side (RFC 9113, 8.1). */
function endUnread(stream: ServerHttp2Stream): void {
  if (stream.destroyed || !stream.writableFinished) return;
  const { localClose, remoteClose } = stream.state;
  if (localClose === 1 && remoteClose !== 1) stream.close(constants.NGHTTP2_NO_ERROR);
}

/**
 * How long, in ms, the sweep skips a stream that waits for nothing. A peer that does not read is noticed that
 * much later.
 */
function restTime({ stallTimeout }: PortLimits): number {
  return stallTimeout / 5;
}
