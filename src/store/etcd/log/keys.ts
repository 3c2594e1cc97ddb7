import type { Phase, Place } from '../../../discovery/newest.ts';
import { type MemberId, type Millis, millis, type Token } from '../../../discovery/types.ts';

// The keys in etcd, below the prefix:
//
//   <token>/_config/size              3                              etcd's own documented discovery keys, for
//   <token>/members/<id>              infra1=http://10.0.0.1:2380    etcdctl and v3 discovery clients to read
//   _discovery/format                 identifies the data, and the first format that can read it
//   _discovery/key                    random, for values that all replicas must derive alike
//   _discovery/clusters/<token>       the creation of the token
//   _discovery/clusters/<token>#<n>   its n-th change since then
//   _discovery/ends/<time>/<token>    its end time, for the sweep; the value is the creation time
//   _discovery/places/<phase>/<time>/<token>   its place among the newest, for operators' lists
//   _discovery/sweeper                the process that sweeps
//
// A cluster is stored as its successive changes: a write adds the next one, on the condition that it is the
// next. No character of a token sorts before `#`, so clusters are in the byte order of their tokens.

/** KeyRange is the keys from the first up to but not including the second. */
export interface KeyRange {
  readonly key: Buffer;
  readonly range_end: Buffer;
}

/** LogKey is a parsed key below `clusters`. Number 0 is the creation of the token. */
export interface LogKey {
  readonly token: Token;
  readonly number: number;
}

const NUMBER_DIGITS = 10;
const TIME_DIGITS = 16;
/** The first letter distinguishes the phases. */
const PHASE_LETTERS = 1;
/** The beginnings of the tokens that the service issues, in order: by 1, 2 and 3 digits. */
const BEGINNINGS = [1, 2, 3].map((digits) =>
  Array.from({ length: 16 ** digits }, (_, i) => i.toString(16).padStart(digits, '0')),
);
/** Issued tokens that begin alike, at most. */
const ALIKE = 2000;
/** The largest exact time; all times are padded to its digits. */
const LATEST = Number.MAX_SAFE_INTEGER;

export class Keys {
  /** All keys of this service in etcd. */
  readonly all: KeyRange;
  readonly clusters: KeyRange;
  readonly ends: KeyRange;
  readonly places: KeyRange;
  readonly format: Buffer;
  readonly key: Buffer;
  readonly sweeper: Buffer;
  readonly #prefix: string;
  readonly #clusters: string;
  readonly #ends: string;
  readonly #places: string;

