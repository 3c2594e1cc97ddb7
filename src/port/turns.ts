/**
 * Work on requests in one turn of the event loop, in ms. Further requests wait for the next turn, so that
 * everything else gets its turn.
 */
const SHARE_MS = 10;
/**
 * The number of queued requests started per turn, if time permits. Under load each turn is filled with them.
 */
const FROM_QUEUE = 64;
/**
 * The part of both for each connection that waits, one request after the other in rounds. A single connection
 * takes little from everything else, and the responses to what it has sent together leave together.
 */
const OF_EACH = { requests: 32, ms: 2 };
/**
 * Requests of HTTP/1.1 may take more than the share together while they are short, in ms on average. With
 * many connections, all would wait from the first full turn on, as long as the load lasts, and a request that
 * waits costs more. `share` bounds the turn, in ms, and `requests` those of its queue.
 */
const SHORT = { ms: 0.5, share: 50, requests: 256 };

/** Turns shares the process's time among connections, because one request may take long. */
export class Turns {
  readonly #now: () => number;
  readonly #queue: (() => void)[] = [];
  #begin = 0;
  /** The time for queued requests in this turn, in ms. */
  #share = SHARE_MS;
  #isOpen = false;
  /** The requests that may be short, begun in this turn and waiting. */
  #short = 0;
  #shortWaiting = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether so many requests, which may be short, can start in this turn. False while others wait. */
  hasTime(requests: number): boolean {
    if (!this.#isOpen) this.#open();
    if (this.#queue.length > 0 || this.#isOver(SHARE_MS)) return false;
    this.#short += requests;
    return true;
  }

  /** The number of requests that may be short and wait for a later turn. */
  get shortWaiting(): number {
    return this.#shortWaiting;
  }

  /** Runs a function in a later turn, after everything that is already waiting. */
  later(begin: () => void): void {
    this.#queue.push(begin);
    if (!this.#isOpen) this.#open();
  }

  /** The same for a request that may be short. */
  shortLater(begin: () => void): void {
    this.#shortWaiting += 1;
    this.later(() => {
      this.#shortWaiting -= 1;
      this.#short += 1;
      begin();
    });
  }

  #isOver(share: number): boolean {
    return this.#now() - this.#begin >= Math.max(share, Math.min(this.#short * SHORT.ms, SHORT.share));
  }

  #open(): void {
    this.#isOpen = true;
    this.#begin = this.#now();
    this.#short = 0;
    setImmediate(this.#next);
  }

  /**
   * A separate callback for each, so that the work that one makes ready is done before the next checks the
   * time.
   */
  readonly #next = (): void => {
    this.#isOpen = false;
    if (this.#queue.length === 0) return;
    this.#open();
    this.#share = Math.min(SHARE_MS, OF_EACH.ms * this.#queue.length);
    const most = Math.max(FROM_QUEUE, Math.min(SHORT.requests, this.#shortWaiting));
    const count = Math.min(most, OF_EACH.requests * this.#queue.length);
    this.#queue.shift()?.();
    for (let more = 1; more < count; more += 1) setImmediate(this.#one);
  };

  readonly #one = (): void => {
    if (!this.#isOver(this.#share)) this.#queue.shift()?.();
  };
}
