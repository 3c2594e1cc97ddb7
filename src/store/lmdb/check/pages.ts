import { cutShort, HEADER, PageFile, wrong } from './page-file.ts';
import { damagedFile, foreign } from './refusals.ts';

// Walks the trees of an LMDB file by hand: every page that the newest transaction reaches must be in the
// file, have the type that its parent expects, and be used once. Leaves are nearly all of the file and are
// read in file order: half a second per gigabyte from the page cache, and at read-ahead speed from a disk.

const NODE_HEADER = 8;
const BRANCH = 0x01;
const LEAF = 0x02;
const OVERFLOW = 0x04;
const BIG_DATA = 0x01;
const SUB_DATABASE = 0x02;
const BIG_DATA_BYTES = 24;
const NO_ROOT = 0xffff_ffff_ffff_ffffn;
/** How the last transaction was flushed: set by tools that open the file with other options. */
const OVERLAPPING_SYNC = 0x1000;
/** The size of MDB_db in bytes, and the offsets of its fields. */
export const DATABASE_BYTES = 48;
const AT = { flags: 4, depth: 6, branches: 8, leaves: 16, overflows: 24, entries: 32, root: 40 };

const DATABASE_NAMES: ReadonlySet<string> = new Set(['meta', 'clusters', 'events', 'ends', 'places']);

const USED = 1;
const FREE = 2;

/** Pages held in memory while the rest is read: 1 MiB with pages of 4 KiB. */
const PAGES_AT_ONCE = 256;

interface Tree {
  readonly name: string;
  readonly depth: number;
  /** The counts in its record. */
  readonly said: Counts;
  readonly found: { -readonly [Name in keyof Counts]: number };
}

interface Counts {
  readonly branches: number;
  readonly leaves: number;
  readonly overflows: number;
  readonly entries: number;
}

/** Checker walks the trees of one LMDB file. Throws if it is damaged, or the data of another program. */
export class Checker {
  readonly #file: PageFile;
  readonly #pageSize: number;
  /** The state of each page of the newest transaction: 0 (not seen yet), USED or FREE. */
  readonly #found: Uint8Array;
  /** The leaves still to be read: the number of their tree, from 1. */
  readonly #unread: Uint8Array;
  readonly #trees: Tree[] = [];
  readonly #levels: Buffer[] = [];

  /** `pages` includes the two meta pages. */
  constructor(fd: number, pageSize: number, pages: number, transaction: bigint) {
    this.#file = new PageFile(fd, pageSize, transaction);
    this.#pageSize = pageSize;
    this.#found = new Uint8Array(pages).fill(USED, 0, 2);
    this.#unread = new Uint8Array(pages);
  }

  /** Checks the tree of an MDB_db record and, for the main tree, those of its named databases. */
  database(record: Buffer, name: string, flags: number): void {
    checkFlags(record, name, flags);
    const root = record.readBigUInt64LE(AT.root);
    const said = (at: number): number => Number(record.readBigUInt64LE(at));
    const tree: Tree = {
      name,
      depth: record.readUInt16LE(AT.depth),
      said: {
        branches: said(AT.branches),
        leaves: said(AT.leaves),
        overflows: said(AT.overflows),
        entries: said(AT.entries),
      },
      found: { branches: 0, leaves: 0, overflows: 0, entries: 0 },
    };
    this.#trees.push(tree);
    if (root !== NO_ROOT) this.#page(Number(root), 1, tree);
  }

