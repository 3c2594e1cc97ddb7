// The keys of a token, as etcd's v3 discovery lays them out. Pure: bytes in, meaning out.
//
//   /_etcd/registry/TOKEN/_config/size      the size key: makes the token
//   /_etcd/registry/TOKEN/members/ID        a member
//
// A node of a cluster whose other nodes use `--discovery URL` has to give that whole URL as its token, as etcd
// hashes either of them, letter for letter, into the ids of the cluster and its members. Its keys then begin with
// /_etcd/registry/http:/HOST:PORT/TOKEN, the double slash being lost on the way, and it wants them back like that.
//
// Keys are compared as latin1 text, one character a byte, which orders them as etcd does.

const REGISTRY = '/_etcd/registry/';
/** The character after the slash: `prefix/` ends where `prefix0` begins. */
const AFTER_SLASH = '0';
/** As the end of a range: every key from the first on. */
const FROM_KEY = '\0';

/**
 * What may stand between the registry and the token: a discovery URL of either form, with the path of a proxy where the
 * key shows which part of it is the token.
 */
const URL_BEFORE_TOKEN =
  /^https?:\/{1,2}[^/]+\/(?:v2\/keys\/(?:_etcd\/registry|discovery)\/|(?:[^/]+\/)*?(?=[^/]+\/(?:_config|members)(?:\/|$)))?(?=[^/])/;

/** The beginning of a URL that has no token: all URLs are under it. */
const URL_SCHEME = /^https?:$/;

/** The keys of one token begin with `root`, which is spelt as in the request. */
export interface Place {
  readonly token: string;
  readonly root: string;
}

export function sizeKey({ root }: Place): string {
  return `${root}/_config/size`;
}

export function memberKey({ root }: Place, id: string): string {
  return `${root}/members/${id}`;
}

/** What stands in the registry for the token: the token, or the URL that it is the end of. */
export function registryName({ root }: Place): string {
  return root.slice(REGISTRY.length);
}

/** One key that is written, deleted or compared. */
export type Key =
  | (Place & { readonly type: 'SIZE' })
  | (Place & { readonly type: 'MEMBER'; readonly id: string })
  /** Under a token, and nothing that is kept there. */
  | { readonly type: 'UNKNOWN' }
  /** Under no token. */
  | { readonly type: 'OUTSIDE' };

export function parseKey(bytes: Uint8Array): Key {
  const place = placeOf(textOf(bytes));
  if (place === undefined) return { type: 'OUTSIDE' };
  const { token, root, rest } = place;
  if (rest === '/_config/size') return { type: 'SIZE', token, root };
  const id = /^\/members\/([^/]+)$/.exec(rest)?.[1];
  return id === undefined ? { type: 'UNKNOWN' } : { type: 'MEMBER', token, root, id };
}

/** The keys from `from` up to and without `to`, all of them under one token. */
export interface Span extends Place {
  readonly from: string;
  readonly to: string;
}

/**
 * The span of a key, or of the range from it to `rangeEnd`; undefined when it is not of one token. A range that
 * ends before it begins is empty, as in etcd.
 */
export function parseSpan(key: Uint8Array, rangeEnd: Uint8Array): Span | undefined {
  const from = textOf(key);
  const place = placeOf(from);
  if (place === undefined) return undefined;
  const { token, root, rest } = place;
  if (rangeEnd.length === 0) return { token, root, from, to: `${from}\0` };
  const to = textOf(rangeEnd);
  if (to === FROM_KEY) return undefined;
  // The prefix without a slash is that of longer tokens too, of which nothing is shown.
  if (rest === '' && to === prefixEnd(root)) return wholeSpan(place);
  const inside = from >= `${root}/` && to <= `${root}${AFTER_SLASH}`;
  return inside || to <= from ? { token, root, from, to } : undefined;
}

export function contains({ from, to }: Span, key: string): boolean {
  return key >= from && key < to;
}

export function isEmpty({ from, to }: Span): boolean {
  return to <= from;
}

/** What a span holds of a token: members at most, everything, or the size key without all of the members. */
export function extentOf(span: Span): 'MEMBERS' | 'TOKEN' | 'SIZE' {
  if (!contains(span, sizeKey(span))) return 'MEMBERS';
  // The size key comes before all members.
  return span.to >= `${span.root}/members${AFTER_SLASH}` ? 'TOKEN' : 'SIZE';
}

/** Every key of a token. */
export function wholeSpan({ token, root }: Place): Span {
  return { token, root, from: `${root}/`, to: `${root}${AFTER_SLASH}` };
}

/** Where the keys with a prefix end: the prefix with its last byte + 1. */
function prefixEnd(prefix: string): string {
  const last = prefix.length - 1;
  return prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1);
}

/** The token that a key is under, and what follows it. */
function placeOf(key: string): (Place & { rest: string }) | undefined {
  if (!key.startsWith(REGISTRY)) return undefined;
  const url = URL_BEFORE_TOKEN.exec(key.slice(REGISTRY.length))?.[0] ?? '';
  const begin = REGISTRY.length + url.length;
  const slash = key.indexOf('/', begin);
  const end = slash < 0 ? key.length : slash;
  const token = key.slice(begin, end);
  if (token === '' || URL_SCHEME.test(token)) return undefined;
  return { token, root: key.slice(0, end), rest: key.slice(end) };
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
