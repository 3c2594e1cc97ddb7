/** CachedValue is a value and its approximate size in bytes. */
export interface CachedValue<T> {
  readonly value: T;
  readonly bytes: number;
}

/** Smaller values are rebuilt in microseconds: caching them for every token would only fill the memory. */
export const LEAST_BYTES = 4096;

/**
 * ByteCache keeps the most recently used values, up to a number of bytes. A key is a text, or an immutable
 * object that is replaced when the thing it represents changes.
 */
export class ByteCache<T> {
  readonly #mostBytes: number;
  readonly #leastBytes: number;
  /** In order of use, least recent first. */
  readonly #kept = new Map<unknown, CachedValue<T>>();
  #bytes = 0;

  /** Values of fewer than `leastBytes` are not kept. */
  constructor(mostBytes: number, leastBytes = LEAST_BYTES) {
    this.#mostBytes = mostBytes;
    this.#leastBytes = leastBytes;
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

  set(key: unknown, made: CachedValue<T>): void {
    this.#delete(key);
    if (made.bytes < this.#leastBytes || made.bytes > this.#mostBytes) return;
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
