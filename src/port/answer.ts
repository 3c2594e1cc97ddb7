import { constants } from 'node:http2';
import type { Socket } from 'node:net';
import type { Gate } from './gate.ts';
import { type RequestHead, type ResponseHead, socketOf } from './heads.ts';

/** The assumed speed of a reader, until it proves slower: this many bytes in this many ms. */
const FAST = { bytes: 1024 * 1024, ms: 100 };

/** Counting counts a response's unread bytes for its client. */
interface Counting {
  readonly unread: { mayWrite(answer: Answer, bytes: number): boolean };
  readonly clientOf: (request: RequestHead) => string | undefined;
}

/** Answer is a response whose unread bytes are counted. */
export class Answer implements Gate {
  /** Unread bytes at the last look. */
  held = 0;
  /** Set when nothing more is written to it. */
  isCut = false;
  readonly #request: RequestHead;
  readonly #response: ResponseHead;
  readonly #setup: Counting;
  /** Since when there have been unread bytes, and what the peer had taken of its connection by then. */
  #since: number | undefined;
  #taken = 0;

  constructor(request: RequestHead, response: ResponseHead, setup: Counting) {
    this.#request = request;
    this.#response = response;
    this.#setup = setup;
  }

  /** Whether a chunk may be written. If not, its writer is notified. */
  lets(chunk: unknown, encoding?: unknown, done?: unknown): boolean {
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) {
      if (this.#setup.unread.mayWrite(this, chunk.length)) return true;
    } else if (!this.isCut) return true;
    const tell = typeof encoding === 'function' ? encoding : done;
    if (typeof tell === 'function')
      process.nextTick(tell, new Error('the client does not read the response; connection closed'));
    return false;
  }

  /** The client that the response is for. Undefined if no limit applies to it. */
  get client(): string | undefined {
    return this.isGone ? undefined : this.#setup.clientOf(this.#request);
  }

  get socket(): Socket {
    return socketOf(this.#request);
  }

  /** Whether none of its bytes are held any more. */
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

  /** Returns how long bytes have been unread, in ms. */
  age(now: number): number {
    return this.#since === undefined ? 0 : now - this.#since;
  }

  /** Returns how long reading the rest will take at the reader's current speed, in ms. */
  timeLeft(now: number): number {
    if (this.held === 0) return 0;
    return (this.held * (this.age(now) + FAST.ms)) / (takenOf(this.socket) - this.#taken + FAST.bytes);
  }

  /**
   * Ends the response. Ends the connection too if it takes no bytes at all: the memory could not be released
   * otherwise.
   */
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

/**
 * Returns the bytes that the kernel has not taken yet. `writableLength` does not include those of node:http2.
 * Undefined: not known.
 */
export function writeQueueOf(socket: Socket): number | undefined {
  return handleOf(socket)?.writeQueueSize;
}

/** Returns the bytes written to the socket, by node:http2 too. Undefined: not known. */
export function writtenOf(socket: Socket): number | undefined {
  return handleOf(socket)?.bytesWritten;
}

/** Returns the bytes that the kernel has taken. */
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
