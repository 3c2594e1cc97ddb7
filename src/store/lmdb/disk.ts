import { dirname } from 'node:path';
import type { DiscoveryError } from '../../discovery/errors.ts';
import { unavailable } from '../refusals.ts';
import type { DataFile } from './data-file.ts';
import { writeCause } from './fault.ts';
import { type Footprint, NOTHING_YET } from './footprint.ts';
import type { Room } from './room.ts';

/** After a failure, writes are rejected immediately for this long: a full disk stays full for a while. */
const RETRY_AFTER_MS = 1000;
/**
 * How long the last check that the file system accepts writes is valid. On most disks a transaction takes longer;
 * on faster disks a check for each transaction would cost as much as the flush.
 */
const ASK_AFTER_MS = 5;

interface Trouble {
  readonly error: DiscoveryError;
  /** The time until which the disk is not checked again. */
  until: number;
}

/**
 * Disk is the state of the data directory's disk for writes: whether the next transaction may start, and if
 * not, why. It recovers by itself when the problem is gone.
 */
export class Disk {
  readonly #file: DataFile;
  readonly #room: Room;
  /**
   * Called once with the reason when writes start to be rejected, and with undefined when they are accepted
   * again.
   */
  readonly #tell: (trouble: string | undefined) => void;
  /** All writes are rejected. */
  #broken: Trouble | undefined;
  /** Writes that need room are rejected. */
  #full: Trouble | undefined;
  #told: string | undefined;
  /** Until when the last check of the file system is valid. */
  #askedUntil = 0;

  constructor(file: DataFile, room: Room, tell: (trouble: string | undefined) => void) {
    this.#file = file;
    this.#room = room;
    this.#tell = tell;
  }

  /** Returns the bytes that can still be written. */
  get left(): number {
    return this.#room.left();
  }

  /** Returns why writes are rejected. The problem may be over, which a new check finds out. */
  trouble(): DiscoveryError | undefined {
    return this.#misplaced() ?? this.#broken?.error ?? this.#full?.error;
  }

  /** Returns why every write is rejected at the moment. */
  refusal(): DiscoveryError | undefined {
    return isRecent(this.#broken) ? this.#broken.error : undefined;
  }

  /** Returns why a write that needs room is rejected. */
  shortage(): DiscoveryError | undefined {
    return isRecent(this.#full) ? this.#full.error : undefined;
  }

  /**
   * Checks whether a transaction may start. Resolves with the problem, if there is one. Returns no promise if
   * there is nothing to wait for.
   */
  prepare(print: Footprint = NOTHING_YET): Promise<DiscoveryError | undefined> | DiscoveryError | undefined {
    const misplaced = this.#misplaced();
    if (misplaced !== undefined) return this.#telling(misplaced);
    if (this.#told === undefined && !this.#isToAsk() && this.#room.has(print)) return undefined;
    return this.#prepared(print);
  }

  /** Called when a transaction is on disk. Returns why it must not be acknowledged anyway. */
  committed(): DiscoveryError | undefined {
    const misplaced = this.#misplaced();
    return misplaced === undefined
      ? undefined
      : this.#telling(unavailable(`the change may be lost: ${misplaced.message}`));
  }

  /** Called when a transaction failed: LMDB is not used again until the disk has accepted a write. */
  failed(error: unknown): DiscoveryError {
    const fault = this.#fault(error);
    this.#broken = troubled(fault);
    return this.#telling(fault);
  }

  /** Returns the cause, phrased to follow a colon. */
  causeOf(error: unknown): string {
    return writeCause(error, dirname(this.#file.path));
  }

  close(): void {
    this.#file.close();
  }

  async #prepared(print: Footprint): Promise<DiscoveryError | undefined> {
    try {
      if (this.#broken !== undefined) {
        if (isRecent(this.#broken)) return this.#broken.error;
        await this.#room.probe();
      } else if (this.#isToAsk()) {
        await this.#file.touch();
      }
      this.#askedUntil = performance.now() + ASK_AFTER_MS;
    } catch (error) {
      return this.failed(error);
    }
    this.#broken = undefined;
    if (this.#told === undefined && this.#room.has(print)) return undefined;
    if (print.grows && isRecent(this.#full)) return this.#full.error;
    try {
      await this.#room.make(print);
    } catch (error) {
      const fault = this.#fault(error);
      this.#full = troubled(fault);
      return this.#telling(fault);
    }
    if (!print.grows) return undefined;
    this.#full = undefined;
    this.#telling(undefined);
    return undefined;
  }

  /** Whether the file system must be checked, so that LMDB does not meet the failure (see `overran`). */
  #isToAsk(): boolean {
    return performance.now() >= this.#askedUntil;
  }

  #misplaced(): DiscoveryError | undefined {
    if (this.#file.isInPlace()) return undefined;
    return unavailable(
      'the data directory was removed, renamed or replaced while the service was running; writes are rejected until it is back in place',
    );
  }

  #fault(error: unknown): DiscoveryError {
    return unavailable(`nothing was changed: the store could not write: ${this.causeOf(error)}`, error);
  }

  #telling<T extends DiscoveryError | undefined>(trouble: T): T {
    if (this.#told !== trouble?.message) this.#tell(trouble?.message);
    this.#told = trouble?.message;
    return trouble;
  }
}

function troubled(error: DiscoveryError): Trouble {
  return { error, until: performance.now() + RETRY_AFTER_MS };
}

function isRecent(trouble: Trouble | undefined): trouble is Trouble {
  return trouble !== undefined && performance.now() < trouble.until;
}