  constructor(prefix: string) {
    this.#prefix = `${prefix}/`;
    this.#clusters = `${prefix}/_discovery/clusters/`;
    this.#ends = `${prefix}/_discovery/ends/`;
    this.#places = `${prefix}/_discovery/places/`;
    this.all = spanOf(this.#prefix);
    this.clusters = spanOf(this.#clusters);
    this.ends = spanOf(this.#ends);
    this.places = spanOf(this.#places);
    this.format = Buffer.from(`${prefix}/_discovery/format`);
    this.key = Buffer.from(`${prefix}/_discovery/key`);
    this.sweeper = Buffer.from(`${prefix}/_discovery/sweeper`);
  }

  made(token: Token): Buffer {
    return Buffer.from(this.#clusters + token);
  }

  /** Returns the key of a token's n-th change, or of its creation. */
  change(token: Token, number: number): Buffer {
    return number === 0 ? this.made(token) : Buffer.from(`${this.#clusters}${token}#${digits(number)}`);
  }

  /** Returns the span of the creation and the changes of a token, or of the changes from a number on. */
  log(token: Token, from = 0): KeyRange {
    return { key: this.change(token, from), range_end: Buffer.from(`${this.#clusters}${token}$`) };
  }

  /** Returns the span of the clusters after a token. */
  clustersAfter(token: Token | undefined): KeyRange {
    return token === undefined ? this.clusters : { ...this.clusters, key: this.log(token).range_end };
  }

  /** Returns the first key after this one, below `clusters`, that begins a small part of this many issued tokens. */
  clusterFence(key: Buffer, tokens: number): Buffer | undefined {
    const text = key.toString('latin1', this.clusters.key.length);
    const beginnings = BEGINNINGS.find(({ length }) => tokens <= ALIKE * length) ?? BEGINNINGS.at(-1);
    const beginning = beginnings?.find((each) => each > text);
    return beginning === undefined ? undefined : Buffer.from(this.#clusters + beginning);
  }

  size(token: Token): Buffer {
    return Buffer.from(`${this.#prefix}${token}/_config/size`);
  }

  member(token: Token, id: MemberId): Buffer {
    return Buffer.from(`${this.#prefix}${token}/members/${id}`);
  }

  members(token: Token): KeyRange {
    return spanOf(`${this.#prefix}${token}/members/`);
  }

  end(time: Millis, token: Token): Buffer {
    return Buffer.from(this.#ends + end(time, token));
  }

  /** A later creation has an earlier key, because etcd reads ranges from their start. */
  place(phase: Phase, { createTime, token }: Place): Buffer {
    return Buffer.from(`${this.#phase(phase)}${newestFirst(createTime)}/${token}`);
  }

  placesAfter(phase: Phase, after: Place | undefined): KeyRange {
    const span = spanOf(this.#phase(phase));
    if (after === undefined) return span;
    return { ...span, key: keyAfter(this.place(phase, after)) };
  }

  parsePlace(key: Buffer): Place {
    const text = key.toString('latin1', this.places.key.length + PHASE_LETTERS + 1);
    return {
      createTime: millis(LATEST - Number(text.slice(0, TIME_DIGITS))),
      token: text.slice(TIME_DIGITS + 1) as Token,
    };
  }

  #phase(phase: Phase): string {
    return `${this.#places}${phase.slice(0, PHASE_LETTERS).toLowerCase()}/`;
  }

  endsBefore(time: Millis): KeyRange {
    return {
      key: this.ends.key,
      range_end: Buffer.from(`${this.#ends}${String(time).padStart(TIME_DIGITS, '0')}`),
    };
  }

  /** Returns the token of a key below `clusters`. Throws if this service does not write such keys. */
  tokenOf(key: Buffer): Token {
    return key.toString('latin1', this.clusters.key.length).split('#', 1)[0] as Token;
  }

  /** Undefined for a key that this service does not write. */
  parseLog(key: Buffer): LogKey | undefined {
    const text = key.toString('latin1', this.clusters.key.length);
    const at = text.indexOf('#');
    if (at === -1) return text === '' ? undefined : { token: text as Token, number: 0 };
    const number = Number(text.slice(at + 1));
    if (at === 0 || text.length - at - 1 !== NUMBER_DIGITS || !(number > 0)) return undefined;
    return { token: text.slice(0, at) as Token, number };
  }

  parseEnd(key: Buffer): Token {
    return key.toString('latin1', this.ends.key.length + TIME_DIGITS + 1) as Token;
  }
}

function end(time: Millis, token: Token): string {
  return `${String(time).padStart(TIME_DIGITS, '0')}/${token}`;
}

function newestFirst(time: Millis): string {
  return String(LATEST - time).padStart(TIME_DIGITS, '0');
}

function digits(number: number): string {
  return String(number).padStart(NUMBER_DIGITS, '0');
}

/** Returns the first key after a key. */
export function keyAfter(key: Uint8Array): Buffer {
  return Buffer.concat([key, Buffer.alloc(1)]);
}

/** Returns the span of all keys with a prefix. */
function spanOf(text: string): KeyRange {
  const key = Buffer.from(text);
  const range_end = Buffer.from(key);
  range_end[range_end.length - 1] = (range_end.at(-1) as number) + 1;
  return { key, range_end };
}
