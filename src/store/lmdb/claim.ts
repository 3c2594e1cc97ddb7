import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { unavailable } from '../refusals.ts';
import { KernelLock } from './kernel-lock.ts';

// One process per data directory. It holds a lock of the kernel's on the directory and one on the data file, which
// no removal of files touches. And every process that wants the directory listens on a socket of its own in it, and
// the owner's name stands in the database, where it is set by compare-and-set in a write transaction, which
// LMDB lets one process have at a time. An owner is dead when nobody listens on its socket any more: the
// kernel sees to that however the process ended, and a process id that was used again cannot mislead.
// The sockets tell quickly and beside the owner what it is doing, and hold where there is no other lock.

const SOCKET = /^owner-([0-9a-f]{8})\.sock$/;
/** The bytes of a socket's path in sockaddr_un, without the closing NUL. */
const PATH_BYTES = process.platform === 'linux' ? 107 : 103;
/** How long a process that listens may take to say whether it is the owner. */
const ANSWER_MS = 1000;
/** Who only looks whether there is an owner has the lock meanwhile: for as long as a small program runs. */
const LOCK_TRIES = 8;
const LOCK_PAUSE_MS = 50;

type Answer = 'OWNER' | 'STARTING' | 'DEAD';

/** Whether a name in the data directory is one of the lock's. */
export function isOwnerSocket(name: string): boolean {
  return SOCKET.test(name);
}

/** This process's claim to a data directory: its socket, listening. */
export class Claim {
  /** What stands in the database when this process is the owner. */
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

  /** Whether the owner before did not end by itself: it left its socket. */
  get followsKilled(): boolean {
    return this.#followsKilled;
  }

  /** Listens, and refuses when the directory has an owner that lives. */
  static async begin(directory: string): Promise<Claim> {
    const claim = new Claim(directory, randomBytes(4).toString('hex'));
    claim.#server.listen(socketPath(directory, claim.id));
    try {
      await once(claim.#server, 'listening');
    } catch (error) {
      throw unavailable(
        `no socket can be made in the data directory ${directory} (${(error as Error).message}); it must be on a local disk and writable by this user`,
        error,
      );
    }
    claim.#server.unref();
    try {
      // Asked before LMDB is opened: an owner that hangs may hold LMDB's write lock.
      await claim.lock(directory);
    } catch (error) {
      await claim.close();
      throw error;
    }
    return claim;
  }

  /** Locks the directory, or a file of it, against every other process. Throws when one has it. */
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

  /** Throws when the directory has an owner that lives. */
  async refuseOwner(): Promise<void> {
    for (const id of this.#others()) {
      if ((await ask(this.#directory, id)) === 'OWNER') throw this.#taken();
    }
  }

  /**
   * Becomes the owner. `swap` sets the owner in one write transaction when it is still the one given, and
   * returns the owner before.
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
    // An owner before us that came and went may have taken our socket for dead while we made it.
    if ((await ask(this.#directory, this.id)) !== 'OWNER') {
      throw unavailable(`another process started on the data directory ${this.#directory}; start again`);
    }
  }

  /**
   * Answers as the owner does, for work on the files themselves: a process that starts from now on is refused.
   * Throws when another one is about to start.
   */
  async hold(): Promise<void> {
    this.#answer = 'OWNER';
    for (const id of this.#others()) {
      if ((await ask(this.#directory, id)) !== 'DEAD') throw this.#taken();
    }
  }

  /** Gives the directory up. */
  async close(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(join(this.#directory, fileName(this.id)), { force: true });
    for (const lock of this.#locks) lock.release();
  }

  #others(): string[] {
    return claims(this.#directory).filter((id) => id !== this.id);
  }

  #taken(): Error {
    return unavailable(
      `another process is using the data directory ${this.#directory}; stop it first, or give this one a directory of its own (--data-dir)`,
    );
  }
}

/** Whether a process that lives owns a data directory. */
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
      `whether another process uses the data directory ${directory} cannot be told (${(error as Error).message}); stop every other one, and remove its owner-*.sock files`,
      error,
    );
  } finally {
    socket.destroy();
  }
}

/** One that listens and is silent hangs, and is alive: it counts as the owner. */
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

/** As short as it gets: the kernel has little room for it. */
function socketPath(directory: string, id: string): string {
  const absolute = join(directory, fileName(id));
  const fromHere = relative('', absolute);
  const path = fromHere.length < absolute.length ? fromHere : absolute;
  if (Buffer.byteLength(path) <= PATH_BYTES) return path;
  throw unavailable(
    `the path of the data directory is too long: ${directory} has ${Buffer.byteLength(directory)} bytes, and a socket in it may have ${PATH_BYTES} with its name; choose a shorter one`,
  );
}
