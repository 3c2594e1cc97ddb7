import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory and those above it that are missing. Node's own recursive mkdir never returns on a file system
 * that takes no new directories and answers as if the one above were missing, like /proc.
 */
export function makeDirectories(path: string, mode: number): void {
  for (const missing of missingOf(path)) {
    try {
      mkdirSync(missing, { mode });
    } catch (error) {
      // Another process may make the same one.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isDirectory(missing)) throw error;
    }
  }
}

/** The directories to make, from the top. Throws where one above is no directory. */
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

/** False when nothing is there. A file is none, which making it then says. */
function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
