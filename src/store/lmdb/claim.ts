import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { unavailable } from '../refusals.ts';
import { KernelLock } from './kernel-lock.ts';

// Ensures that one process uses a data directory. The owner holds a kernel lock on the directory and one on
// the data file, which survive the removal of files. In addition, every process that wants the directory
// listens on its own socket in it, and the owner's name is stored in the database, set by compare-and-set in
// a write transaction, which LMDB grants to one process at a time. An owner is dead when nobody listens on
// its socket any more: the kernel guarantees that however the process ended, and a reused process ID cannot
// mislead. The sockets also answer quickly, report what the owner is doing, and work where there is no other
// lock.

const SOCKET = /^owner-([0-9a-f]{8})\.sock$/;
/** Bytes of a socket path in sockaddr_un, without the terminating NUL. */
const PATH_BYTES = process.platform === 'linux' ? 107 : 103;
/** Time in ms for a listening process to say whether it is the owner. */
const ANSWER_MS = 1000;
/** A process that only checks for an owner holds the lock briefly: as long as a small program runs. */
const LOCK_TRIES = 8;
const LOCK_PAUSE_MS = 50;

type Answer = 'OWNER' | 'STARTING' | 'DEAD';

/** Whether a name in the data directory belongs to the lock. */
export function isOwnerSocket(name: string): boolean {
  return SOCKET.test(name);
}

/** Claim is this process's claim to a data directory: its listening socket. */
export class Claim {
  /** The name in the database when this process is the owner. */
  readonly id: string;
  readonly #directory: string;
  readonly #server: Server;
  readonly #locks: KernelLock[] = [];
  #answer: Answer = 'STARTING';
  #followsKilled = false;

  private constructor(directory: string, id: string) {
    this.id = id;
    this.#directory = directory;
    this.#server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end(this.#answer, () => socket.destroy());
    });
  }

  /** Whether the previous owner was killed: it left its socket behind. */
  get followsKilled(): boolean {
    return this.#followsKilled;
  }

  /** Starts listening. Throws if the directory has a running owner. */
  static async begin(directory: string): Promise<Claim> {
    const claim = new Claim(directory, randomBytes(4).toString('hex'));
    claim.#server.listen(socketPath(directory, claim.id));
    try {
      await once(claim.#server, 'listening');
    } catch (error) {
      throw unavailable(
        `cannot create a socket in the data directory ${directory} (${(error as Error).message}); it must be on a local disk and writable by this user`,
        error,
      );
    }
    claim.#server.unref();
    try {
      // Checked before LMDB is opened: a hanging owner may hold LMDB's write lock.
      await claim.lock(directory);
    } catch (error) {
      await claim.close();
      throw error;
    }
    return claim;
  }

  /** Locks the directory, or a file in it, against all other processes. Throws if another holds the lock. */
  async lock(path: string): Promise<void> {
    for (let i = 0; i < LOCK_TRIES; i++) {
      await this.refuseOwner();
      const lock = await KernelLock.take(path);
      if (lock !== undefined) {
        this.#locks.push(lock);
        return;
      }
      await sleep(LOCK_PAUSE_MS);
    }
    throw this.#taken();
  }

  /** Throws if the directory has a running owner. */
  async refuseOwner(): Promise<void> {
    for (const id of this.#others()) {
      if ((await ask(this.#directory, id)) === 'OWNER') throw this.#taken();
    }
  }

  /**
   * Becomes the owner. `swap` sets the owner in one write transaction if it is still the given one, and
   * returns the previous owner.
   */
  async win(swap: (from: string | undefined, to: string) => string | undefined): Promise<void> {
    let dead: string | undefined;
    for (;;) {
      const owner = swap(dead, this.id);
      if (owner === dead) break;
      if (owner !== undefined && (await ask(this.#directory, owner)) !== 'DEAD') throw this.#taken();
      dead = owner;
    }
    this.#answer = 'OWNER';
    this.#followsKilled = this.#others().some((id) => id === dead);
    for (const id of this.#others()) {
      if ((await ask(this.#directory, id)) === 'DEAD')
        rmSync(join(this.#directory, fileName(id)), { force: true });
    }
    // A short-lived owner may have mistaken our socket for dead while it was being created.
    if ((await ask(this.#directory, this.id)) !== 'OWNER') {
      throw unavailable(`another process started with the data directory ${this.#directory}; start again`);
    }
  }

  /**
   * Answers like an owner, for work on the files themselves: processes that start from now on are rejected.
   * Throws if another one is about to start.
   */
  async hold(): Promise<void> {
    this.#answer = 'OWNER';
    for (const id of this.#others()) {
      if ((await ask(this.#directory, id)) !== 'DEAD') throw this.#taken();
    }
  }

  /** Releases the directory. */
  async close(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
    try {
      rmSync(join(this.#directory, fileName(this.id)), { force: true });
    } catch {
      // On a file system that became read-only the socket stays, as after a kill.
    }
    for (const lock of this.#locks) lock.release();
  }

  #others(): string[] {
    return claims(this.#directory).filter((id) => id !== this.id);
  }

  #taken(): Error {
    return unavailable(
      `another process is using the data directory ${this.#directory}; stop it first, or use another directory (--data-dir)`,
    );
  }
}

/** Whether a running process owns a data directory. */
export async function hasOwner(directory: string): Promise<boolean> {
  for (const id of claims(directory)) if ((await ask(directory, id)) === 'OWNER') return true;
  return KernelLock.isHeld(directory);
}

function claims(directory: string): string[] {
  const names = readdirSync(directory).map((name) => SOCKET.exec(name)?.[1]);
  return names.filter((id) => id !== undefined);
}

async function ask(directory: string, id: string): Promise<Answer> {
  const socket = connect(socketPath(directory, id));
  socket.setTimeout(ANSWER_MS);
  try {
    return await answerOf(socket);
  } catch (error) {
    throw unavailable(
      `cannot tell whether another process uses the data directory ${directory} (${(error as Error).message}); stop any other process and remove the owner-*.sock files in it`,
      error,
    );
  } finally {
    socket.destroy();
  }
}

/** A process that listens but does not answer hangs but is alive: it counts as the owner. */
async function answerOf(socket: Socket): Promise<Answer> {
  return new Promise((resolve, reject) => {
    socket.once('data', (data) => resolve(data.toString() === 'STARTING' ? 'STARTING' : 'OWNER'));
    socket.once('timeout', () => resolve('OWNER'));
    socket.once('close', () => resolve('OWNER'));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve('DEAD');
      else if (error.code === 'EAGAIN' || error.code === 'ECONNRESET' || error.code === 'EPIPE')
        resolve('OWNER');
      else reject(error);
    });
  });
}

function fileName(id: string): string {
  return `owner-${id}.sock`;
}

/** As short as possible, because the kernel allows only a short path. */
function socketPath(directory: string, id: string): string {
  const absolute = join(directory, fileName(id));
  const fromHere = relative('', absolute);
  const path = fromHere.length < absolute.length ? fromHere : absolute;
  if (Buffer.byteLength(path) <= PATH_BYTES) return path;
  throw unavailable(
    `the path of the data directory is too long: ${directory} has ${Buffer.byteLength(directory)} bytes, and a socket in it can have ${PATH_BYTES} including its name; choose a shorter path`,
  );
}
