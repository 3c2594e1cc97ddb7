import { closeSync, fdatasync, fstatSync, futimes, openSync, statSync, write } from 'node:fs';
import { promisify } from 'node:util';

const writeAt = promisify(write);
const flush = promisify(fdatasync);
const setTimes = promisify(futimes);

const ZEROS = Buffer.alloc(262_144);

/**
 * The errors of a file system that accepts no writes at all. Other errors may only mean that this user cannot set
 * times, or that the file system does not support it.
 */
const ACCEPTS_NOTHING = new Set(['EROFS', 'EIO']);

/** DataFile is LMDB's file, opened separately for the operations that LMDB does not offer. */
export class DataFile {
  readonly path: string;
  readonly fd: number;
  readonly #dev: bigint;
  readonly #ino: bigint;

  constructor(path: string) {
    this.path = path;
    this.fd = openSync(path, 'r+');
    const { dev, ino } = fstatSync(this.fd, { bigint: true });
    this.#dev = dev;
    this.#ino = ino;
  }

  /** Whether the path still leads to the open file. Its inode cannot be reused while it is open. */
  isInPlace(): boolean {
    try {
      const found = statSync(this.path, { bigint: true });
      return found.ino === this.#ino && found.dev === this.#dev;
    } catch {
      return false;
    }
  }

  /** Returns up to where the file is fully allocated on disk. Less than `end` if it has holes. */
  allocated(end: number): number {
    const { size, blocks } = fstatSync(this.fd);
    return blocks * 512 < size ? end : Math.max(size, end);
  }

  /** Writes zeros and waits until they are on disk. Calls back for each part that was written. */
  async clear(from: number, to: number, onPart: (end: number) => void = () => {}): Promise<void> {
    for (let at = from; at < to; ) {
      const { bytesWritten } = await writeAt(this.fd, ZEROS, 0, Math.min(ZEROS.length, to - at), at);
      at += bytesWritten;
      onPart(at);
    }
    await flush(this.fd);
  }

  /** Throws if the file system accepts no writes. Sets the times of the file, which requires no flush. */
  async touch(): Promise<void> {
    const now = Date.now() / 1000;
    try {
      await setTimes(this.fd, now, now);
    } catch (error) {
      if (ACCEPTS_NOTHING.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}
