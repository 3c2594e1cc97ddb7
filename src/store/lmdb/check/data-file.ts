import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { unavailable } from '../../refusals.ts';
import { Checker, checkFlags, DATABASE_BYTES } from './pages.ts';
import { damaged } from './refusals.ts';

// LMDB maps its file and trusts it: a foreign, garbled or shortened one would end the process with a signal
// instead of an error. So its two meta pages, and then its trees, are read by hand first. What that cannot
// see is a change within a key or a value that keeps its length, which the checksums of the records tell of.

const META_BYTES = 160;
const MAGIC = 0xbeefc0de;
/** The layout of the LMDB that comes with the lmdb package. */
const DATA_VERSION = 2;
const META_PAGE = 0x08;
const MAX_PAGE_SIZE = 65_536;
/** A terabyte of the usual pages: far more than the tokens that are allowed come to. */
const MOST_PAGES = 2 ** 28;
/** What the tree of free pages is marked with. */
const INTEGER_KEYS = 0x08;

// Offsets in a meta page: a page header of 24 bytes, then MDB_meta.
const AT = { flags: 18, magic: 24, version: 28, free: 48, main: 96, lastPage: 144, transaction: 152 };

/** Throws unless the file is a whole and undamaged LMDB file, empty or not there. */
export function checkDataFile(file: string): void {
  if (!existsSync(file)) return;
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    // Made, and never written: the process that made it was stopped right then.
    if (size === 0) return;
    const first = meta(fd, file, 0);
    // The field is md_pad of the first database.
    const pageSize = first.readUInt32LE(AT.free);
    const isPowerOfTwo = (pageSize & (pageSize - 1)) === 0;
    if (!isPowerOfTwo || pageSize < 256 || pageSize > MAX_PAGE_SIZE) throw notOurs(file);
    const second = meta(fd, file, pageSize);
    if (second.readUInt32LE(AT.free) !== pageSize) throw damaged('its meta pages tell of two page sizes');
    const [even, odd] = [first, second].map((page) => page.readBigUInt64LE(AT.transaction)) as [
      bigint,
      bigint,
    ];
    // Transactions take turns with the two pages, and only a new file has none of the second.
    const isInTurn = even % 2n === 0n && (odd === 0n ? even === 0n : odd === even + 1n || odd === even - 1n);
    if (!isInTurn) throw damaged('its meta pages are not of two transactions in turn');
    const newest = even > odd ? first : second;
    const pages = Number(newest.readBigUInt64LE(AT.lastPage)) + 1;
    // How long the file must be only its trees tell: pages at its end that are free may be missing.
    if (pages < 2 || pages > MOST_PAGES) throw damaged('it has a page count that cannot be');
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
  if (length < META_BYTES) throw damaged('the file is cut short');
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
