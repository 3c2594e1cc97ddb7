import { CALL_MS } from './connection.ts';
import { type Fault, faultOf } from './fault.ts';
import type { Health } from './health.ts';

/** Piece is a part of a call to etcd: one write, or the read of one token. */
export interface Piece {
  /** The approximate bytes that it adds to the request. */
  readonly bytes: number;
  /** When its caller gives up, by `performance.now()`. */
  readonly due: number;
  /** Whether an earlier call that contained it may have succeeded. */
  unsure: boolean;
  fail(fault: Fault): void;
}

interface Bounds {
  /** Concurrent calls. */
  readonly calls: number;
  /**
   * Pieces in one call. etcd allows 128 operations (--max-txn-ops) in a transaction and in each nested one.
   */
  readonly pieces: number;
  /** Bytes in one call. etcd allows 1.5 MB (--max-request-bytes). */
  readonly bytes: number;
}

/** How long a caller waits for etcd, in ms: a node gives up after 5 s and should get an error before that. */
export const PATIENCE_MS = 4000;
/** The least time that a call gets, in ms, even if its callers have already waited too long. */
export const LAST_CALL_MS = 400;
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 400;
const LOOK_MS = 200;

/**
 * Group collects the pieces that arrive while calls are in progress, and sends them in one call. A call that
 * failed for a transient reason is sent again until its pieces are due. A call that etcd rejects is sent
 * again piece by piece.
 */
export class Group<P extends Piece> {
  readonly #bounds: Bounds;
  readonly #health: Health;
  readonly #send: (pieces: readonly P[], limitMs: number) => Promise<void>;
  #queue: P[] = [];
  #underWay = 0;
  #scheduled = false;
  #failures = 0;
  #paused = false;
  #isLooking = false;
  #last: Fault | undefined;

  /** `send` settles the pieces, or rejects with etcd's error within the time limit and settles none. */
  constructor(
    bounds: Bounds,
    health: Health,
    send: (pieces: readonly P[], limitMs: number) => Promise<void>,
  ) {
    this.#bounds = bounds;
    this.#health = health;
    this.#send = send;
  }

  add(piece: P): void {
    this.#queue.push(piece);
    this.#schedule();
  }

  /** At the end of this turn of the event loop, so that all pieces of the turn are sent together. */
  #schedule(): void {
    if (this.#scheduled || this.#paused) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (!this.#paused && this.#underWay < this.#bounds.calls && this.#queue.length > 0) {
      void this.#call(this.#take());
    }
    if (this.#queue.length > 0) this.#look();
  }

  #take(): P[] {
    let bytes = 0;
    let count = 0;
    for (const piece of this.#queue) {
      bytes += piece.bytes;
      if (count > 0 && (bytes > this.#bounds.bytes || count >= this.#bounds.pieces)) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  async #call(pieces: P[]): Promise<void> {
    this.#underWay += 1;
    try {
      await this.#send(pieces, limitOf(pieces));
      this.#health.works();
      this.#last = undefined;
      this.#failures = 0;
    } catch (error) {
      this.#failed(pieces, faultOf(error));
    }
    this.#underWay -= 1;
    this.#flush();
  }

  #failed(pieces: P[], fault: Fault): void {
    if (!fault.passing) {
      const [first, ...rest] = pieces;
      if (first === undefined) return;
      if (rest.length === 0) this.#refuse(first, fault);
      else for (const piece of pieces) void this.#call([piece]);
      return;
    }
    this.#last = fault;
    for (const piece of pieces) piece.unsure ||= fault.unsure;
    this.#queue.unshift(...pieces);
    this.#giveUp();
    if (this.#paused) return;
    this.#paused = true;
    setTimeout(
      () => {
        this.#paused = false;
        this.#flush();
      },
      Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures),
    );
    this.#failures += 1;
  }

  /** Fails the waiting pieces that are due. */
  #look(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    setTimeout(() => {
      this.#isLooking = false;
      this.#giveUp();
      if (this.#queue.length > 0) this.#look();
    }, LOOK_MS);
  }

  #giveUp(): void {
    const now = performance.now();
    if (!this.#queue.some((piece) => piece.due <= now)) return;
    const due = this.#queue.filter((piece) => piece.due <= now);
    this.#queue = this.#queue.filter((piece) => piece.due > now);
    for (const piece of due) this.#refuse(piece, this.#last ?? BUSY);
  }

  #refuse(piece: P, fault: Fault): void {
    if (fault.ofRequest !== true) this.#health.failed(fault.cause);
    piece.fail(fault);
  }
}

/** Returns the time limit of a call: its maximum, or what is left for the piece that has waited longest. */
function limitOf(pieces: readonly Piece[]): number {
  const due = pieces.reduce((earliest, piece) => Math.min(earliest, piece.due), Number.POSITIVE_INFINITY);
  return Math.min(CALL_MS, Math.max(LAST_CALL_MS, due - performance.now()));
}

const BUSY: Fault = {
  cause: `etcd did not answer within ${CALL_MS / 1000} s`,
  passing: true,
  unsure: false,
  error: undefined,
};
