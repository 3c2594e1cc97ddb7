import { take } from '../values/token-bucket.ts';

/** NGHTTP2_ERR_FLOODED: nghttp2's own counters. */
const FLOODED = -904;
/** NGHTTP2_ERR_CALLBACK_FAILURE: node:http2 rejected too many streams or invalid frames. */
const REFUSED = -902;

/** Amounts that no client sends on one connection. Beyond them the connection is closed. */
export const FLOOD = {
  /** Streams reset, by either side, soon after they were opened: the burst. */
  hastyBurst: 200,
  /** The number of those it regains per second. */
  hastyRate: 20,
  /** The largest request: headers and body. */
  requestBytes: 80 * 1024,
  /** Other bytes at once: 100,000 small frames. */
  otherBytes: 2 * 1024 * 1024,
  /** The number of those bytes it regains per second. */
  otherRate: 64 * 1024,
} as const;

type FloodLimits = { readonly [Name in keyof typeof FLOOD | 'streams']: number };

/** FloodLookout decides whether an HTTP/2 peer sends more than any client does. */
export class FloodLookout {
  readonly #limits: FloodLimits;
  /** Set once the maximum number of streams was open. */
  #wasFull = false;
  /** When the bucket of hasty resets is full again. */
  #hastyFull = 0;
  /** The peer's bytes at the last look, its time, and the requests since. */
  #bytes = 0;
  #lookedAt = performance.now();
  #requests = 0;
  /** Bytes not explained by requests, beyond the allowance for the time. */
  #otherBytes = 0;

  constructor(limits: FloodLimits) {
    this.#limits = limits;
  }

  /** Records a request, and the number of open streams. */
  countRequest(open: number): void {
    this.#requests += 1;
    this.#wasFull ||= open >= this.#limits.streams;
  }

  /** Records a stream that was reset soon after it was opened. True: there were too many. */
  countReset(now: number): boolean {
    const { hastyBurst, hastyRate } = this.#limits;
    const taken = take({ burst: hastyBurst, interval: 1000 / hastyRate }, this.#hastyFull, now);
    if ('wait' in taken) return true;
    this.#hastyFull = taken.full;
    return false;
  }

  /** Whether node:http2 ends a connection because of a flood, given nghttp2's error number. */
  isFloodError(errno: number | undefined): boolean {
    // Opening too many streams is reported like any other protocol error.
    return errno === FLOODED || errno === REFUSED || this.#wasFull;
  }

  /**
   * Whether the peer has sent more than its requests can explain: pings, window updates, meaningless frames.
   */
  isFlooded(bytesRead: number, now: number): boolean {
    const { requestBytes, otherBytes, otherRate } = this.#limits;
    const allowed = this.#requests * requestBytes + ((now - this.#lookedAt) / 1000) * otherRate;
    this.#otherBytes = Math.max(0, this.#otherBytes + bytesRead - this.#bytes - allowed);
    this.#bytes = bytesRead;
    this.#lookedAt = now;
    this.#requests = 0;
    return this.#otherBytes > otherBytes;
  }
}
