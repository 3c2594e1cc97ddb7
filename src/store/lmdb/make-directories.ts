import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Creates a directory and its missing parents. Node's own recursive mkdir never returns on a file system that
 * allows no new directories and answers as if the parent were missing, such as /proc.
 */
export function makeDirectories(path: string, mode: number): void {
  for (const missing of missingOf(path)) {
    try {
      mkdirSync(missing, { mode });
    } catch (error) {
      // Another process may create the same one.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isDirectory(missing)) throw error;
    }
  }
}

/** Returns the directories to create, outermost first. Throws if a parent is not a directory. */
function missingOf(path: string): string[] {
  const missing: string[] = [];
  let at = path;
  while (!isDirectory(at)) {
    missing.unshift(at);
    if (at === dirname(at)) break;
    at = dirname(at);
  }
  return missing;
}

/** Returns false for a missing path. A file also gives false; creating the directory then reports it. */
function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
