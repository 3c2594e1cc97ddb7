import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { createServer, type Server } from 'node:net';

// A lock that the kernel keeps with a directory or a file itself: whatever is removed from the directory, and in
// whichever container, it is there until the process that holds it has ended, however it ended. Node.js has no call
// for it, but a lock of flock(2) belongs to the open file, and so to whoever shares it: flock(1), of util-linux and of
// BusyBox, is given the open file, locks it, and leaves. Where that program is not to be had, an abstract socket of
// Linux is named after the inode: kept by the kernel too, but for one network name space, as a container has its own.

/** Longer than a busy machine takes to start a program. */
const PROGRAM_MS = 10_000;

type Mode = '-x' | '-s';
type Outcome = 'LOCKED' | 'HELD' | 'UNKNOWN';

/** A lock on a directory or a file, held until it is released or the process has ended. */
export class KernelLock {
  readonly #fd: number;
  readonly #socket: Server | undefined;

  private constructor(fd: number, socket: Server | undefined) {
    this.#fd = fd;
    this.#socket = socket;
  }

  /** Undefined when another process, or this one, holds it. */
  static async take(path: string): Promise<KernelLock | undefined> {
    const fd = openSync(path, 'r');
    const outcome = flock(fd, '-x');
    if (outcome === 'LOCKED') return new KernelLock(fd, undefined);
    const socket = outcome === 'HELD' ? 'HELD' : await abstractSocket(fd);
    if (socket !== 'HELD') return new KernelLock(fd, socket);
    closeSync(fd);
    return undefined;
  }

  /** Whether somebody holds it. Who wants to take it in this moment has to try again. */
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
    // Silent when it is held; of all else it tells. BusyBox has the same exit code for both.
    return status === 1 && stderr.length === 0 ? 'HELD' : 'UNKNOWN';
  } catch {
    // Node.js may be started without the right to start programs.
    return 'UNKNOWN';
  }
}

/** Undefined where there are no such sockets. */
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
