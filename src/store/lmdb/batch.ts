import type { RootDatabase } from 'lmdb';
import { DiscoveryError } from '../../discovery/errors.ts';
import { isPanic, readFault, unavailable, writeCause } from './fault.ts';

/** What a write comes to once it has seen the data: its result, and the puts that make it so, if any. */
export interface Plan<T> {
  readonly result: T;
  readonly commit?: () => void;
}

interface Job {
  run(): void;
  settle(failure: DiscoveryError | undefined): void;
}

/** Writes run on the event loop while a transaction is open; this many at once hold it for a few ms. */
const JOBS_PER_BATCH = 1000;
/** After a failed commit, writes are refused at once for this long: a full disk stays full for a while. */
const RETRY_AFTER_MS = 1000;

/**
 * Group commit: the writes that come in while one transaction is flushed to disk share the next one. Each
 * resolves once its transaction is on disk, and all reject when it failed.
 *
 * One transaction at a time, as LMDB must not be asked again before a failed one was looked at: in an
 * environment that it gave up, lmdb's writer would wait for ever.
 */
export class Batches {
  readonly #env: RootDatabase;
  readonly #path: string;
  readonly #fatal: (cause: string) => void;
  #queue: Job[] = [];
  #running: Promise<void> | undefined;
  #refusal: { readonly error: DiscoveryError; readonly until: number } | undefined;
  #closed = false;

  /** `fatal` is told why the store cannot go on; it does not return. */
  constructor(env: RootDatabase, path: string, fatal: (cause: string) => void) {
    this.#env = env;
    this.#path = path;
    this.#fatal = fatal;
  }

  /**
   * Runs `plan` inside a write transaction, where reads see every write before it, and then its puts. When
   * `plan` throws, only this write is refused.
   */
  submit<T>(plan: () => Plan<T>): Promise<T> {
    if (this.#closed) return Promise.reject(closed());
    if (this.#refusal !== undefined && performance.now() < this.#refusal.until) {
      return Promise.reject(this.#refusal.error);
    }
    return new Promise<T>((resolve, reject) => {
      let outcome: T;
      let refused: DiscoveryError | undefined;
      this.#queue.push({
        run() {
          let planned: Plan<T>;
          try {
            planned = plan();
          } catch (error) {
            refused = readFault(error);
            return;
          }
          outcome = planned.result;
          planned.commit?.();
        },
        settle(failure) {
          const error = failure ?? refused;
          if (error === undefined) resolve(outcome);
          else reject(error);
        },
      });
      this.#running ??= this.#run();
    });
  }

  /** Refuses new writes, and waits for those that are under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const jobs: Job[] = [];
      let broken: unknown;
      let failure: DiscoveryError | undefined;
      try {
        await this.#env.transaction(() => {
          // Here, not before: whoever came while the transaction began is in it.
          jobs.push(...this.#queue.splice(0, JOBS_PER_BATCH));
          try {
            for (const job of jobs) job.run();
          } catch (error) {
            broken = error;
          }
        });
        this.#refusal = undefined;
      } catch (error) {
        failure = await this.#failed(error);
      }
      if (broken !== undefined && failure === undefined) {
        // LMDB refuses to commit after a failed put. If it did not, a write could be half there.
        failure = unavailable('a write may be half done', broken);
        this.#fatal(failure.message);
      }
      for (const job of jobs) job.settle(failure);
      if (failure === undefined) continue;
      for (const job of this.#queue.splice(0)) job.settle(failure);
    }
    this.#running = undefined;
  }

  async #failed(error: unknown): Promise<DiscoveryError> {
    const real = await commitError(error);
    const cause = writeCause(real, this.#path);
    try {
      this.#env.resetReadTxn();
      this.#env.doesExist('any key');
    } catch (readError) {
      if (isPanic(readError)) this.#fatal(cause);
    }
    const failure = unavailable(`nothing was changed, as the store could not write: ${cause}`, real);
    this.#refusal = { error: failure, until: performance.now() + RETRY_AFTER_MS };
    return failure;
  }
}

/** lmdb's rejection says where to wait for the real error, which for a few codes never comes. */
async function commitError(error: unknown): Promise<unknown> {
  const pending = (error as { commitError?: Promise<unknown> } | undefined)?.commitError;
  if (pending === undefined) return error;
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 1000, new Error('no reason was given'));
    pending.catch((real: unknown) => {
      clearTimeout(timer);
      resolve(real);
    });
  });
}

function closed(): DiscoveryError {
  return new DiscoveryError('SHUTTING_DOWN', 'the service is stopping; call again to reach its successor');
}
