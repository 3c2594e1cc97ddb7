/** The largest correction of the wall clock that is accepted at once while a service runs. */
const CORRECTION_MS = 60_000;
/**
 * A larger change of the clock is accepted once it has lasted this long: it has been noticed, and could have
 * been corrected.
 */
const TRUSTED_AFTER_MS = 3_600_000;

/**
 * SteadyClock says whether the wall clock can be trusted before data is deleted: a clock that is wrong for a
 * moment would make everything expire. It is compared with a monotonic clock.
 */
export class SteadyClock {
  readonly #wallMs: () => number;
  readonly #countMs: () => number;
  /** The trusted difference between the wall clock and the monotonic clock. */
  #trusted: number;
  /** Another difference that was seen, and since when. */
  #seen: { readonly ahead: number; readonly since: number } | undefined;

  constructor(wallMs: () => number = Date.now, countMs: () => number = () => performance.now()) {
    this.#wallMs = wallMs;
    this.#countMs = countMs;
    this.#trusted = wallMs() - countMs();
  }

  isSteady(): boolean {
    const count = this.#countMs();
    const ahead = this.#wallMs() - count;
    if (isNear(ahead, this.#trusted)) {
      this.#seen = undefined;
      // Slow changes are unlimited.
      this.#trusted = ahead;
      return true;
    }
    if (this.#seen === undefined || !isNear(ahead, this.#seen.ahead)) this.#seen = { ahead, since: count };
    if (count - this.#seen.since < TRUSTED_AFTER_MS) return false;
    this.#trusted = ahead;
    this.#seen = undefined;
    return true;
  }
}

function isNear(a: number, b: number): boolean {
  return Math.abs(a - b) <= CORRECTION_MS;
}
