import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The directory of the clone. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Prints one line that says what went wrong, and exits with code 1. */
export function fail(message) {
  console.error(message);
  process.exit(1);
}

/** Parses a JSON file of the clone. Undefined if it does not exist. */
export function readJson(file) {
  const path = join(ROOT, file);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}
