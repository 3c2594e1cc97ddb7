import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The directory of the clone. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Says what went wrong in a line and ends the process with exit code 1. */
export function fail(message) {
  console.error(message);
  process.exit(1);
}

/** What a file of the clone says in JSON; undefined when there is none. */
export function readJson(file) {
  const path = join(ROOT, file);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}
