interface Parcel<T> {
  readonly item: T;
  readonly taken: () => void;
}

/**
 * Outbox merges several sources into one stream. A source waits until its item is taken, so a reader that
 * stops reading stops its sources, each of which holds one item.
 */
export class Outbox<T> {
  readonly #parcels: Parcel<T>[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #failure: Error | undefined;

  get ended(): boolean {
    return this.#ended;
  }

  /** Resolves when the stream has taken the item, or has ended without taking it. */
  put(item: T): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((taken) => {
      this.#parcels.push({ item, taken });
      this.#wake?.();
    });
  }

  /** Ends the stream, with or without a failure. Items not taken are dropped. */
  end(failure?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    for (const { taken } of this.#parcels.splice(0)) taken();
    this.#wake?.();
  }

  /** Yields the items. Throws the failure with which the stream ended. */
  async *items(): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const parcel = this.#parcels.shift();
      if (parcel !== undefined) {
        parcel.taken();
        yield parcel.item;
      } else if (this.#ended) {
        if (this.#failure !== undefined) throw this.#failure;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}
