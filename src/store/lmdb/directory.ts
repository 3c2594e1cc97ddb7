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

/** There until a new directory has its data. */
const FIRST_START = 'first-start';
/** What may be in a directory beside our data, or be left of a first start that was stopped. */
const NOBODYS = /^(lost\+found|lock\.mdb|first-start|probe-[0-9a-f]{8}|restore-[0-9a-f]{8})$/;
/** What a restore keeps aside. */
const BEFORE = /^data\.mdb\.before-/;

/** In a container the name of the user says nothing: a volume is given to a number. */
export function thisUser(): string {
  const uid = process.getuid?.();
  return uid === undefined ? 'this user' : `this user (uid ${uid})`;
}

/** Makes the data directory if need be. Throws STORE_UNAVAILABLE when this process cannot use it. */
export function makeDirectory(directory: string): void {
  try {
    makeDirectories(directory, 0o700);
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    readdirSync(directory);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw unavailable(`the data directory ${directory} is a file, or is in one; choose a directory`, error);
    }
    if (code === 'EACCES' || code === 'EPERM') {
      throw unavailable(
        `the data directory ${directory} may not be made or written by ${thisUser()}; give it the rights (chown), or choose another one`,
        error,
      );
    }
    // The one above is there: its file system takes none.
    if (code === 'ENOENT') {
      throw unavailable(
        `the data directory ${directory} cannot be made: its file system takes no new directories; choose another one`,
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

/** A directory without our data has to be empty: ours must not be mixed with that of others. */
export function refuseForeign(directory: string, purpose: 'START' | 'RESTORE' = 'START'): void {
  const found = readdirSync(directory).filter((name) => !NOBODYS.test(name) && !isOwnerSocket(name));
  if (found.length === 0 || found.includes('data.mdb')) return;
  const [before] = found.filter((name) => BEFORE.test(name));
  if (before !== undefined && found.every((name) => BEFORE.test(name))) {
    if (purpose === 'RESTORE') return;
    throw unavailable(
      `the data in ${directory} was kept aside and nothing was put in its place; restore a backup again, or rename ${before} to data.mdb`,
    );
  }
  const names = found.slice(0, 3).join(', ') + (found.length > 3 ? ', ...' : '');
  const whose = found.includes('member') ? 'looks like the data directory of an etcd node' : 'is not empty';
  throw unavailable(
    `${directory} ${whose} and holds no data of etcd-discovery (it has ${names}); choose an empty or new data directory`,
  );
}

/**
 * A start needs room for a commit, and LMDB for its lock file, which it writes through memory: without room
 * that ends the process with a signal.
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
 * Notes that a new directory is about to get its data. Throws when the data file is empty without such a note: it had
 * data then, and was cut to nothing.
 */
export function beginFirstStart(dataFile: string): void {
  const note = join(dirname(dataFile), FIRST_START);
  const size = statSync(dataFile, { throwIfNoEntry: false })?.size;
  if (size === undefined) writeFileSync(note, '', { mode: 0o600 });
  if (size !== 0 || existsSync(note)) return;
  throw unavailable(
    `${dataFile} is empty: what was in it is gone, unless its first start was stopped; restore a backup, or remove the file to begin with an empty store`,
  );
}

/** The data is there. */
export function endFirstStart(directory: string): void {
  rmSync(join(directory, FIRST_START), { force: true });
}

/** A file or a directory: a new file is found after a power failure only when its directory is on disk too. */
export function syncToDisk(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
