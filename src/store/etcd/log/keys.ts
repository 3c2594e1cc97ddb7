import type { Phase, Place } from '../../../discovery/newest.ts';
import { type MemberId, type Millis, millis, type Token } from '../../../discovery/types.ts';

// What stands in etcd, below the prefix:
//
//   <token>/_config/size              3                              etcd's own documented discovery keys, for
//   <token>/members/<id>              infra1=http://10.0.0.1:2380    etcdctl and v3 discovery clients to read
//   _discovery/format                 what this is, and since which format
//   _discovery/key                    random, for what all replicas work out alike
//   _discovery/clusters/<token>       how the token was made
//   _discovery/clusters/<token>#<n>   its n-th change since then
//   _discovery/ends/<time>/<token>    when it ended or will, for the sweep; its value is when it was made
//   _discovery/places/<phase>/<time>/<token>   where it is among the newest, for operators' lists
//   _discovery/sweeper                who sweeps
//
// A cluster is its changes, one after the other: a write puts the next one, on the condition that it is the
// next. No character of a token sorts before `#`, so the clusters stand in the byte order of their tokens.

/** The keys of a range: from the first up to, and without, the second. */
export interface Span {
  readonly key: Buffer;
  readonly range_end: Buffer;
}

/** Where a key below `clusters` belongs; number 0 is the making of the token. */
export interface LogKey {
  readonly token: Token;
  readonly number: number;
}

const NUMBER_DIGITS = 10;
const TIME_DIGITS = 16;
/** The first letter tells phases apart. */
const PHASE_LETTERS = 1;
/** Of all times that have so many digits and are exact. */
const LATEST = Number.MAX_SAFE_INTEGER;

export class Keys {
  /** Everything that this service has in etcd. */
  readonly all: Span;
  readonly clusters: Span;
  readonly ends: Span;
  readonly places: Span;
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

  /** The n-th change of a token, or its making. */
  change(token: Token, number: number): Buffer {
    return number === 0 ? this.made(token) : Buffer.from(`${this.#clusters}${token}#${digits(number)}`);
  }

  /** The making and the changes of a token, or those from a number on. */
  log(token: Token, from = 0): Span {
    return { key: this.change(token, from), range_end: Buffer.from(`${this.#clusters}${token}$`) };
  }

  /** The clusters after a token. */
  clustersAfter(token: Token | undefined): Span {
    return token === undefined ? this.clusters : { ...this.clusters, key: this.log(token).range_end };
  }

  size(token: Token): Buffer {
    return Buffer.from(`${this.#prefix}${token}/_config/size`);
  }

  member(token: Token, id: MemberId): Buffer {
    return Buffer.from(`${this.#prefix}${token}/members/${id}`);
  }

  members(token: Token): Span {
    return spanOf(`${this.#prefix}${token}/members/`);
  }

  end(time: Millis, token: Token): Buffer {
    return Buffer.from(this.#ends + end(time, token));
  }

  /** The later a token was made, the earlier its key: etcd reads ranges from their beginning. */
  place(phase: Phase, { createTime, token }: Place): Buffer {
    return Buffer.from(`${this.#phase(phase)}${newestFirst(createTime)}/${token}`);
  }

  placesAfter(phase: Phase, after: Place | undefined): Span {
    const span = spanOf(this.#phase(phase));
    if (after === undefined) return span;
    return { ...span, key: Buffer.concat([this.place(phase, after), Buffer.alloc(1)]) };
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

  endsBefore(time: Millis): Span {
    return {
      key: this.ends.key,
      range_end: Buffer.from(`${this.#ends}${String(time).padStart(TIME_DIGITS, '0')}`),
    };
  }

  /** The token that a key below `clusters` is of, if this service writes such keys. */
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

/** Every key that begins with a text. */
function spanOf(text: string): Span {
  const key = Buffer.from(text);
  const range_end = Buffer.from(key);
  range_end[range_end.length - 1] = (range_end.at(-1) as number) + 1;
  return { key, range_end };
}
