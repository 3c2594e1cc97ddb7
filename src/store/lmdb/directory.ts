import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { unavailable } from '../refusals.ts';
import { isOwnerSocket } from './claim.ts';
import { makeDirectories } from './make-directories.ts';

/** More than a first start writes. */
const PROBE_BYTES = 131_072;

/** Exists until a new directory has its data. */
const FIRST_START = 'first-start';
/** Files that may exist in a directory besides our data, or be left by an interrupted first start. */
const NOBODYS = /^(lost\+found|lock\.mdb|first-start|probe-[0-9a-f]{8}|restore-[0-9a-f]{8})$/;
/** Files that a restore keeps aside. */
const BEFORE = /^data\.mdb\.before-/;

/** Numeric, because user names mean nothing in a container: volumes are assigned to numbers. */
export function thisUser(): string {
  const uid = process.getuid?.();
  return uid === undefined ? 'this user' : `this user (uid ${uid})`;
}

/** Creates the data directory if necessary. Throws STORE_UNAVAILABLE if this process cannot use it. */
export function makeDirectory(directory: string): void {
  try {
    makeDirectories(directory, 0o700);
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    readdirSync(directory);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw unavailable(
        `the data directory ${directory} or a parent of it is a file; choose a directory`,
        error,
      );
    }
    if (code === 'EACCES' || code === 'EPERM') {
      throw unavailable(
        `permission denied: ${thisUser()} cannot create or write the data directory ${directory}; change its owner (chown), or choose another one`,
        error,
      );
    }
    // The parent exists: its file system does not allow new directories.
    if (code === 'ENOENT') {
      throw unavailable(
        `cannot create the data directory ${directory}: its file system does not allow new directories; choose another one`,
        error,
      );
    }
    if (code === 'EROFS') {
      throw unavailable(
        `the data directory ${directory} is on a read-only file system; choose another one`,
        error,
      );
    }
    throw unavailable(
      `the data directory ${directory} cannot be used (${message}); choose another one`,
      error,
    );
  }
}

/** A directory without our data must be empty, so that ours is not mixed with that of others. */
export function refuseForeign(directory: string, purpose: 'START' | 'RESTORE' = 'START'): void {
  const found = readdirSync(directory).filter((name) => !NOBODYS.test(name) && !isOwnerSocket(name));
  if (found.length === 0 || found.includes('data.mdb')) return;
  const [before] = found.filter((name) => BEFORE.test(name));
  if (before !== undefined && found.every((name) => BEFORE.test(name))) {
    if (purpose === 'RESTORE') return;
    throw unavailable(
      `a restore in ${directory} moved the old data aside but did not finish; run restore again, or rename ${before} to data.mdb`,
    );
  }
  const names = found.slice(0, 3).join(', ') + (found.length > 3 ? ', ...' : '');
  const whose = found.includes('member') ? 'looks like the data directory of an etcd node' : 'is not empty';
  throw unavailable(
    `${directory} ${whose} and has no data of etcd-discovery (it contains ${names}); choose an empty or new data directory`,
  );
}

/**
 * A start needs space for a commit, and LMDB for its lock file, which it writes through mapped memory:
 * without space, that kills the process with a signal.
 */
export function checkSpace(directory: string, id: string): void {
  const path = join(directory, `probe-${id}`);
  const fd = openSync(path, 'wx', 0o600);
  try {
    unlinkSync(path);
    writeFileSync(fd, Buffer.alloc(PROBE_BYTES));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Records that a new directory is about to get its data. Throws if the data file is empty without such a
 * record: it had data and was truncated.
 */
export function beginFirstStart(dataFile: string): void {
  const note = join(dirname(dataFile), FIRST_START);
  const size = statSync(dataFile, { throwIfNoEntry: false })?.size;
  if (size === undefined) writeFileSync(note, '', { mode: 0o600 });
  if (size !== 0 || existsSync(note)) return;
  throw unavailable(
    `${dataFile} is empty: its data is lost, unless the first start was interrupted; restore a backup, or remove the file to start with an empty store`,
  );
}

/** Called when the data exists. */
export function endFirstStart(directory: string): void {
  rmSync(join(directory, FIRST_START), { force: true });
}

/** Flushes a file or directory: a new file survives a power failure only if its directory is on disk too. */
export function syncToDisk(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
