import type { LocalClient } from '../etcd/client.ts';
import { WORK_LIMITS } from '../limits.ts';
import { units } from '../work.ts';
import { Asker } from './asker.ts';
import { Questions, questionAbout } from './progress.ts';
import type { Watcher } from './watcher.ts';

/** The watches that progress requests are about, and how they are answered. */
export interface ProgressRequestsOptions {
  readonly client: LocalClient;
  readonly watchers: ReadonlyMap<bigint, Watcher>;
  /** Resolves when the client has taken the answer. */
  readonly answer: (revision: bigint) => Promise<void>;
  readonly onFailure: (thrown: Error) => void;
}

/** ProgressRequests handles a client's requests for the progress of all watches of its stream. */
export class ProgressRequests {
  readonly #options: ProgressRequestsOptions;
  readonly #questions = new Questions();
  readonly #asker: Asker;

  constructor(options: ProgressRequestsOptions) {
    this.#options = options;
    this.#asker = new Asker(() => this.#ask(), options.onFailure);
  }

  /** Resolves when the progress was determined, or will be together with other requests. */
  ask(): Promise<void> {
    return this.#asker.ask(this.#options.watchers.size);
  }

  /** Resolves when no request is pending. */
  settled(): Promise<void> {
    return this.#asker.settled();
  }

  include(watcher: Watcher, target: bigint): void {
    this.#questions.include(watcher, target);
  }

  forget(watcher: Watcher): void {
    this.#questions.forget(watcher);
    void this.answer();
  }

  /** Answers the requests that can be answered now. */
  async answer(): Promise<void> {
    const revision = this.#questions.takeAnswered();
    if (revision === undefined) return;
    await this.#options.answer(revision);
    await this.answer();
  }

  async #ask(): Promise<void> {
    const { client, watchers } = this.#options;
    client.work.owe(units(watchers.size, WORK_LIMITS.watchesAsked));
    const question = await questionAbout(client, watchers.values());
    if (question === undefined) return;
    this.#questions.add(question);
    // Waits for the client to take the answer: one that does not read cannot make further requests pile up.
    await this.answer();
  }
}
