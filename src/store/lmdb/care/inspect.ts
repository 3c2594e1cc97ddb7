import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { unavailable } from '../../refusals.ts';
import { checkDataFile } from '../check/data-file.ts';
import { hasOwner } from '../claim.ts';
import { openBeside } from '../open.ts';
import { type Contents, checkRecords } from './records.ts';

/** Checks a data file, page by page and record by record. Throws when it cannot be read as our data. */
export async function inspectFile(file: string): Promise<Contents> {
  if (!existsSync(file)) throw unavailable(`${file} is not there`);
  if (statSync(file).size === 0) throw unavailable(`${file} is empty`);
  // Read without the lock of its owner, who uses its pages again meanwhile, it would look damaged, or be copied so.
  if (basename(file) === 'data.mdb' && (await hasOwner(dirname(resolve(file))))) {
    throw unavailable(`${file} is in use; take a backup of its directory, or check that (--data-dir)`);
  }
  // LMDB puts its lock beside the data, where it would be in the way.
  const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-'));
  try {
    symlinkSync(resolve(file), join(directory, 'data.mdb'));
    checkDataFile(file);
    return await readRecords(directory);
  } catch (error) {
    // It is about this file, and no directory's.
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
 * Checks a data directory, and says whether a process is using it: then its pages change as they are read, and
 * only its records are checked, as they stood at one moment.
 */
export async function inspectDirectory(directory: string): Promise<Contents & { readonly isInUse: boolean }> {
  const isInUse = await hasOwner(directory);
  try {
    if (!isInUse) checkDataFile(join(directory, 'data.mdb'));
  } catch (error) {
    // Unless its owner started just now.
    if (!(await hasOwner(directory))) throw error;
  }
  return { ...(await readRecords(directory)), isInUse };
}

/** Reads beside the owner, if there is one. */
export async function readRecords(directory: string): Promise<Contents> {
  const tables = await openBeside(directory);
  try {
    return checkRecords(tables, directory);
  } finally {
    await tables.env.close();
  }
}
