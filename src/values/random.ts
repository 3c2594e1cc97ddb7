import { closeSync, openSync, readSync } from 'node:fs';

/** Returns random bytes that nobody can guess. Node's crypto, where it is needed, takes longer to load than a call. */
export function randomBytes(count: number): Buffer {
  const bytes = Buffer.alloc(count);
  return readDevice(bytes) ? bytes : process.getBuiltinModule('node:crypto').randomFillSync(bytes);
}

/** Reads the system's generator. Not every system has it as a file. */
function readDevice(bytes: Buffer): boolean {
  try {
    const file = openSync('/dev/urandom', 'r');
    try {
      return readSync(file, bytes) === bytes.length;
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}
