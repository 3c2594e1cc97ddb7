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
 * Copies a data directory to a file that is not there yet, as it stands at one moment after the call: every
 * write that was acknowledged before is in it. The process that owns the directory goes on. When the file that it
 * uses was removed from there, that one is copied. Resolves with what is in the copy, which is on disk and has been
 * checked.
 */
export async function backUp(directory: string, file: string): Promise<Contents> {
  const target = resolve(file);
  if (existsSync(target)) {
    throw unavailable(`${file} is there already, and is not overwritten; choose another name`);
  }
  const removed = removedFile(directory);
  // LMDB trusts its file; that of an owner who lives was checked when it started.
  if (removed === undefined && !(await hasOwner(directory))) checkDataFile(join(directory, 'data.mdb'));
  const part = makePart(target);
  try {
    const copy = join(part, 'data.mdb');
    if (removed === undefined) await copyPages(directory, part);
    else copyFileSync(removed, copy);
    // Who can read a token can use it.
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
    // Page by page: a compacted copy would have meta pages unlike those that the check knows.
    await env.backup(part, false);
  } finally {
    await env.close();
  }
}

/** A directory beside the target, for the copy until it is whole. */
function makePart(target: string): string {
  const directory = dirname(target);
  try {
    return mkdtempSync(join(directory, `.${basename(target)}-`));
  } catch (error) {
    // What is missing, or may not be written, is not the name that was tried.
    throw Object.assign(error as NodeJS.ErrnoException, { path: directory });
  }
}
