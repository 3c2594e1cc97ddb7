import { readSync } from 'node:fs';
import { damagedFile } from './refusals.ts';

/** Bytes of a page's header. */
export const HEADER = 24;

/** PageFile reads the pages of an LMDB file by number, without LMDB. */
export class PageFile {
  readonly #fd: number;
  readonly #pageSize: number;
  /** No page may be newer than this transaction. */
  readonly #transaction: bigint;

  constructor(fd: number, pageSize: number, transaction: bigint) {
    this.#fd = fd;
    this.#pageSize = pageSize;
    this.#transaction = transaction;
  }

  /** Returns the number of bytes read. */
  readAt(position: number, into: Buffer): number {
    return readSync(this.#fd, into, 0, into.length, position);
  }

  /** Reads the page with this number, as part of the named tree, or as much of it as the buffer holds. */
  read(into: Buffer, number: number, tree: string): void {
    if (this.readAt(number * this.#pageSize, into) < into.length) throw cutShort(number, tree);
  }

  checkHeader(page: Buffer, number: number, kind: number, tree: string): void {
    const isRight =
      Number(page.readBigUInt64LE(0)) === number &&
      page.readBigUInt64LE(8) <= this.#transaction &&
      page.readUInt16LE(18) === kind;
    if (!isRight) throw wrong(number, tree);
  }

  /** Throws unless the file contains the last byte of the page. */
  requirePage(number: number, tree: string): void {
    if (this.readAt((number + 1) * this.#pageSize - 1, Buffer.alloc(1)) < 1) throw cutShort(number, tree);
  }
}

export function wrong(page: number, tree: string): Error {
  return damagedFile(`page ${page} of ${tree} is invalid`);
}

export function cutShort(page: number, tree: string): Error {
  return damagedFile(`the file is truncated: page ${page} of ${tree} is missing`);
}
