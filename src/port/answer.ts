import { constants } from 'node:http2';
import type { Socket } from 'node:net';
import type { PortRequest, PortResponse } from './connection.ts';

/** A reader is taken to be as fast as this, in bytes and in ms, until it shows that it is not. */
const FAST = { bytes: 1024 * 1024, ms: 100 };

/** Who counts, and whom an answer is for. */
interface Counting {
  readonly unread: { mayWrite(answer: Answer, bytes: number): boolean };
  readonly clientOf: (request: PortRequest) => string | undefined;
}

/** An answer, as what the peer has not taken of it is counted. */
export class Answer {
  /** In bytes, when it was last looked at. */
  held = 0;
  /** Nothing more is written of it. */
  isCut = false;
  readonly #request: PortRequest;
  readonly #response: PortResponse;
  readonly #setup: Counting;
  /** Since when there has been something unread, and what the peer had taken of its connection then. */
  #since: number | undefined;
  #taken = 0;

  constructor(request: PortRequest, response: PortResponse, setup: Counting) {
    this.#request = request;
    this.#response = response;
    this.#setup = setup;
  }

  /** Whether a chunk may be written. If not, its writer is told so. */
  lets(chunk: unknown, encoding: unknown, done: unknown): boolean {
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) {
      if (this.#setup.unread.mayWrite(this, chunk.length)) return true;
    } else if (!this.isCut) return true;
    const tell = typeof encoding === 'function' ? encoding : done;
    if (typeof tell === 'function') process.nextTick(tell, new Error('nobody reads it, and it is cut off'));
    return false;
  }

  /** The client that it is for. Undefined when no limit holds. */
  get client(): string | undefined {
    return this.isGone ? undefined : this.#setup.clientOf(this.#request);
  }

  get socket(): Socket {
    const session = 'stream' in this.#request ? this.#request.stream.session : undefined;
    return session === undefined ? this.#request.socket : session.socket;
  }

  /** Nothing of it is held any more. */
  get isGone(): boolean {
    return 'stream' in this.#request
      ? this.#request.stream.destroyed || this.#request.stream.session?.destroyed !== false
      : this.#request.socket.destroyed;
  }

  look(now: number): void {
    const response = this.#response;
    if (this.isGone) this.held = 0;
    else this.held = 'stream' in response ? response.stream.writableLength : response.writableLength;
    if (this.held === 0) this.#since = undefined;
    else if (this.#since === undefined) {
      this.#since = now;
      this.#taken = takenOf(this.socket);
    }
  }

  /** How long something has been unread, in ms. */
  age(now: number): number {
    return this.#since === undefined ? 0 : now - this.#since;
  }

  /** How long it will take to be read at its reader's pace so far, in ms. */
  timeLeft(now: number): number {
    if (this.held === 0) return 0;
    return (this.held * (this.age(now) + FAST.ms)) / (takenOf(this.socket) - this.#taken + FAST.bytes);
  }

  /** Ends it, and its connection when that takes no bytes at all: those could not be given back otherwise. */
  cut(): void {
    if (this.isCut) return;
    this.isCut = true;
    if (this.isGone) return;
    const { socket } = this;
    if (!('stream' in this.#request)) {
      socket.destroy();
      return;
    }
    const { stream } = this.#request;
    const { session } = stream;
    if (writeQueueOf(socket) !== 0) session?.destroy();
    else {
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      setImmediate(() => stream.destroy());
    }
  }
}

/** Bytes that the kernel has not taken yet; what node:http2 writes is not in `writableLength`. Undefined: not known. */
export function writeQueueOf(socket: Socket): number | undefined {
  return handleOf(socket)?.writeQueueSize;
}

/** Bytes that were given to the socket, by node:http2 too. Undefined: not known. */
export function writtenOf(socket: Socket): number | undefined {
  return handleOf(socket)?.bytesWritten;
}

/** Bytes that the kernel has taken. */
function takenOf(socket: Socket): number {
  const handle = handleOf(socket);
  return (handle?.bytesWritten ?? 0) - (handle?.writeQueueSize ?? 0);
}

interface Handle {
  readonly writeQueueSize?: number;
  readonly bytesWritten?: number;
}

function handleOf(socket: Socket): Handle | null | undefined {
  const { _handle: handle } = socket as { readonly _handle?: Handle | null };
  return handle;
}
