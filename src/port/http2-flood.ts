import { type Rate, take } from '../values/token-bucket.ts';

/** NGHTTP2_ERR_FLOODED: of what it counts by itself. */
const FLOODED = -904;
/** NGHTTP2_ERR_CALLBACK_FAILURE: node:http2 has refused more than it may: streams, or invalid frames. */
const REFUSED = -902;

/** What no client sends so much of, on one connection. Past it the connection is closed. */
export const FLOOD = {
  /** Streams reset soon after they were opened, by either side, at once. */
  hastyBurst: 200,
  /** How many of those it has back in a second. */
  hastyRate: 20,
  /** The largest request: its headers and its body. */
  requestBytes: 80 * 1024,
  /** What else it may send at once: 100,000 small frames. */
  otherBytes: 2 * 1024 * 1024,
  /** How much of that it has back in a second. */
  otherRate: 64 * 1024,
} as const;

type FloodLimits = { readonly [Name in keyof typeof FLOOD | 'streams']: number };

/** Judges whether an HTTP/2 peer sends more than any client does. */
export class FloodLookout {
  readonly #limits: FloodLimits;
  /** It has had as many streams open as it may. */
  #wasFull = false;
  readonly #hasty: Rate;
  /** When the bucket of hasty resets is full again. */
  #hastyFull = 0;
  /** Bytes of the peer at the last look, when that was, and requests since. */
  #bytes = 0;
  #lookedAt = performance.now();
  #requests = 0;
  /** Bytes that are no request, beyond what is allowed in the time. */
  #otherBytes = 0;

  constructor(limits: FloodLimits) {
    this.#limits = limits;
    this.#hasty = { burst: limits.hastyBurst, interval: 1000 / limits.hastyRate };
  }

  /** A request has come, and with it so many streams are open. */
  countRequest(open: number): void {
    this.#requests += 1;
    this.#wasFull ||= open >= this.#limits.streams;
  }

  /** A stream was reset soon after it was opened. True: it was one too many. */
  countReset(now: number): boolean {
    const taken = take(this.#hasty, this.#hastyFull, now);
    if ('wait' in taken) return true;
    this.#hastyFull = taken.full;
    return false;
  }

  /** Whether node:http2 ends a connection for a flood, by the number of nghttp2's error. */
  isFloodError(errno: number | undefined): boolean {
    // One stream more than it may have is an error of the protocol like any other.
    return errno === FLOODED || errno === REFUSED || this.#wasFull;
  }

  /** Whether the peer has sent more than its requests can have taken: pings, window updates, frames of no meaning. */
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
