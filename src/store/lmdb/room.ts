import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DataFile } from './data-file.ts';
import type { Footprint } from './footprint.ts';

// LMDB ends the process when a page cannot be written now and then, as it prints what it was doing into too small a
// buffer. So it is not let to meet a full disk, a quota or a limit on the size of files: the file is made longer ahead
// of it, by writing zeros behind its last page, and a transaction begins only when all that it may write lies in there.

const MIB = 1_048_576;
/** What every transaction writes, however small: the paths to the root of each tree, and the list of free pages. */
const TRANSACTION_BYTES = 262_144;
/** So much more at once, when there has to be more: a quarter, in between these. */
const STEP_BYTES = { least: MIB, most: 8 * MIB } as const;
/** For deletions and for the sweep, when there is no room for anything else. */
const RESERVE_BYTES = { least: MIB, most: 32 * MIB } as const;
/** Those that write over a block by writing another one: btrfs, ZFS, bcachefs. What is written ahead is no use there. */
const COPY_ON_WRITE = new Set([0x9123683e, 0x2fc12fc1, 0xca451a4e]);

/** What is in use of the file, in bytes. */
export interface Usage {
  /** Where its last page ends. */
  readonly end: number;
  /** Of its pages those that are free. */
  readonly free: number;
}

/** The room for what LMDB writes. To be asked between two transactions alone. */
export class Room {
  readonly #file: DataFile;
  readonly #usage: () => Usage;
  readonly #directory: string;
  readonly #isCopyOnWrite: boolean;
  /** Behind this is nothing of LMDB's. */
  #end: number;
  /** Free before that, when it was last looked at. */
  #unused: number;
  /** Up to here the file has its place on the disk. */
  #allocated: number;

  constructor(file: DataFile, usage: () => Usage) {
    this.#file = file;
    this.#usage = usage;
    this.#directory = dirname(file.path);
    this.#isCopyOnWrite = COPY_ON_WRITE.has(statfsSync(this.#directory).type);
    const { end, free } = usage();
    this.#end = end;
    this.#unused = free;
    this.#allocated = file.allocated(this.#end);
  }

  /** What a transaction may still write, in bytes: written ahead, and free on the disk. */
  left(): number {
    return Math.max(0, this.#allocated - this.#end) + this.#free();
  }

  /** Whether there is room for a transaction without any more ado, which is then taken. */
  has(print: Footprint): boolean {
    const live = this.#end - this.#unused;
    const bytes = needOf(print, live);
    const keep = print.grows ? reserveOf(live) : 0;
    if (this.#isCopyOnWrite || this.#end + bytes + keep > this.#allocated) return false;
    this.#end += bytes;
    return true;
  }

  /** Makes room for a transaction, and takes it. Throws what the system says when there is none. */
  async make(print: Footprint): Promise<void> {
    const { end, free } = this.#usage();
    this.#end = end;
    this.#unused = free;
    this.#allocated = Math.max(this.#allocated, end);
    const bytes = needOf(print, end - free);
    const reserve = reserveOf(end - free);
    const least = end + bytes + (print.grows ? reserve : 0);
    if (this.#isCopyOnWrite) this.#requireFree(least - end);
    try {
      if (least > this.#allocated) await this.#extend(least + stepOf(end), least);
    } catch (error) {
      // The sweep has made room in the file itself. A free page may still be of use to a reader, so that for this
      // transaction there has to be enough behind the last page, too.
      const isFree = free + this.#allocated - end >= 2 * bytes + reserve;
      if (!isFree || end + bytes > this.#allocated) throw error;
    }
    this.#end += bytes;
  }

  /** Writes where LMDB does not, and throws when the disk does not take it. */
  async probe(): Promise<void> {
    const { end } = this.#usage();
    const from = Math.max(end, this.#allocated - 4096);
    await this.#file.clear(from, from + 4096);
    this.#allocated = Math.max(this.#allocated, from + 4096);
  }

  async #extend(to: number, least: number): Promise<void> {
    try {
      await this.#file.clear(this.#allocated, to, (at) => {
        this.#allocated = at;
      });
    } catch (error) {
      if (this.#allocated < least) throw error;
    }
  }

  #free(): number {
    try {
      const { bavail, bsize } = statfsSync(this.#directory);
      return bavail * bsize;
    } catch {
      return 0;
    }
  }

  #requireFree(bytes: number): void {
    if (this.#free() >= bytes) return;
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC', errno: -28 });
  }
}

/** No transaction writes a page of a tree twice: where there are few in use, few are written. */
function needOf({ pages, bytes }: Footprint, live: number): number {
  return TRANSACTION_BYTES + Math.min(pages * 4096, 2 * live) + 2 * bytes;
}

function reserveOf(live: number): number {
  return Math.min(Math.max(2 * live + 2 * TRANSACTION_BYTES, RESERVE_BYTES.least), RESERVE_BYTES.most);
}

function stepOf(end: number): number {
  return Math.min(Math.max(end / 4, STEP_BYTES.least), STEP_BYTES.most) & ~4095;
}
