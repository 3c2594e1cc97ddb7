import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Pause before a stream's progress is determined again, in ms per watch: a fortieth of the time is spent on
 * it.
 */
const PAUSE_PER_WATCH_MS = 0.1;

/**
 * Asker answers a question about many watches as often as is cheap. Questions that arrive in between are
 * merged into one.
 */
export class Asker {
  readonly #ask: () => Promise<void>;
  readonly #onFailure: (thrown: Error) => void;
  #pause: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(ask: () => Promise<void>, onFailure: (thrown: Error) => void) {
    this.#ask = ask;
    this.#onFailure = onFailure;
  }

  /** Resolves when the question was asked, or will be together with others. */
  async ask(watches: number): Promise<void> {
    if (this.#next !== undefined) return;
    if (this.#pause === undefined) return this.#askNow(watches);
    this.#next = this.#pause
      .then(() => this.#askNow(watches))
      .catch(this.#onFailure)
      .finally(() => {
        this.#next = undefined;
      });
  }

  /** Resolves when every question was asked: later messages of the stream must not change the answer. */
  async settled(): Promise<void> {
    await this.#next;
  }

  async #askNow(watches: number): Promise<void> {
    const pauseMs = Math.floor(watches * PAUSE_PER_WATCH_MS);
    if (pauseMs > 0) {
      this.#pause = sleep(pauseMs, undefined, { ref: false }).then(() => {
        this.#pause = undefined;
      });
    }
    await this.#ask();
  }
}
