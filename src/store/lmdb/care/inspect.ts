import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { unavailable } from '../../refusals.ts';
import { checkDataFile } from '../check/data-file.ts';
import { hasOwner } from '../claim.ts';
import { openBeside } from '../open.ts';
import { type Contents, checkRecords } from './records.ts';

/**
 * Checks a data file, page by page and record by record. Throws if it cannot be read as data of this program.
 */
export async function inspectFile(file: string): Promise<Contents> {
  if (!existsSync(file)) throw unavailable(`${file} does not exist`);
  if (statSync(file).size === 0) throw unavailable(`${file} is empty`);
  // Read without the lock of its owner, which keeps reusing pages, the file would look damaged or be copied
  // inconsistently.
  if (basename(file) === 'data.mdb' && (await hasOwner(dirname(resolve(file))))) {
    throw unavailable(`${file} is in use; back up its directory first, or check the directory (--data-dir)`);
  }
  // LMDB creates its lock file next to the data, where it would be in the way.
  const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-'));
  try {
    symlinkSync(resolve(file), join(directory, 'data.mdb'));
    checkDataFile(file);
    return await readRecords(directory);
  } catch (error) {
    // The error concerns this file, not a directory.
    const [what = ''] = (error as Error).message.split('; ');
    throw unavailable(
      what.replace('the data in the data directory', file).replaceAll(directory, file),
      error,
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Checks a data directory, and reports whether a process uses it. If so, its pages change while they are
 * read, and only its records are checked, as of one moment.
 */
export async function inspectDirectory(directory: string): Promise<Contents & { readonly isInUse: boolean }> {
  const isInUse = await hasOwner(directory);
  try {
    if (!isInUse) checkDataFile(join(directory, 'data.mdb'));
  } catch (error) {
    // Unless its owner has just started.
    if (!(await hasOwner(directory))) throw error;
  }
  return { ...(await readRecords(directory)), isInUse };
}

/** Reads next to the owner, if there is one. */
export async function readRecords(directory: string): Promise<Contents> {
  const tables = await openBeside(directory);
  try {
    return checkRecords(tables, directory);
  } finally {
    await tables.env.close();
  }
}
