import { readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DiscoveryError } from '../../discovery/errors.ts';
import { storeRefusalOf, unavailable } from '../refusals.ts';
import { damagedFile } from './check/refusals.ts';

// LMDB's own codes, and the errno values of Linux and macOS that its system calls return.
const PANIC = -30795;
const DAMAGE_CODES = new Set([-30797, -30796, -30793, -30782, -30779]);
const READERS_FULL = -30790;
/** The size of the buffer, including the terminating zero. */
const WRITE_ERROR_BYTES = 100;
/** Less than the smallest commits need. */
const FULL_BYTES = 65_536;
const CAUSES: Readonly<Record<number, string>> = {
  [28]: 'the disk of the data directory is full; free some space',
  [122]: 'the disk quota of the data directory is used up; raise it or free some space',
  [69]: 'the disk quota of the data directory is used up; raise it or free some space',
  [27]: 'the data file has reached the file size limit of this process; raise the limit (ulimit -f)',
  [30]: 'the data directory is on a read-only file system; remount it read-write',
  [12]: 'out of memory for the data file; give the service more memory',
  [13]: 'permission denied: this user cannot write the data directory; change its owner (chown)',
  [24]: 'too many open files; raise the limit (ulimit -n)',
};

/** Returns LMDB's code or the errno, whether the error comes from lmdb or from Node.js. */
export function codeOf(error: unknown): number | undefined {
  const { code, errno } = (error ?? {}) as { code?: unknown; errno?: unknown };
  if (typeof code === 'number') return code;
  return typeof errno === 'number' ? -errno : undefined;
}

/** Whether LMDB has given up its environment, which then serves neither reads nor writes. */
export function isPanic(error: unknown): boolean {
  // Reads report this with the code of an invalid argument.
  return codeOf(error) === PANIC || (error instanceof Error && error.message.includes('MDB_PANIC'));
}

/**
 * Whether LMDB wrote past the end of its buffer when it failed to write a page. The heap of this process may then
 * be corrupt, so it must exit. LMDB 3.5.6 formats this text into 100 bytes but needs 83 to 125, because the last
 * numbers are uninitialised memory. The data file is not affected: LMDB aborts that transaction.
 */
export function overran(error: unknown): boolean {
  const text = error instanceof Error ? /Attempting to write page .*/.exec(error.message)?.[0] : undefined;
  return text !== undefined && text.length >= WRITE_ERROR_BYTES;
}

/** Whether LMDB has found its file to be damaged. No other error proves that. */
export function isDamage(error: unknown): boolean {
  return DAMAGE_CODES.has(codeOf(error) ?? 0);
}

/** Returns why a write in a directory failed and what to do, phrased to follow a colon. */
export function writeCause(error: unknown, directory: string): string {
  const code = codeOf(error);
  const cause = code === undefined ? undefined : CAUSES[code];
  if (cause !== undefined) return cause;
  if (isDamage(error)) return damagedFile(nameOf(error)).message;
  // Not a system error: its message is all that is known.
  if (code === undefined) return error instanceof Error ? error.message : String(error);
  // A write that was cut short by a full disk or a size limit is reported as an input/output error.
  if (isFull(directory)) return CAUSES[28] as string;
  if (isAtSizeLimit(directory)) return CAUSES[27] as string;
  return `the disk of the data directory reported an error (${nameOf(error)}); check the kernel log and the disk`;
}

function nameOf(error: unknown): string {
  // Node.js names our errors, the system names LMDB's.
  if (codeOf(error) === 5) return 'Input/output error';
  return error instanceof Error ? (error.message.split(':')[0] as string) : String(error);
}

function isFull(directory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize < FULL_BYTES;
  } catch {
    return false;
  }
}

/** Only Linux tells a process its limits. Elsewhere the original error is reported. */
function isAtSizeLimit(directory: string): boolean {
  try {
    const limit = /^Max file size\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return limit !== undefined && statSync(join(directory, 'data.mdb')).size + FULL_BYTES > Number(limit);
  } catch {
    return false;
  }
}

function isOfSystem(error: unknown): boolean {
  return typeof (error as NodeJS.ErrnoException | undefined)?.code === 'string';
}

/** Converts a failure of LMDB or of decoding during a read to a DiscoveryError. */
export function readFault(error: unknown): DiscoveryError {
  if (error instanceof DiscoveryError) return error;
  const code = codeOf(error);
  const detail = error instanceof Error ? error.message : String(error);
  if (isPanic(error)) return unavailable('the store has failed; restart the service', error);
  if (code === READERS_FULL) return unavailable('too many concurrent reads; try again', error);
  if (isDamage(error)) return damagedFile(`a record cannot be read (${detail})`, error);
  // Other errors of the system or lmdb, and operations that Node.js forbids, do not prove damage.
  if (code !== undefined || isOfSystem(error)) {
    return unavailable(`the data file could not be read (${detail})`, error);
  }
  return storeRefusalOf(error);
}
