/** CachedValue is a value and its approximate size in bytes. */
export interface CachedValue<T> {
  readonly value: T;
  readonly bytes: number;
}

interface Kept<T> extends CachedValue<T> {
  /** When it was put last. */
  move: number;
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
  /** About in order of use, least recent first. */
  readonly #kept = new Map<unknown, Kept<T>>();
  #bytes = 0;
  /** How many values were put last so far. */
  #moves = 0;

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
    // One of the younger half stays where it is, because moving it is most of the work of a read.
    if (this.#moves - found.move >= this.#kept.size / 2) {
      this.#kept.delete(key);
      this.#putLast(key, found);
    }
    return found.value;
  }

  set(key: unknown, made: CachedValue<T>): void {
    this.#delete(key);
    if (made.bytes < this.#leastBytes || made.bytes > this.#mostBytes) return;
    this.#putLast(key, { value: made.value, bytes: made.bytes, move: 0 });
    this.#bytes += made.bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#mostBytes) break;
      this.#delete(oldest);
    }
  }

  #putLast(key: unknown, kept: Kept<T>): void {
    this.#moves += 1;
    kept.move = this.#moves;
    this.#kept.set(key, kept);
  }

  #delete(key: unknown): void {
    this.#bytes -= this.#kept.get(key)?.bytes ?? 0;
    this.#kept.delete(key);
  }
}
