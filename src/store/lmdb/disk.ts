import { dirname } from 'node:path';
import type { DiscoveryError } from '../../discovery/errors.ts';
import { unavailable } from '../refusals.ts';
import type { DataFile } from './data-file.ts';
import { writeCause } from './fault.ts';
import { type Footprint, NOTHING_YET } from './footprint.ts';
import type { Room } from './room.ts';

/** After a failure, writes are refused at once for this long: a full disk stays full for a while. */
const RETRY_AFTER_MS = 1000;

interface Trouble {
  readonly error: DiscoveryError;
  /** Until when nobody looks again. */
  until: number;
}

/**
 * The disk of the data directory, as far as writes are concerned: whether the next transaction may begin, and why not.
 * It goes on by itself once what was wrong is over.
 */
export class Disk {
  readonly #file: DataFile;
  readonly #room: Room;
  /** Told why writes are refused, once, and then when they are not any more. */
  readonly #tell: (trouble: string | undefined) => void;
  /** No writes. */
  #broken: Trouble | undefined;
  /** No writes but those that make room. */
  #full: Trouble | undefined;
  #told: string | undefined;

  constructor(file: DataFile, room: Room, tell: (trouble: string | undefined) => void) {
    this.#file = file;
    this.#room = room;
    this.#tell = tell;
  }

  /** Bytes that may still be written. */
  get left(): number {
    return this.#room.left();
  }

  /** Why writes are refused. It may be over: whoever looks again knows. */
  trouble(): DiscoveryError | undefined {
    return this.#misplaced() ?? this.#broken?.error ?? this.#full?.error;
  }

  /** Why every write is refused just now. */
  refusal(): DiscoveryError | undefined {
    return isRecent(this.#broken) ? this.#broken.error : undefined;
  }

  /** Why one that needs room is. */
  shortage(): DiscoveryError | undefined {
    return isRecent(this.#full) ? this.#full.error : undefined;
  }

  /** Whether a transaction may begin. Resolves with why not. Without a promise when there is nothing to wait for. */
  prepare(print: Footprint = NOTHING_YET): Promise<DiscoveryError | undefined> | DiscoveryError | undefined {
    const misplaced = this.#misplaced();
    if (misplaced !== undefined) return this.#telling(misplaced);
    if (this.#told === undefined && this.#room.has(print)) return undefined;
    return this.#prepared(print);
  }

  /** A transaction is on disk: why it may not be acknowledged all the same. */
  committed(): DiscoveryError | undefined {
    const misplaced = this.#misplaced();
    return misplaced === undefined
      ? undefined
      : this.#telling(unavailable(`the change may be lost: ${misplaced.message}`));
  }

  /** A transaction failed: LMDB is not asked again before the disk has taken something. */
  failed(error: unknown): DiscoveryError {
    const fault = this.#fault(error);
    this.#broken = troubled(fault);
    return this.#telling(fault);
  }

  /** For the end of a sentence. */
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
      }
    } catch (error) {
      return this.failed(error);
    }
    this.#broken = undefined;
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

  #misplaced(): DiscoveryError | undefined {
    if (this.#file.isInPlace()) return undefined;
    return unavailable(
      'the data directory was removed, renamed or replaced under the running service, which takes no writes until it is back in its place',
    );
  }

  #fault(error: unknown): DiscoveryError {
    return unavailable(`nothing was changed, as the store could not write: ${this.causeOf(error)}`, error);
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
