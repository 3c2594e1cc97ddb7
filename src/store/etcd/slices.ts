import type { IKeyValue, IRangeRequest } from 'etcd3';
import type { Revision } from '../../discovery/types.ts';
import { type KeyRange, keyAfter } from './log/keys.ts';

/** How many bytes of a key, after those that all keys of the span share, decide in which slice it is. */
const BYTES = 32;
const ALL = 1n << BigInt(8 * BYTES);
/** The first slice: one unit of the fourteenth byte, a second where the key continues with a time in ms. */
const FIRST = 1n << BigInt(8 * (BYTES - 14));
/** After an empty slice the next one is much wider: keys are text, and most values of a byte do not occur. */
const AFTER_EMPTY = 64n;
const AFTER_SPARSE = 4n;

/** Slice is the first keys of a requested range, and the number of all of them. */
interface Slice {
  readonly kvs: readonly IKeyValue[];
  readonly more: boolean;
  readonly count: number;
  readonly revision: Revision;
}

export interface SliceOptions {
  readonly read: (request: IRangeRequest) => Promise<Slice>;
  /** Added to each request. Without a revision, all slices are read at that of the first. */
  readonly request: IRangeRequest;
  /** Whether the first slice is all of it, because there are few keys. */
  readonly isWhole: boolean;
  /** Returns a key after this one at which a slice ends in any case, so that one after a gap is not too large. */
  readonly fence: (key: Buffer) => Buffer | undefined;
}

/**
 * Slices reads a span in order, piece by piece. For each request etcd looks at every key of the requested range, to count
 * them, whatever the limit: half a second for a million. So each request asks for a slice that has about as
 * many keys as are wanted, judged by the count of the one before.
 */
export class Slices {
  readonly #read: SliceOptions['read'];
  #request: IRangeRequest;
  readonly #end: Buffer;
  readonly #shared: number;
  #key: Buffer;
  readonly #fence: SliceOptions['fence'];
  #width: bigint;

  constructor(span: KeyRange, { read, request, isWhole, fence }: SliceOptions) {
    this.#read = read;
    this.#request = request;
    this.#key = span.key;
    this.#end = span.range_end;
    this.#shared = sharedBytes(span.key, span.range_end);
    this.#fence = isWhole ? () => undefined : fence;
    this.#width = isWhole ? ALL : FIRST;
  }

  /** Whether keys may follow. */
  get more(): boolean {
    return Buffer.compare(this.#key, this.#end) < 0;
  }

  /** Reads the next slice: at most `limit` keys, and none where the span has a gap. */
  async next(limit: number): Promise<readonly IKeyValue[]> {
    const end = this.#sliceEnd();
    const { kvs, more, count, revision } = await this.#read({
      ...this.#request,
      key: this.#key,
      range_end: end,
      limit,
    });
    this.#request = { revision: String(revision), ...this.#request };
    const [first, last] = [kvs[0], kvs.at(-1)];
    if (more && first !== undefined && last !== undefined) {
      this.#key = keyAfter(last.key);
      // As many keys again are about as far.
      this.#width = this.#numberOf(last.key) - this.#numberOf(first.key) + 1n;
    } else {
      this.#key = end;
      this.#width *= growth(count, limit);
    }
    return kvs;
  }

  #sliceEnd(): Buffer {
    return [this.#advanced(), this.#fence(this.#key)].reduce<Buffer>(
      (end, each) => (each !== undefined && Buffer.compare(each, end) < 0 ? each : end),
      this.#end,
    );
  }

  /** Undefined at the end of all keys. */
  #advanced(): Buffer | undefined {
    const next = this.#numberOf(this.#key) + this.#width;
    if (next >= ALL) return undefined;
    const hex = next.toString(16).padStart(2 * BYTES, '0');
    return Buffer.concat([this.#end.subarray(0, this.#shared), Buffer.from(hex, 'hex')]);
  }

  #numberOf(key: Buffer): bigint {
    const digits = Buffer.alloc(BYTES);
    key.copy(digits, 0, this.#shared);
    return BigInt(`0x${digits.toString('hex')}`);
  }
}

function growth(count: number, wanted: number): bigint {
  if (count === 0) return AFTER_EMPTY;
  return count < wanted / 4 ? AFTER_SPARSE : 1n;
}

function sharedBytes(a: Buffer, b: Buffer): number {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i += 1;
  return i;
}
