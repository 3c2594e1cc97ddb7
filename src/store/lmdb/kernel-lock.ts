import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { createServer, type Server } from 'node:net';

// A kernel lock on a directory or file itself. It lasts until the process that holds it has ended, however it
// ended, whatever is removed from the directory, and across containers. Node.js has no call for it, but a
// lock of flock(2) belongs to the open file and everyone who shares it: flock(1), from util-linux or BusyBox,
// inherits the open file, locks it, and exits. Where that program is missing, an abstract Linux socket named
// after the inode is used: the kernel manages it too, but only within one network namespace, and each
// container has its own.

/** Longer than a busy machine takes to start a program, in ms. */
const PROGRAM_MS = 10_000;

type Mode = '-x' | '-s';
type Outcome = 'LOCKED' | 'HELD' | 'UNKNOWN';

/** KernelLock is a lock on a directory or file, held until it is released or the process has ended. */
export class KernelLock {
  readonly #fd: number;
  readonly #socket: Server | undefined;

  private constructor(fd: number, socket: Server | undefined) {
    this.#fd = fd;
    this.#socket = socket;
  }

  /** Returns undefined if another process, or this one, holds the lock. */
  static async take(path: string): Promise<KernelLock | undefined> {
    const fd = openSync(path, 'r');
    const outcome = flock(fd, '-x');
    if (outcome === 'LOCKED') return new KernelLock(fd, undefined);
    const socket = outcome === 'HELD' ? 'HELD' : await abstractSocket(fd);
    if (socket !== 'HELD') return new KernelLock(fd, socket);
    closeSync(fd);
    return undefined;
  }

  /** Whether the lock is held. Another process that tries to take it at this moment has to retry. */
  static isHeld(path: string): boolean {
    const fd = openSync(path, 'r');
    try {
      return flock(fd, '-s') === 'HELD';
    } finally {
      closeSync(fd);
    }
  }

  release(): void {
    this.#socket?.close();
    closeSync(this.#fd);
  }
}

function flock(fd: number, mode: Mode): Outcome {
  try {
    const { status, stderr } = spawnSync('flock', ['-n', mode, '3'], {
      stdio: ['ignore', 'ignore', 'pipe', fd],
      timeout: PROGRAM_MS,
    });
    if (status === 0) return 'LOCKED';
    // Silent if the lock is held; all other failures print a message. BusyBox uses the same exit code for
    // both.
    return status === 1 && stderr.length === 0 ? 'HELD' : 'UNKNOWN';
  } catch {
    // Node.js may not be permitted to start programs.
    return 'UNKNOWN';
  }
}

/** Returns undefined where such sockets do not exist. */
async function abstractSocket(fd: number): Promise<Server | 'HELD' | undefined> {
  if (process.platform !== 'linux') return undefined;
  const { dev, ino } = fstatSync(fd, { bigint: true });
  const server = createServer((socket) => socket.destroy());
  try {
    await once(server.listen(`\0etcd-discovery:${dev}:${ino}`), 'listening');
    return server.unref();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 'HELD' : undefined;
  }
}
