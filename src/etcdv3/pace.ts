import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { Work } from '../work.ts';

/** Messages of one stream handled before others get their turn: a millisecond or two. */
const MESSAGES_AT_ONCE = 32;
/** The longest sleep of a stream before it checks whether it has ended. */
const LOOK_MS = 1000;

/**
 * Pace limits how fast the messages of a stream are handled: each counts as a request; the first is included
 * in the request that opened the stream.
 */
export class Pace {
  readonly #work: Work;
  readonly #isOver: () => boolean;
  #taken = 0;

  constructor(work: Work, isOver: () => boolean) {
    this.#work = work;
    this.#isOver = isOver;
  }

  /** Resolves when the next message may be handled. Nothing is read until then, so nothing is queued. */
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
