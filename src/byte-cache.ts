/** What was made and how many bytes it takes, about. */
export interface Made<T> {
  readonly value: T;
  readonly bytes: number;
}

/** What takes less is made again in microseconds: kept for every token there was, it would only fill the memory. */
export const LEAST_BYTES = 4096;

/**
 * Answers that were made, for those who ask for the same: so many bytes of them, those that were asked for last. A key is
 * a text, or an object that never changes and is another one when what it stands for is.
 */
export class ByteCache<T> {
  readonly #mostBytes: number;
  /** From the one that was asked for longest ago. */
  readonly #kept = new Map<unknown, Made<T>>();
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: unknown): T | undefined {
    const found = this.#kept.get(key);
    if (found === undefined) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, found);
    return found.value;
  }

  set(key: unknown, made: Made<T>): void {
    this.#delete(key);
    if (made.bytes < LEAST_BYTES || made.bytes > this.#mostBytes) return;
    this.#kept.set(key, made);
    this.#bytes += made.bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#mostBytes) break;
      this.#delete(oldest);
    }
  }

  #delete(key: unknown): void {
    this.#bytes -= this.#kept.get(key)?.bytes ?? 0;
    this.#kept.delete(key);
  }
}
