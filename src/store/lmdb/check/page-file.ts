import { readSync } from 'node:fs';
import { damaged } from './refusals.ts';

/** Bytes of a page's header. */
export const HEADER = 24;

/** The pages of an LMDB file, read by number and without LMDB. */
export class PageFile {
  readonly #fd: number;
  readonly #pageSize: number;
  /** No page is of a later one. */
  readonly #transaction: bigint;

  constructor(fd: number, pageSize: number, transaction: bigint) {
    this.#fd = fd;
    this.#pageSize = pageSize;
    this.#transaction = transaction;
  }

  /** Returns how many bytes are there. */
  readAt(position: number, into: Buffer): number {
    return readSync(this.#fd, into, 0, into.length, position);
  }

  /** The page with this number in the tree of that name, or as much of it as there is room for. */
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

  /** Its last byte is in the file. */
  requirePage(number: number, tree: string): void {
    if (this.readAt((number + 1) * this.#pageSize - 1, Buffer.alloc(1)) < 1) throw cutShort(number, tree);
  }
}

export function wrong(page: number, tree: string): Error {
  return damaged(`page ${page} of ${tree} is not what it should be`);
}

export function cutShort(page: number, tree: string): Error {
  return damaged(`the file is cut short: it lacks page ${page} of ${tree}`);
}
