import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DataFile } from './data-file.ts';
import type { Footprint } from './footprint.ts';

// LMDB sometimes ends the process when it cannot write a page, because it prints a message into a buffer that
// is too small (see `overran`). It must therefore never meet a full disk, a quota or a file size limit: the file
// is extended in advance by writing zeros after its last page, and a transaction starts only if all that it may
// write fits in there.

const MIB = 1_048_576;
/**
 * Bytes that every transaction writes, however small: the paths to the root of each tree, and the list of free
 * pages.
 */
const TRANSACTION_BYTES = 262_144;
/** By how much the file is extended when necessary: a quarter, within these bounds. */
const STEP_BYTES = { least: MIB, most: 8 * MIB } as const;
/** For deletions and the sweep, when there is no room for anything else. */
const RESERVE_BYTES = { least: MIB, most: 32 * MIB } as const;
/**
 * File systems that overwrite a block by writing another one: btrfs, ZFS, bcachefs. Writing in advance has no
 * use there.
 */
const COPY_ON_WRITE = new Set([0x9123683e, 0x2fc12fc1, 0xca451a4e]);

/** Usage is how much of the file is used, in bytes. */
export interface Usage {
  /** The end of its last page. */
  readonly end: number;
  /** The free pages among them. */
  readonly free: number;
}

/** Room is the space for LMDB's writes. Use it only between transactions. */
export class Room {
  readonly #file: DataFile;
  readonly #usage: () => Usage;
  readonly #directory: string;
  readonly #isCopyOnWrite: boolean;
  /** Nothing of LMDB's is after this offset. */
  #end: number;
  /** Free bytes before it at the last check. */
  #unused: number;
  /** The file is allocated on disk up to this offset. */
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

  /** Returns the bytes that transactions may still write: allocated, and free on the disk. */
  left(): number {
    return Math.max(0, this.#allocated - this.#end) + this.#free();
  }

  /** Whether there is room for a transaction already. If so, it is reserved. */
  has(print: Footprint): boolean {
    const live = this.#end - this.#unused;
    const bytes = needOf(print, live);
    const keep = print.grows ? reserveOf(live) : 0;
    if (this.#isCopyOnWrite || this.#end + bytes + keep > this.#allocated) return false;
    this.#end += bytes;
    return true;
  }

  /** Makes room for a transaction, and reserves it. Throws the system's error if there is none. */
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
      // The sweep has freed space in the file itself. A free page may still be used by a reader, so for this
      // transaction there must also be enough after the last page.
      const isFree = free + this.#allocated - end >= 2 * bytes + reserve;
      if (!isFree || end + bytes > this.#allocated) throw error;
    }
    this.#end += bytes;
  }

  /** Writes where LMDB does not, and throws if the disk does not accept it. */
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

/** A transaction writes no tree page twice, so if few are in use, few are written. */
function needOf({ pages, bytes }: Footprint, live: number): number {
  return TRANSACTION_BYTES + Math.min(pages * 4096, 2 * live) + 2 * bytes;
}

function reserveOf(live: number): number {
  return Math.min(Math.max(2 * live + 2 * TRANSACTION_BYTES, RESERVE_BYTES.least), RESERVE_BYTES.most);
}

function stepOf(end: number): number {
  return Math.min(Math.max(end / 4, STEP_BYTES.least), STEP_BYTES.most) & ~4095;
}
