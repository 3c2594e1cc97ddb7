/** Something that ends at its time, unless it is done before. */
export interface Deadline {
  readonly time: number;
  /** Undefined once it is done. */
  expire: (() => void) | undefined;
}

/**
 * Many waits of the same length under one timer: who came first ends first, so the oldest alone is watched.
 */
export class Deadlines {
  readonly #lengthMs: number;
  // In order of their times, as a set keeps its entries in the order of their coming.
  readonly #waiting = new Set<Deadline>();
  #timer: NodeJS.Timeout | undefined;

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Calls `expire` once the length is over, unless the deadline is removed before. */
  add(expire: () => void): Deadline {
    const deadline: Deadline = { time: performance.now() + this.#lengthMs, expire };
    this.#waiting.add(deadline);
    if (this.#timer === undefined) this.#timer = this.#start(this.#lengthMs);
    return deadline;
  }

  /** The timer runs on, so that waits which come and go don't start and stop one each. */
  remove(deadline: Deadline): void {
    this.#waiting.delete(deadline);
    // V8 keeps the tables that a set has outgrown, with all that was in them then, until it collects everything.
    deadline.expire = undefined;
  }

  #start(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#expire(), ms).unref();
  }

  #expire(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const deadline of this.#waiting) {
      if (deadline.time > now) {
        if (this.#timer === undefined) this.#timer = this.#start(Math.ceil(deadline.time - now));
        return;
      }
      this.#waiting.delete(deadline);
      deadline.expire?.();
    }
  }
}
