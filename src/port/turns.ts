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

/** Turns shares the process's time among connections, because one request may take long. */
export class Turns {
  readonly #now: () => number;
  readonly #queue: (() => void)[] = [];
  #begin = 0;
  /** The time for queued requests in this turn, in ms. */
  #share = SHARE_MS;
  #isOpen = false;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether one more request can start in this turn. False while others wait. */
  hasTime(): boolean {
    if (!this.#isOpen) this.#open();
    return this.#queue.length === 0 && !this.#isOver(SHARE_MS);
  }

  /** Runs a function in a later turn, after everything that is already waiting. */
  later(begin: () => void): void {
    this.#queue.push(begin);
    if (!this.#isOpen) this.#open();
  }

  #isOver(share: number): boolean {
    return this.#now() - this.#begin >= share;
  }

  #open(): void {
    this.#isOpen = true;
    this.#begin = this.#now();
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
    const count = Math.min(FROM_QUEUE, OF_EACH.requests * this.#queue.length);
    this.#queue.shift()?.();
    for (let more = 1; more < count; more += 1) setImmediate(this.#one);
  };

  readonly #one = (): void => {
    if (!this.#isOver(this.#share)) this.#queue.shift()?.();
  };
}
