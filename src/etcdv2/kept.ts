import type { Member } from '../../gen/discovery/v1/cluster_pb.ts';
import { V2_LIMITS } from '../limits.ts';

export interface Registration {
  readonly revision: bigint;
  readonly member: Member;
  readonly body: string;
}

/** A member that nodes may have counted has left or was changed. */
export const CUT = Symbol('cut');

export interface Cut {
  readonly revision: bigint;
  readonly body: typeof CUT;
}

type Entry = Registration | Cut;

/** What all feeds keep together. */
export interface SharedRoom {
  bytes: number;
}

/** About what an entry has beside its body, and all that a cut has. */
const ENTRY_BYTES = 100;

/**
 * The latest registrations of a token, for the nodes that wait for it with others: as many as its cluster has, where
 * there is room. Nobody misses one that is gone from here: who is behind begins again from where it was.
 */
export class Kept {
  #shared: SharedRoom;
  readonly #entries: Entry[] = [];
  #bytes = 0;
  #after: bigint;

  constructor(after: bigint, shared: SharedRoom) {
    this.#after = after;
    this.#shared = shared;
  }

  /** Everything after this revision is here. */
  get after(): bigint {
    return this.#after;
  }

  /** Those after a revision, in order. */
  since(after: bigint): readonly Entry[] {
    let from = this.#entries.length;
    // From the end, where nearly all of them are.
    while (from > 0 && (this.#entries[from - 1] as Entry).revision > after) from -= 1;
    return this.#entries.slice(from);
  }

  /** Whether older ones have to go for it. */
  isFullWith(entry: Entry): boolean {
    return this.#entries.length > 0 && this.#isOver(bytesOf(entry));
  }

  add(entry: Entry): void {
    while (this.isFullWith(entry)) this.#drop();
    this.#entries.push(entry);
    this.#count(bytesOf(entry));
  }

  /** Its feed is over: what its readers have not taken is theirs for a moment, and nobody's for long. */
  leave(): void {
    this.#shared.bytes -= this.#bytes;
    this.#shared = { bytes: this.#bytes };
  }

  #isOver(more: number): boolean {
    return this.#bytes + more > V2_LIMITS.feedBytes || this.#shared.bytes + more > V2_LIMITS.allFeedsBytes;
  }

  #drop(): void {
    const oldest = this.#entries.shift() as Entry;
    this.#after = oldest.revision;
    this.#count(-bytesOf(oldest));
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#shared.bytes += bytes;
  }
}

function bytesOf({ body }: Entry): number {
  return ENTRY_BYTES + (body === CUT ? 0 : body.length);
}
