import { closeSync, fdatasync, fstatSync, openSync, statSync, write } from 'node:fs';
import { promisify } from 'node:util';

const writeAt = promisify(write);
const flush = promisify(fdatasync);

const ZEROS = Buffer.alloc(262_144);

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

  close(): void {
    closeSync(this.fd);
  }
}
