import { chmodSync, copyFileSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { unavailable } from '../../refusals.ts';
import { checkDataFile } from '../check/data-file.ts';
import { hasOwner } from '../claim.ts';
import { syncToDisk } from '../directory.ts';
import { openBeside } from '../open.ts';
import { inspectFile } from './inspect.ts';
import { removedFile } from './open-file.ts';
import type { Contents } from './records.ts';

/**
 * Copies a data directory to a new file, as of one moment after the call: every write acknowledged before is
 * included. The process that owns the directory keeps running. If its data file was removed from the
 * directory, the removed file is copied. Resolves with the contents of the copy, which is on disk and
 * checked.
 */
export async function backUp(directory: string, file: string): Promise<Contents> {
  const target = resolve(file);
  if (existsSync(target)) {
    throw unavailable(`${file} already exists and was not overwritten; choose another name`);
  }
  const removed = removedFile(directory);
  // LMDB trusts its file. The file of a running owner was checked when it started.
  if (removed === undefined && !(await hasOwner(directory))) checkDataFile(join(directory, 'data.mdb'));
  const part = makePart(target);
  try {
    const copy = join(part, 'data.mdb');
    if (removed === undefined) await copyPages(directory, part);
    else copyFileSync(removed, copy);
    // Anyone who can read a token can use it.
    chmodSync(copy, 0o600);
    const contents = await inspectFile(copy);
    syncToDisk(copy);
    renameSync(copy, target);
    syncToDisk(dirname(target));
    return contents;
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

async function copyPages(directory: string, part: string): Promise<void> {
  const { env } = await openBeside(directory);
  try {
    // Page by page: a compacted copy would have meta pages that the check does not accept.
    await env.backup(part, false);
  } finally {
    await env.close();
  }
}

/** Creates a directory next to the target for the unfinished copy. */
function makePart(target: string): string {
  const directory = dirname(target);
  try {
    return mkdtempSync(join(directory, `.${basename(target)}-`));
  } catch (error) {
    // The path in the error should be the missing or protected directory, not the name that was tried.
    throw Object.assign(error as NodeJS.ErrnoException, { path: directory });
  }
}
