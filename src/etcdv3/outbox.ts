interface Parcel<T> {
  readonly item: T;
  readonly taken: () => void;
}

interface Reader<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (failure: Error) => void;
}

/**
 * Outbox merges several sources into one stream, for one reader. A source waits until its item is taken, so a
 * reader that stops reading stops its sources, each of which holds one item. It is an iterator itself, because
 * thousands of them wait, and a generator would take more memory.
 */
export class Outbox<T> implements AsyncIterableIterator<T, undefined> {
  readonly #parcels: Parcel<T>[] = [];
  /** The reader, while there is nothing to read. */
  #reader: Reader<T> | undefined;
  #ended = false;
  #failure: Error | undefined;
  readonly #onEnded: () => void;

  /** `onEnded` is called once, when the stream has ended or its reader has left. */
  constructor(onEnded: () => void) {
    this.#onEnded = onEnded;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Resolves when the stream has taken the item, or has ended without taking it. */
  put(item: T): Promise<void> {
    if (this.#ended) return Promise.resolve();
    const reader = this.#reader;
    if (reader === undefined) return new Promise((taken) => this.#parcels.push({ item, taken }));
    this.#reader = undefined;
    reader.resolve({ done: false, value: item });
    return Promise.resolve();
  }

  /** Ends the stream, with or without a failure. Items not taken are dropped. */
  end(failure?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    for (const { taken } of this.#parcels.splice(0)) taken();
    if (this.#reader !== undefined) this.next().then(this.#reader.resolve, this.#reader.reject);
    this.#onEnded();
  }

  /** Resolves with the next item. Rejects with the failure with which the stream ended. */
  next(): Promise<IteratorResult<T, undefined>> {
    const parcel = this.#parcels.shift();
    if (parcel !== undefined) {
      parcel.taken();
      return Promise.resolve({ done: false, value: parcel.item });
    }
    if (!this.#ended) {
      return new Promise((resolve, reject) => {
        this.#reader = { resolve, reject };
      });
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Called when the reader leaves. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Called when the reader fails. */
  throw(failure: Error): Promise<IteratorResult<T, undefined>> {
    this.end();
    return Promise.reject(failure);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
