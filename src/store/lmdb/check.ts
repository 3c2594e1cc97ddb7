import { readSync } from 'node:fs';
import { damaged } from './codec.ts';

// The trees of an LMDB file, walked by hand: every page that the newest transaction reaches must be in the
// file, be what its parent takes it for, and be used once. About a second for a gigabyte.

const HEADER = 24;
const NODE_HEADER = 8;
const LEAF = 0x02;
const BRANCH = 0x01;
const OVERFLOW = 0x04;
const BIG_DATA = 0x01;
const SUB_DATABASE = 0x02;
const NO_ROOT = 0xffff_ffff_ffff_ffffn;
/** Bytes of MDB_db, and where its fields stand. */
export const DATABASE_BYTES = 48;
const AT = { depth: 6, branches: 8, leaves: 16, overflows: 24, entries: 32, root: 40 };

interface Tree {
  branches: number;
  leaves: number;
  overflows: number;
  entries: number;
}

/** Walks the trees of one LMDB file. Throws when there is damage. */
export class Checker {
  readonly #fd: number;
  readonly #pageSize: number;
  readonly #pages: number;
  readonly #used: Uint8Array;
  readonly #levels: Buffer[] = [];

  /** `pages` is how many belong to the newest transaction, the two meta pages included. */
  constructor(fd: number, pageSize: number, pages: number) {
    this.#fd = fd;
    this.#pageSize = pageSize;
    this.#pages = pages;
    this.#used = new Uint8Array(pages);
    this.#used.fill(1, 0, 2);
  }

  /** Checks the tree that an MDB_db record tells of, and in the main tree those of its named databases. */
  database(record: Buffer, name: string): void {
    const root = record.readBigUInt64LE(AT.root);
    const tree: Tree = { branches: 0, leaves: 0, overflows: 0, entries: 0 };
    if (root !== NO_ROOT) this.#page(Number(root), 1, record.readUInt16LE(AT.depth), tree, name);
    const told = [AT.branches, AT.leaves, AT.overflows, AT.entries].map((at) =>
      Number(record.readBigUInt64LE(at)),
    );
    const found = [tree.branches, tree.leaves, tree.overflows, tree.entries];
    if (told.some((count, i) => count !== found[i])) throw damaged(`pages or entries of ${name} are missing`);
  }

  #page(number: number, level: number, depth: number, tree: Tree, name: string): void {
    this.#use(number, 1, name);
    const page = (this.#levels[level] ??= Buffer.alloc(this.#pageSize));
    this.#read(page, number, name);
    const kind = level < depth ? BRANCH : LEAF;
    const nodes = page.readUInt16LE(20) >> 1;
    const upper = page.readUInt16LE(22);
    if (
      Number(page.readBigUInt64LE(0)) !== number ||
      (page.readUInt16LE(18) & (BRANCH | LEAF | OVERFLOW)) !== kind ||
      nodes * 2 > upper ||
      upper > this.#pageSize - HEADER ||
      nodes < (kind === BRANCH ? 2 : 1)
    ) {
      throw damaged(`page ${number} of ${name} is not what it should be`);
    }
    if (kind === BRANCH) tree.branches += 1;
    else tree.leaves += 1;
    for (let i = 0; i < nodes; i++) {
      const at = page.readUInt16LE(HEADER + 2 * i) + HEADER;
      if (at < upper + HEADER || at + NODE_HEADER > this.#pageSize) throw outside(number, name);
      const keyEnd = at + NODE_HEADER + page.readUInt16LE(at + 6);
      if (keyEnd > this.#pageSize) throw outside(number, name);
      if (kind === BRANCH) this.#page(page.readUIntLE(at, 6), level + 1, depth, tree, name);
      else this.#leafNode(page, at, keyEnd, number, tree, name);
    }
  }

  #leafNode(page: Buffer, at: number, keyEnd: number, number: number, tree: Tree, name: string): void {
    tree.entries += 1;
    const size = page.readUInt32LE(at);
    const flags = page.readUInt16LE(at + 4);
    const isBig = (flags & BIG_DATA) !== 0;
    if (keyEnd + (isBig ? 24 : size) > this.#pageSize) throw outside(number, name);
    if (isBig) tree.overflows += this.#overflow(page, keyEnd, size, name);
    if ((flags & SUB_DATABASE) === 0) return;
    if (size !== DATABASE_BYTES || name !== 'main') throw outside(number, name);
    const key = page.toString('latin1', at + NODE_HEADER, keyEnd);
    // Its walk uses the same buffers.
    const rest = Buffer.from(page);
    this.database(rest.subarray(keyEnd, keyEnd + size), `"${key.replace(/[^ -~]/g, '')}"`);
    rest.copy(page);
  }

  #overflow(page: Buffer, at: number, size: number, name: string): number {
    const first = Number(page.readBigUInt64LE(at));
    const count = Number(page.readBigUInt64LE(at + 16));
    if (count !== Math.floor((HEADER - 1 + size) / this.#pageSize) + 1) throw outside(first, name);
    this.#use(first, count, name);
    const header = Buffer.alloc(HEADER);
    this.#read(header, first, name);
    if (
      Number(header.readBigUInt64LE(0)) !== first ||
      (header.readUInt16LE(18) & OVERFLOW) === 0 ||
      header.readUInt32LE(20) !== count
    ) {
      throw damaged(`page ${first} of ${name} is not what it should be`);
    }
    return count;
  }

  #use(first: number, count: number, name: string): void {
    if (first < 2 || first + count > this.#pages)
      throw damaged(`page ${first} of ${name} is not in the file`);
    for (let number = first; number < first + count; number++) {
      if (this.#used[number] !== 0) throw damaged(`page ${number} of ${name} is used twice`);
      this.#used[number] = 1;
    }
  }

  #read(into: Buffer, number: number, name: string): void {
    const length = readSync(this.#fd, into, 0, into.length, number * this.#pageSize);
    if (length < into.length) throw damaged(`page ${number} of ${name} is past the end of the file`);
  }
}

function outside(number: number, name: string): Error {
  return damaged(`an entry on page ${number} of ${name} leads out of it`);
}
