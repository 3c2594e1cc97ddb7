/** Work on requests in a turn of the event loop, in ms: what comes later waits for the next one, and all get their turn. */
const SHARE_MS = 10;
/** Of the queue in a turn, where there is time for so many: turns of them fill the process. */
const FROM_QUEUE = 64;

/** Shares the time of the process among connections: what one has begun may take long. */
export class Turns {
  readonly #now: () => number;
  readonly #queue: (() => void)[] = [];
  #begin = 0;
  #isOpen = false;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether there is time to begin one more request in this turn, before which none waits. */
  hasTime(): boolean {
    if (!this.#isOpen) this.#open();
    return this.#queue.length === 0 && !this.#isOver();
  }

  /** Has something done in a later turn, after all that waits already. */
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

  /** Each in a callback of its own: what it makes ready is done before the next one looks at the clock. */
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
