import type { RootDatabase } from 'lmdb';
import { DiscoveryError, shuttingDown } from '../../discovery/errors.ts';
import { refusalOf, unavailable } from '../refusals.ts';
import type { Disk } from './disk.ts';
import { isPanic } from './fault.ts';
import type { Footprint } from './footprint.ts';

/** What the writes of one transaction come to. */
export interface Changes {
  isEmpty(): boolean;
  footprint(): Footprint;
  /** Puts all of it. Called while the transaction is made, so it must not throw. */
  put(): void;
  /** All of it is on disk. */
  committed(): void;
  /** Nothing of it is. */
  failed(): void;
}

interface Job {
  run(): void;
  settle(failure: DiscoveryError | undefined): void;
}

/** Writes of one transaction. */
const WRITES_TOGETHER = 1000;
/** Longer than those take who were answered just now and write again; less than a flush of many disks. */
const GATHER_MS = 2;
/** A larger transaction takes long enough for the event loop to go on meanwhile. */
const WRITES_COMMITTED_HERE = 64;
/** What such a transaction takes on a disk that flushes at once, with room for a busy machine. */
const SOON_MS = 3;
/** For each ms that the event loop stood still for a flush, the next ones go to LMDB's thread for this long. */
const PAUSE_PER_MS = 1000;

/**
 * Group commit: the writes that come in while one transaction is flushed to disk share the next one. Each
 * resolves once its transaction is on disk, and all reject when it failed.
 *
 * One transaction at a time: what a write sees is then on disk, or in the changes before it in its own
 * transaction. And LMDB must not be asked again before a failed one was looked at: in an environment that it
 * gave up, lmdb's writer would wait for ever.
 */
export class Batches {
  readonly #env: RootDatabase;
  readonly #disk: Disk;
  readonly #changes: Changes;
  readonly #fatal: (cause: string) => void;
  readonly #onBatch: (writes: number) => void;
  #queue: Job[] = [];
  #running: Promise<void> | undefined;
  /** Whether somebody wants to know if there can be a transaction. */
  #looks = false;
  #closed = false;
  /** Until when LMDB's thread commits, whatever there is. */
  #byThreadUntil = 0;

  /**
   * `fatal` is told why the store cannot go on; it does not return. `onBatch` is told how many writes share a
   * transaction.
   */
  constructor(
    env: RootDatabase,
    disk: Disk,
    changes: Changes,
    fatal: (cause: string) => void,
    onBatch: (writes: number) => void = () => {},
  ) {
    this.#env = env;
    this.#disk = disk;
    this.#changes = changes;
    this.#fatal = fatal;
    this.#onBatch = onBatch;
  }

  /** Runs `plan`, which adds to the changes of the next transaction. When it throws, only this write is refused. */
  submit<T>(plan: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(shuttingDown());
    const refusal = this.#disk.refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise<T>((resolve, reject) => {
      let outcome: T;
      let refused: DiscoveryError | undefined;
      this.#queue.push({
        run() {
          try {
            outcome = plan();
          } catch (error) {
            refused = refusalOf(error);
          }
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

  /** Rejects unless there can be a transaction. */
  look(): Promise<void> {
    return this.submit(() => {
      this.#looks = true;
    });
  }

  /** Refuses new writes, and waits for those that are under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      await this.#gather();
      const jobs = this.#queue.splice(0, WRITES_TOGETHER);
      for (const job of jobs) job.run();
      const failure = await this.#conclude(jobs.length);
      for (const job of jobs) job.settle(failure);
      if (failure === undefined) continue;
      for (const job of this.#queue.splice(0)) job.settle(failure);
    }
    this.#running = undefined;
  }

  async #conclude(writes: number): Promise<DiscoveryError | undefined> {
    const looks = this.#looks;
    this.#looks = false;
    if (this.#changes.isEmpty()) return looks ? this.#disk.prepare() : undefined;
    const preparing = this.#disk.prepare(this.#changes.footprint());
    const refusal = preparing instanceof Promise ? await preparing : preparing;
    if (refusal === undefined) return this.#commit(writes);
    this.#changes.failed();
    return refusal;
  }

  /** As long as each turn of the event loop brings more writes, they share the transaction: it is what costs. */
  async #gather(): Promise<void> {
    const deadline = performance.now() + GATHER_MS;
    let count: number;
    do {
      count = this.#queue.length;
      await nextTurn();
    } while (
      this.#queue.length > count &&
      this.#queue.length < WRITES_TOGETHER &&
      performance.now() < deadline
    );
  }

  async #commit(writes: number): Promise<DiscoveryError | undefined> {
    this.#onBatch(writes);
    const here = writes <= WRITES_COMMITTED_HERE && performance.now() >= this.#byThreadUntil;
    let failure: DiscoveryError | undefined;
    try {
      if (here) this.#commitHere();
      else await this.#commitByThread();
    } catch (error) {
      failure = error instanceof DiscoveryError ? error : await this.#failed(error);
    }
    if (failure !== undefined) {
      this.#changes.failed();
      return failure;
    }
    this.#changes.committed();
    return this.#disk.committed();
  }

  /**
   * The change of threads, there and back, takes many times as long as a transaction and its flush on a good disk.
   * On others the event loop waits for a thousandth of the time at most.
   */
  #commitHere(): void {
    const begin = performance.now();
    try {
      this.#env.transactionSync(() => this.#changes.put());
    } finally {
      const end = performance.now();
      if (end - begin > SOON_MS) this.#byThreadUntil = end + (end - begin) * PAUSE_PER_MS;
    }
  }

  async #commitByThread(): Promise<void> {
    let broken: unknown;
    // LMDB's writer aborts the whole transaction when one of its puts fails.
    await this.#env.batch(() => {
      try {
        this.#changes.put();
      } catch (error) {
        broken = error;
      }
    });
    if (broken === undefined) return;
    const failure = unavailable('a write may be half done', broken);
    this.#fatal(failure.message);
    throw failure;
  }

  async #failed(error: unknown): Promise<DiscoveryError> {
    const real = await commitError(error);
    try {
      this.#env.resetReadTxn();
      this.#env.doesExist('any key');
    } catch (readError) {
      if (isPanic(readError)) this.#fatal(this.#disk.causeOf(real));
    }
    return this.#disk.failed(real);
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

/** A whole turn: an immediate that is set while sockets are read runs before they are read again. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}
