import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { Work } from '../work.ts';

/** Messages of one stream that are taken until others have their turn: a millisecond or two. */
const MESSAGES_AT_ONCE = 32;
/** How long a stream sleeps at most until it looks whether it has ended. */
const LOOK_MS = 1000;

/** How fast the messages of a stream are taken: each counts as a request, the first with that which began the stream. */
export class Pace {
  readonly #work: Work;
  readonly #isOver: () => boolean;
  #taken = 0;

  constructor(work: Work, isOver: () => boolean) {
    this.#work = work;
    this.#isOver = isOver;
  }

  /** Resolves when the next one may be taken: until then nothing more is read, so that nothing is queued. */
  async next(): Promise<void> {
    this.#taken += 1;
    if (this.#taken === 1) return;
    if (this.#taken % MESSAGES_AT_ONCE === 0) await turn();
    while (!this.#isOver()) {
      const wait = this.#work.turn();
      if (wait === 0) return;
      await sleep(Math.min(wait, LOOK_MS), undefined, { ref: false });
    }
  }
}
