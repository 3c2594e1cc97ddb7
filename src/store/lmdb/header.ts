import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { Checker, DATABASE_BYTES } from './check.ts';
import { damaged } from './codec.ts';
import { unavailable } from './fault.ts';

// LMDB maps its file and trusts it: a foreign, garbled or shortened one would end the process with a signal
// instead of an error. So its two meta pages, and then its trees, are read by hand first.

const META_BYTES = 160;
const MAGIC = 0xbeefc0de;
/** The layout of the LMDB that comes with the lmdb package. */
const DATA_VERSION = 2;
const META_PAGE = 0x08;
const MAX_PAGE_SIZE = 65_536;

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
    const newest =
      first.readBigUInt64LE(AT.transaction) >= second.readBigUInt64LE(AT.transaction) ? first : second;
    const pages = Number(newest.readBigUInt64LE(AT.lastPage)) + 1;
    // Pages at the end that are free may be missing, so how long the file must be only its trees tell.
    if (pages < 2 || pages > 2 ** 40 / pageSize) throw notOurs(file);
    const checker = new Checker(fd, pageSize, pages);
    checker.database(newest.subarray(AT.free, AT.free + DATABASE_BYTES), 'free');
    checker.database(newest.subarray(AT.main, AT.main + DATABASE_BYTES), 'main');
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
  return page;
}

function notOurs(file: string): Error {
  return unavailable(
    `${file} is damaged or was not written by etcd-discovery; restore it from a backup, or choose an empty data directory`,
  );
}
