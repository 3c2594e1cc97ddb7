import type { LocalClient } from '../etcd/client.ts';
import { WORK_LIMITS } from '../limits.ts';
import { units } from '../work.ts';
import { Asker } from './asker.ts';
import { Questions, questionAbout } from './progress.ts';
import type { Watcher } from './watcher.ts';

/** What the questions of a stream are about, and what becomes of them. */
export interface ProgressRequestsOptions {
  readonly client: LocalClient;
  readonly watchers: ReadonlyMap<bigint, Watcher>;
  /** Resolves when the client has taken it. */
  readonly answer: (revision: bigint) => Promise<void>;
  readonly onFailure: (thrown: Error) => void;
}

/** The questions of a client how far all the watches of its stream have come. */
export class ProgressRequests {
  readonly #options: ProgressRequestsOptions;
  readonly #questions = new Questions();
  readonly #asker: Asker;

  constructor(options: ProgressRequestsOptions) {
    this.#options = options;
    this.#asker = new Asker(() => this.#ask(), options.onFailure);
  }

  /** Resolves when it was asked, or will be with others. */
  ask(): Promise<void> {
    return this.#asker.ask(this.#options.watchers.size);
  }

  /** Resolves when all of them were asked. */
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

  /** Answers what can be answered now. */
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
    // Waiting for the client to take it: one that does not read cannot ask for ever more.
    await this.answer();
  }
}
