import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { unavailable } from './fault.ts';

// LMDB maps its file and trusts it: a foreign, garbled or shortened one would end the process with a signal
// instead of an error. So its two meta pages are read by hand first.

const META_BYTES = 160;
const MAGIC = 0xbeefc0de;
/** The layout of the LMDB that comes with the lmdb package. */
const DATA_VERSION = 2;
const META_PAGE = 0x08;
const MAX_PAGE_SIZE = 65_536;

// Offsets in a meta page: a page header of 24 bytes, then MDB_meta.
const AT = { flags: 18, magic: 24, version: 28, pageSize: 48, lastPage: 144, transaction: 152 };

/** Throws when the file is there and is not a whole LMDB file. */
export function checkDataFile(file: string): void {
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    // Made, and never written: the process that made it was stopped right then.
    if (size === 0) return;
    const first = meta(fd, file, 0);
    const pageSize = first.readUInt32LE(AT.pageSize);
    const isPowerOfTwo = (pageSize & (pageSize - 1)) === 0;
    if (!isPowerOfTwo || pageSize < 256 || pageSize > MAX_PAGE_SIZE) throw notOurs(file);
    const second = meta(fd, file, pageSize);
    const newer =
      first.readBigUInt64LE(AT.transaction) >= second.readBigUInt64LE(AT.transaction) ? first : second;
    const needed = (newer.readBigUInt64LE(AT.lastPage) + 1n) * BigInt(pageSize);
    if (BigInt(size) < needed) throw cutShort(file, size, needed);
  } finally {
    closeSync(fd);
  }
}

function meta(fd: number, file: string, position: number): Buffer {
  const page = Buffer.alloc(META_BYTES);
  const length = readSync(fd, page, 0, META_BYTES, position);
  if (length < META_BYTES) throw cutShort(file, position + length, BigInt(position + META_BYTES));
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

function cutShort(file: string, size: number, needed: bigint): Error {
  return unavailable(
    `${file} is cut short: it has ${size} bytes where ${needed} belong; restore it from a backup, or start with an empty data directory`,
  );
}
