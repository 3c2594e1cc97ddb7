import { constants, type Http2ServerResponse, type ServerHttp2Stream } from 'node:http2';
import { StallClock } from './connection.ts';
import type { PortLimits } from './limits.ts';
import type { PortSetup } from './setup.ts';

/** A stream reset when it was open for less than this was opened in vain: no client gives up so soon. */
const HASTY_MS = 1000;

/** A request and its answer, on a stream of their own. */
export class Http2Stream {
  readonly #stream: ServerHttp2Stream;
  readonly #response: Http2ServerResponse;
  readonly #setup: PortSetup;
  readonly #since = performance.now();
  readonly #stall = new StallClock();
  /** How often all that was written has been taken. */
  #drains = 0;
  /** Until when the sweep leaves it alone. */
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
      // The answer is complete, and nobody reads what is left of the body: unread, it would hold the stream.
      stream.removeAllListeners('data').resume();
      // Node sends trailers a turn later, and writes another turn later; what takes longer is for the sweep.
      if (!stream.endAfterHeaders && !stream.readableEnded) {
        setImmediate(() => setImmediate(() => endUnread(stream)));
      }
    });
    // To HEAD node:http2 tells of it only once the response has been ended. Of others this does nothing.
    stream.once('close', () => response.end());
  }

  /** Bytes of the answer that the peer has not taken. */
  get unread(): number {
    return this.#stream.writableLength;
  }

  /** Whether, being over, it was reset soon after it was opened. */
  wasHasty(now: number): boolean {
    return this.#stream.aborted && now - this.#since < HASTY_MS;
  }

  /**
   * Ends a stream that its peer has reset with no error while it was answered, and one whose socket has closed since:
   * node:http2 waits for the end of a body that nobody reads.
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
      // The body is still not complete. That is right for a two-way stream, which is answered meanwhile.
      if (stream.state.remoteClose !== 1) this.#cutOff('slow_sender');
    } else if (stream.writableFinished) endUnread(stream);
    // A watch that is told nothing, one of thousands.
    else if (headersSent && stream.writableLength === 0)
      this.#restsUntil = now + restTime(this.#setup.limits);
  }

  #cutOff(why: 'slow_reader' | 'slow_sender'): void {
    this.#setup.onRefused(why);
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }
}

/** Ends a stream whose answer has been sent whole and whose client has not ended its side (RFC 9113, 8.1). */
function endUnread(stream: ServerHttp2Stream): void {
  if (stream.destroyed || !stream.writableFinished) return;
  const { localClose, remoteClose } = stream.state;
  if (localClose === 1 && remoteClose !== 1) stream.close(constants.NGHTTP2_NO_ERROR);
}

/** How long, in ms, a stream that waits for nothing is not looked at: by so much later it is seen that a peer does not read. */
function restTime({ stallTimeout }: PortLimits): number {
  return stallTimeout / 5;
}
