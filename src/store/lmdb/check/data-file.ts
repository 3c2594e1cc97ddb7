import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { unavailable } from '../../refusals.ts';
import { Checker, checkFlags, DATABASE_BYTES } from './pages.ts';
import { damagedFile } from './refusals.ts';

// LMDB maps its file and trusts it: a foreign, corrupted or truncated file would kill the process with a
// signal instead of an error. Its two meta pages and then its trees are therefore checked by hand first. This
// cannot detect a change within a key or value that keeps its length; the checksums of the records do.

const META_BYTES = 160;
const MAGIC = 0xbeefc0de;
/** The file format of the LMDB in the lmdb package. */
const DATA_VERSION = 2;
const META_PAGE = 0x08;
const MAX_PAGE_SIZE = 65_536;
/** A terabyte with the usual page size: far more than the allowed number of tokens needs. */
const MOST_PAGES = 2 ** 28;
/** Marks the tree of free pages. */
const INTEGER_KEYS = 0x08;

// Offsets in a meta page: a page header of 24 bytes, then MDB_meta.
const AT = { flags: 18, magic: 24, version: 28, free: 48, main: 96, lastPage: 144, transaction: 152 };

/** Throws unless the file is a complete and undamaged LMDB file, empty, or missing. */
export function checkDataFile(file: string): void {
  if (!existsSync(file)) return;
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    // Created but never written: the process was stopped right after creating it.
    if (size === 0) return;
    const first = meta(fd, file, 0);
    // The field is md_pad of the first database.
    const pageSize = first.readUInt32LE(AT.free);
    const isPowerOfTwo = (pageSize & (pageSize - 1)) === 0;
    if (!isPowerOfTwo || pageSize < 256 || pageSize > MAX_PAGE_SIZE) throw notOurs(file);
    const second = meta(fd, file, pageSize);
    if (second.readUInt32LE(AT.free) !== pageSize)
      throw damagedFile('its meta pages have different page sizes');
    const [even, odd] = [first, second].map((page) => page.readBigUInt64LE(AT.transaction)) as [
      bigint,
      bigint,
    ];
    // Transactions alternate between the two pages, and only a new file has no second transaction.
    const isInTurn = even % 2n === 0n && (odd === 0n ? even === 0n : odd === even + 1n || odd === even - 1n);
    if (!isInTurn) throw damagedFile('its meta pages are not from two successive transactions');
    const newest = even > odd ? first : second;
    const pages = Number(newest.readBigUInt64LE(AT.lastPage)) + 1;
    // Only the trees tell how long the file must be: free pages at its end may be missing.
    if (pages < 2 || pages > MOST_PAGES) throw damagedFile('its page count is impossible');
    const checker = new Checker(fd, pageSize, pages, even > odd ? even : odd);
    checker.database(newest.subarray(AT.free, AT.free + DATABASE_BYTES), 'free', INTEGER_KEYS);
    checker.database(newest.subarray(AT.main, AT.main + DATABASE_BYTES), 'main', 0);
    checker.finish();
  } finally {
    closeSync(fd);
  }
}

function meta(fd: number, file: string, position: number): Buffer {
  const page = Buffer.alloc(META_BYTES);
  const length = readSync(fd, page, 0, META_BYTES, position);
  if (length < META_BYTES) throw damagedFile('the file is truncated');
  if ((page.readUInt16LE(AT.flags) & META_PAGE) === 0 || page.readUInt32LE(AT.magic) !== MAGIC) {
    throw notOurs(file);
  }
  if ((page.readUInt32LE(AT.version) & 0xffff) !== DATA_VERSION) throw notOurs(file);
  checkFlags(page.subarray(AT.free), 'free', INTEGER_KEYS);
  return page;
}

function notOurs(file: string): Error {
  return unavailable(
    `${file} is damaged or was not written by etcd-discovery; restore it from a backup, or choose an empty data directory`,
  );
}
