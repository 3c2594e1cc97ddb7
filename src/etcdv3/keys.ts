// The keys of a token, as etcd's v3 discovery lays them out. Pure: bytes in, meaning out.
//
//   /_etcd/registry/TOKEN/_config/size      the size key: makes the token
//   /_etcd/registry/TOKEN/members/ID        a member
//
// Keys are compared as latin1 text, one character a byte, which orders them as etcd does.

const REGISTRY = '/_etcd/registry/';
/** The character after the slash: `prefix/` ends where `prefix0` begins. */
const AFTER_SLASH = '0';

export function sizeKey(token: string): string {
  return `${REGISTRY}${token}/_config/size`;
}

export function memberKey(token: string, id: string): string {
  return `${REGISTRY}${token}/members/${id}`;
}

/** One key that is written, deleted or compared. */
export type Key =
  | { readonly type: 'SIZE'; readonly token: string }
  | { readonly type: 'MEMBER'; readonly token: string; readonly id: string }
  /** Under a token, and nothing that is kept there. */
  | { readonly type: 'UNKNOWN' }
  /** Under no token. */
  | { readonly type: 'OUTSIDE' };

export function parseKey(bytes: Uint8Array): Key {
  const place = placeOf(textOf(bytes));
  if (place === undefined) return { type: 'OUTSIDE' };
  const { token, rest } = place;
  if (rest === '/_config/size') return { type: 'SIZE', token };
  const id = /^\/members\/([^/]+)$/.exec(rest)?.[1];
  return id === undefined ? { type: 'UNKNOWN' } : { type: 'MEMBER', token, id };
}

/** The keys from `from` up to and without `to`, all of them under one token. */
export interface Span {
  readonly token: string;
  readonly from: string;
  readonly to: string;
}

/** The span of a key, or of the range from it to `rangeEnd`; undefined when it is not of one token. */
export function parseSpan(key: Uint8Array, rangeEnd: Uint8Array): Span | undefined {
  const from = textOf(key);
  const place = placeOf(from);
  if (place === undefined) return undefined;
  const { token, rest } = place;
  if (rangeEnd.length === 0) return { token, from, to: `${from}\0` };
  const to = textOf(rangeEnd);
  const root = `${REGISTRY}${token}`;
  // The prefix without a slash is that of longer tokens too, of which nothing is shown.
  if (rest === '' && to === prefixEnd(root)) return wholeSpan(token);
  const inside = to > from && to <= `${root}${AFTER_SLASH}` && from >= `${root}/`;
  return inside ? { token, from, to } : undefined;
}

export function contains({ from, to }: Span, key: string): boolean {
  return key >= from && key < to;
}

/** What a span of more than one key means to a deletion; undefined when it is neither. */
export function wholeOf({ token, from, to }: Span): 'TOKEN' | 'MEMBERS' | undefined {
  const root = `${REGISTRY}${token}`;
  const is = (prefix: string): boolean => from === prefix && to === prefixEnd(prefix);
  if (is(`${root}/`)) return 'TOKEN';
  return is(`${root}/members`) || is(`${root}/members/`) ? 'MEMBERS' : undefined;
}

function wholeSpan(token: string): Span {
  return { token, from: `${REGISTRY}${token}/`, to: `${REGISTRY}${token}${AFTER_SLASH}` };
}

/** Where the keys with a prefix end: the prefix with its last byte + 1. */
function prefixEnd(prefix: string): string {
  const last = prefix.length - 1;
  return prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1);
}

/** The token that a key is under, and what follows it. */
function placeOf(key: string): { token: string; rest: string } | undefined {
  if (!key.startsWith(REGISTRY)) return undefined;
  const slash = key.indexOf('/', REGISTRY.length);
  const end = slash < 0 ? key.length : slash;
  if (end === REGISTRY.length) return undefined;
  return { token: key.slice(REGISTRY.length, end), rest: key.slice(end) };
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
