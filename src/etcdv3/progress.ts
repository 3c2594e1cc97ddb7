import type { Watcher } from './watcher.ts';

/** A question of a client how far all of its watches have come. */
interface Question {
  /** The store's when it was asked. */
  readonly revision: bigint;
  /** The latest change that each watcher must have delivered. */
  readonly targets: ReadonlyMap<Watcher, bigint>;
}

/** Questions that wait for watchers to catch up: the first, and the latest, whose answer covers those between. */
export class Questions {
  readonly #waiting: Question[] = [];

  add(question: Question): void {
    this.#waiting.splice(1);
    this.#waiting.push(question);
  }

  /** Takes out the revision of the first question if every watcher, unless it has stopped, has come so far. */
  takeAnswered(): bigint | undefined {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    for (const [watcher, target] of first.targets) {
      if (!watcher.stopped && watcher.delivered < target) return undefined;
    }
    this.#waiting.shift();
    return first.revision;
  }
}