  /** Reads the leaves of the named databases, after all trees have been walked. */
  finish(): void {
    const pages = this.#unread.length;
    const chunk = Buffer.alloc(PAGES_AT_ONCE * this.#pageSize);
    for (let first = 0; first < pages; first += PAGES_AT_ONCE) {
      const owners = this.#unread.subarray(first, first + PAGES_AT_ONCE);
      if (owners.every((owner) => owner === 0)) continue;
      const length = this.#file.readAt(first * this.#pageSize, chunk);
      for (const [i, owner] of owners.entries()) {
        const tree = this.#trees[owner - 1];
        if (tree === undefined) continue;
        const end = (i + 1) * this.#pageSize;
        if (end > length) throw cutShort(first + i, tree.name);
        this.#nodes(chunk.subarray(end - this.#pageSize, end), first + i, tree.depth, tree);
      }
    }
    for (const { name, said, found } of this.#trees) {
      const isWhole =
        said.branches === found.branches &&
        said.leaves === found.leaves &&
        said.overflows === found.overflows &&
        said.entries === found.entries;
      if (!isWhole) throw damagedFile(`pages or entries of ${name} are missing`);
    }
  }

  #page(number: number, level: number, tree: Tree): void {
    this.#use(number, 1, tree);
    if (level >= tree.depth && DATABASE_NAMES.has(tree.name)) {
      this.#unread[number] = this.#trees.indexOf(tree) + 1;
      return;
    }
    const page = (this.#levels[level] ??= Buffer.alloc(this.#pageSize));
    this.#file.read(page, number, tree.name);
    this.#nodes(page, number, level, tree);
  }

  #nodes(page: Buffer, number: number, level: number, tree: Tree): void {
    const kind = level < tree.depth ? BRANCH : LEAF;
    this.#file.checkHeader(page, number, kind, tree.name);
    const lower = page.readUInt16LE(20);
    const upper = page.readUInt16LE(22);
    const nodes = lower / 2;
    if (!Number.isInteger(nodes) || lower > upper || nodes < (kind === BRANCH ? 2 : 1))
      throw wrong(number, tree.name);
    if (kind === BRANCH) tree.found.branches += 1;
    else tree.found.leaves += 1;
    // The nodes fill the page from `upper` to its end without gaps.
    let bytes = 0;
    for (let i = 0; i < nodes; i++) {
      const at = page.readUInt16LE(HEADER + 2 * i) + HEADER;
      if (at < upper + HEADER || at + NODE_HEADER > this.#pageSize) throw wrong(number, tree.name);
      const keyEnd = at + NODE_HEADER + page.readUInt16LE(at + 6);
      if (keyEnd > this.#pageSize) throw wrong(number, tree.name);
      let end = keyEnd;
      if (kind === BRANCH) this.#page(page.readUIntLE(at, 6), level + 1, tree);
      else end = this.#leafNode(page, at, keyEnd, number, tree);
      bytes += (end - at + 1) & ~1;
    }
    if (bytes !== this.#pageSize - HEADER - upper) throw wrong(number, tree.name);
  }

  /** Returns the end of the node. */
  #leafNode(page: Buffer, at: number, keyEnd: number, number: number, tree: Tree): number {
    tree.found.entries += 1;
    const size = page.readUInt32LE(at);
    const flags = page.readUInt16LE(at + 4);
    const end = keyEnd + (flags === BIG_DATA ? BIG_DATA_BYTES : size);
    if (end > this.#pageSize || keyEnd === at + NODE_HEADER) throw wrong(number, tree.name);
    if (tree.name === 'main') {
      const name = page.toString('latin1', at + NODE_HEADER, keyEnd).replace(/\0$/, '');
      if (flags !== SUB_DATABASE || !DATABASE_NAMES.has(name)) throw foreign();
      if (size !== DATABASE_BYTES) throw wrong(number, tree.name);
      // Copied, because the walk of the subtree uses the same buffers.
      const copy = Buffer.from(page);
      this.database(copy.subarray(keyEnd, end), name, 0);
      copy.copy(page);
      return end;
    }
    if (flags !== 0 && flags !== BIG_DATA) throw wrong(number, tree.name);
    const position = flags === BIG_DATA ? this.#overflow(page, keyEnd, size, tree) : undefined;
    if (tree.name === 'free')
      this.#freePages(this.#value(page.subarray(keyEnd, end), position, size), number, tree);
    return end;
  }

  /**
   * A list of free pages: its length, then page numbers, -n before the first of n consecutive pages, and
   * zeros.
   */
  #freePages(list: Buffer, number: number, tree: Tree): void {
    const count = list.length < 8 ? -1 : Number(list.readBigInt64LE(0));
    if (count < 0 || 8 * (count + 1) > list.length) throw wrong(number, tree.name);
    let run = 1;
    for (let i = 1; i <= count; i++) {
      const each = Number(list.readBigInt64LE(8 * i));
      if (each < 0) run = -each;
      if (each <= 0) continue;
      if (each < 2 || each + run > this.#found.length) throw wrong(number, tree.name);
      for (let page = each; page < each + run; page++) this.#find(page, FREE);
      run = 1;
    }
  }

  #value(inNode: Buffer, position: number | undefined, size: number): Buffer {
    if (position === undefined) return inNode;
    const value = Buffer.alloc(size);
    this.#file.readAt(position, value);
    return value;
  }

  /** Returns the offset of the value in the file. */
  #overflow(page: Buffer, at: number, size: number, tree: Tree): number {
    const first = Number(page.readBigUInt64LE(at));
    const count = Number(page.readBigUInt64LE(at + 16));
    // A value that became smaller keeps its pages.
    if (count * this.#pageSize < HEADER + size) throw wrong(first, tree.name);
    this.#use(first, count, tree);
    tree.found.overflows += count;
    const header = Buffer.alloc(HEADER);
    this.#file.read(header, first, tree.name);
    this.#file.checkHeader(header, first, OVERFLOW, tree.name);
    if (header.readUInt32LE(20) !== count) throw wrong(first, tree.name);
    this.#file.requirePage(first + count - 1, tree.name);
    return first * this.#pageSize + HEADER;
  }

  #use(first: number, count: number, tree: Tree): void {
    if (first < 2 || first + count > this.#found.length) throw wrong(first, tree.name);
    for (let number = first; number < first + count; number++) this.#find(number, USED);
  }

  #find(number: number, as: typeof USED | typeof FREE): void {
    const before = this.#found[number];
    // LMDB may list a free page twice, and uses it once.
    if (before !== 0 && (before !== FREE || as !== FREE)) throw damagedFile(`page ${number} is used twice`);
    this.#found[number] = as;
  }
}

/** Unexpected flags belong to options that this program does not use. */
export function checkFlags(record: Buffer, name: string, flags: number): void {
  if ((record.readUInt16LE(AT.flags) & ~OVERLAPPING_SYNC) === flags) return;
  throw damagedFile(`${name} has unexpected flags`);
}
