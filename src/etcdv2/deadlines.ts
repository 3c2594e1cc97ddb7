/** Deadline is an action at a set time, unless it is removed before. */
export interface Deadline {
  readonly time: number;
  /** Undefined once the deadline has passed or was removed. */
  expire: (() => void) | undefined;
}

/**
 * Deadlines runs many waits of the same length with one timer: they end in the order in which they started,
 * so only the oldest is watched.
 */
export class Deadlines {
  readonly #lengthMs: number;
  // In order of their times, because a set keeps the order of insertion.
  readonly #waiting = new Set<Deadline>();
  #timer: NodeJS.Timeout | undefined;

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  /** Returns the number of waits. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Calls `expire` after the length, unless the deadline is removed before. */
  add(expire: () => void): Deadline {
    const deadline: Deadline = { time: performance.now() + this.#lengthMs, expire };
    this.#waiting.add(deadline);
    if (this.#timer === undefined) this.#timer = this.#start(this.#lengthMs);
    return deadline;
  }

  /** Leaves the timer running, so that short waits do not start and stop one each. */
  remove(deadline: Deadline): void {
    this.#waiting.delete(deadline);
    // V8 keeps the old tables of a set that has grown, and the entries in them, until the next full
    // collection.
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
