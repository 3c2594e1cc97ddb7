/**
 * Work on requests in one turn of the event loop, in ms. Further requests wait for the next turn, so that
 * everything else gets its turn.
 */
const SHARE_MS = 10;
/**
 * The number of queued requests started per turn, if time permits. Under load each turn is filled with them.
 */
const FROM_QUEUE = 64;

/** Turns shares the process's time among connections, because one request may take long. */
export class Turns {
  readonly #now: () => number;
  readonly #queue: (() => void)[] = [];
  #begin = 0;
  #isOpen = false;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether one more request can start in this turn. False while others wait. */
  hasTime(): boolean {
    if (!this.#isOpen) this.#open();
    return this.#queue.length === 0 && !this.#isOver();
  }

  /** Runs a function in a later turn, after everything that is already waiting. */
  later(begin: () => void): void {
    this.#queue.push(begin);
    if (!this.#isOpen) this.#open();
  }

  #isOver(): boolean {
    return this.#now() - this.#begin >= SHARE_MS;
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
    const count = Math.min(FROM_QUEUE, this.#queue.length);
    this.#queue.shift()?.();
    for (let more = 1; more < count; more += 1) setImmediate(this.#one);
  };

  readonly #one = (): void => {
    if (!this.#isOver()) this.#queue.shift()?.();
  };
}
