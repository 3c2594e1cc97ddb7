import type { RootDatabase } from 'lmdb';
import { DiscoveryError, shuttingDown } from '../../discovery/errors.ts';
import { storeRefusalOf, unavailable } from '../refusals.ts';
import type { Disk } from './disk.ts';
import { isPanic, overran } from './fault.ts';
import type { Footprint } from './footprint.ts';

/** Changes is the combined writes of one transaction. */
export interface Changes {
  isEmpty(): boolean;
  footprint(): Footprint;
  /** Writes everything. Called inside the transaction, so it must not throw. */
  put(): void;
  /** Called when everything is on disk. */
  committed(): void;
  /** Called when nothing was written. */
  failed(): void;
}

interface Job {
  run(): void;
  settle(failure: DiscoveryError | undefined): void;
}

/** Writes in one transaction. */
const WRITES_TOGETHER = 1000;
/** Longer than clients take to write again after a response; shorter than a flush of many disks. */
const GATHER_MS = 2;
/** A larger transaction takes so long that the event loop should continue meanwhile. */
const WRITES_COMMITTED_HERE = 64;
/**
 * The duration of such a transaction on a disk that flushes immediately, with a margin for a busy machine.
 */
const SOON_MS = 3;
/** For each ms that a flush blocked the event loop, LMDB's thread handles commits for this many ms. */
const PAUSE_PER_MS = 1000;

/**
 * Batches implements group commit: the writes that arrive while one transaction is flushed share the next
 * one. Each resolves when its transaction is on disk; all reject if it failed.
 *
 * Only one transaction runs at a time, so what a write sees is on disk or in earlier changes of its own
 * transaction. Also, LMDB must not be used again before a failed transaction was examined: in an environment
 * that it has given up, lmdb's writer would wait forever.
 */
export class Batches {
  readonly #env: RootDatabase;
  readonly #disk: Disk;
  readonly #changes: Changes;
  readonly #fatal: (cause: string) => void;
  readonly #onBatch: (writes: number) => void;
  #queue: Job[] = [];
  #running: Promise<void> | undefined;
  /** Whether a caller wants to know if a transaction is possible. */
  #looks = false;
  #closed = false;
  /** The time until which LMDB's thread commits all transactions. */
  #byThreadUntil = 0;

  /**
   * `fatal` is called with the reason why the store cannot continue, and does not return. `onBatch` is called
   * with the number of writes that share a transaction.
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

  /**
   * Runs `plan`, which adds to the changes of the next transaction. If it throws, only this write is
   * rejected.
   */
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
            refused = storeRefusalOf(error);
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

  /** Rejects unless a transaction is possible. */
  look(): Promise<void> {
    return this.submit(() => {
      this.#looks = true;
    });
  }

  /** Rejects new writes, and waits for those in progress. */
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

  /**
   * As long as each turn of the event loop brings more writes, they share the transaction, which is the
   * expensive part.
   */
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
   * Switching threads twice takes many times as long as a transaction and its flush on a good disk. On other
   * disks the event loop is blocked for at most a thousandth of the time.
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
    // LMDB's writer aborts the whole transaction if one of its puts fails.
    await this.#env.batch(() => {
      try {
        this.#changes.put();
      } catch (error) {
        broken = error;
      }
    });
    if (broken === undefined) return;
    const failure = unavailable('a write may be incomplete', broken);
    this.#fatal(failure.message);
    throw failure;
  }

  async #failed(error: unknown): Promise<DiscoveryError> {
    const real = await commitError(error);
    if (overran(real)) this.#fatal(this.#disk.causeOf(real));
    try {
      this.#env.resetReadTxn();
      this.#env.doesExist('any key');
    } catch (readError) {
      if (isPanic(readError)) this.#fatal(this.#disk.causeOf(real));
    }
    return this.#disk.failed(real);
  }
}

/** lmdb's rejection says where to wait for the real error, which for a few codes never arrives. */
async function commitError(error: unknown): Promise<unknown> {
  const pending = (error as { commitError?: Promise<unknown> } | undefined)?.commitError;
  if (pending === undefined) return error;
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 1000, new Error('unknown reason'));
    pending.catch((real: unknown) => {
      clearTimeout(timer);
      resolve(real);
    });
  });
}

/** Waits a whole turn: an immediate set while sockets are read runs before they are read again. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}
