import { constants, type ServerHttp2Stream } from 'node:http2';
import { StallClock } from './connection.ts';
import { endOpen } from './http2-unread.ts';
import type { PortLimits } from './limits.ts';
import type { PortSetup } from './setup.ts';

/** A stream that was reset sooner than this after its opening is hasty: no client gives up so soon. */
const HASTY_MS = 1000;

/** Http2Stream is a request and its response on one stream. */
export class Http2Stream {
  readonly #stream: ServerHttp2Stream;
  readonly #setup: PortSetup;
  readonly #since = performance.now();
  #wasHasty = false;
  /** Made at the first look: nearly all streams are over before. */
  #stall: StallClock | undefined;
  /** How often everything written was taken, since the first look at it. */
  #drains: number | undefined;
  /** The time until which the sweep skips this stream. */
  #restsUntil: number;

  constructor(stream: ServerHttp2Stream, setup: PortSetup) {
    this.#stream = stream;
    this.#setup = setup;
    this.#restsUntil = this.#since + restTime(setup.limits);
  }

  /** Bytes of the response that the peer has not taken. */
  get unread(): number {
    return this.#stream.writableLength;
  }

  /** Whether the stream was reset soon after it was opened. True once. */
  isNewlyHasty(now: number): boolean {
    if (this.#wasHasty || !this.#stream.aborted || now - this.#since >= HASTY_MS) return false;
    this.#wasHasty = true;
    return true;
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
    if (stream.destroyed || (now < this.#restsUntil && !stream.writableFinished)) return;
    const { headersSent } = stream;
    const { stallTimeout, requestTimeout } = this.#setup.limits;
    this.#stall ??= new StallClock();
    if (this.#stall.look(stream.writableLength, this.#countDrains(), now) > stallTimeout)
      this.#cutOff('slow_reader');
    else if (now - this.#since > requestTimeout && !headersSent) {
      // The body is still incomplete. That is normal for a bidirectional stream, which is already being
      // answered.
      if (stream.state.remoteClose !== 1) this.#cutOff('slow_sender');
    } else if (stream.writableFinished) endOpen(stream);
    // A watch without news, one of thousands.
    else if (headersSent && stream.writableLength === 0)
      this.#restsUntil = now + restTime(this.#setup.limits);
  }

  /** Counts from the first look at unread bytes on: nearly all streams are over before, or wait for news. */
  #countDrains(): number {
    if (this.#drains === undefined) {
      if (this.#stream.writableLength === 0) return 0;
      this.#drains = 0;
      this.#stream.on('drain', () => {
        this.#drains = (this.#drains ?? 0) + 1;
      });
    }
    return this.#drains;
  }

  #cutOff(why: 'slow_reader' | 'slow_sender'): void {
    this.#setup.onRefused(why);
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }
}

/**
 * How long, in ms, the sweep skips a stream that waits for nothing. A peer that does not read is noticed that
 * much later.
 */
function restTime({ stallTimeout }: PortLimits): number {
  return stallTimeout / 5;
}
