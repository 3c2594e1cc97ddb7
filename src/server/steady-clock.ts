/** The wall clock may be corrected by so much while a service runs, and nobody minds. */
const CORRECTION_MS = 60_000;
/** A clock that was set and stays so for this long is right: it has been seen, and can have been put right. */
const TRUSTED_AFTER_MS = 3_600_000;

/**
 * Whether the wall clock can be believed where something is lost for good: a clock that was wrong for a moment would
 * have everything end. It is compared with one that only counts.
 */
export class SteadyClock {
  readonly #wallMs: () => number;
  readonly #countMs: () => number;
  /** What the wall clock is ahead of the count, as it is trusted. */
  #trusted: number;
  /** Another one that was seen, and since when. */
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
      // Slowly it may go anywhere.
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
