import type { Member } from '../../gen/discovery/v1/cluster_pb.ts';
import { V2_LIMITS } from '../limits.ts';

export interface KeptRegistration {
  readonly revision: bigint;
  readonly member: Member;
  readonly body: string;
}

/** CUT marks that a member that nodes may have counted was removed or changed. */
export const CUT = Symbol('cut');

export interface Cut {
  readonly revision: bigint;
  readonly body: typeof CUT;
}

type Entry = KeptRegistration | Cut;

/** The bytes that all feeds keep together. */
export interface SharedRoom {
  bytes: number;
}

/** Approximate bytes of an entry besides its body, and all that a cut takes. */
const ENTRY_BYTES = 100;

/**
 * Kept holds the latest registrations of a token for the nodes that wait for it: as many as its cluster has,
 * space permitting. Nothing is lost when one is dropped: a reader that is further behind starts again from
 * its position.
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

  /** The revision after which everything is kept. */
  get after(): bigint {
    return this.#after;
  }

  /** Returns those after a revision, in order. */
  since(after: bigint): readonly Entry[] {
    let from = this.#entries.length;
    // From the end, where nearly all readers are.
    while (from > 0 && (this.#entries[from - 1] as Entry).revision > after) from -= 1;
    return this.#entries.slice(from);
  }

  /** Whether adding the entry would drop older ones. */
  isFullWith(entry: Entry): boolean {
    return this.#entries.length > 0 && this.#isOver(bytesOf(entry));
  }

  add(entry: Entry): void {
    while (this.isFullWith(entry)) this.#drop();
    this.#entries.push(entry);
    this.#count(bytesOf(entry));
  }

  /** Releases the shared space when the feed ends: its readers use the rest only briefly. */
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
