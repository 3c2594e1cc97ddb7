// The keys of a token in the layout of etcd's v3 discovery. Pure: parses bytes.
//
//   /_etcd/registry/TOKEN/_config/size      the size key: creates the token
//   /_etcd/registry/TOKEN/members/ID        a member
//
// A node of a cluster whose other nodes use `--discovery URL` must use that whole URL as its token, because
// etcd hashes the exact text into the IDs of the cluster and its members. Its keys then start with
// /_etcd/registry/http:/HOST:PORT/TOKEN (the double slash gets lost on the way), and responses must repeat
// that spelling.
//
// Keys are compared as latin1 text, one character per byte, which orders them as etcd does.

const REGISTRY = '/_etcd/registry/';
/** The character after the slash: `prefix/` ends where `prefix0` begins. */
const AFTER_SLASH = '0';
/** As the end of a range: all keys from the first one on. */
const FROM_KEY = '\0';

/**
 * Matches what may stand between the registry and the token: a discovery URL in either form, with a proxy's
 * path if the key shows which segment is the token.
 */
const URL_BEFORE_TOKEN =
  /^https?:\/{1,2}[^/]+\/(?:v2\/keys\/(?:_etcd\/registry|discovery)\/|(?:[^/]+\/)*?(?=[^/]+\/(?:_config|members)(?:\/|$)))?(?=[^/])/;

/** The start of a URL without a token: all URLs are under it. */
const URL_SCHEME = /^https?:$/;

/** KeyPlace is the token of a key. Its keys start with `root`, which is spelled as in the request. */
export interface KeyPlace {
  readonly token: string;
  readonly root: string;
}

export function sizeKey({ root }: KeyPlace): string {
  return `${root}/_config/size`;
}

export function memberKey({ root }: KeyPlace, id: string): string {
  return `${root}/members/${id}`;
}

/** Returns the key's name for the token: the token, or the URL that ends with it. */
export function registryName({ root }: KeyPlace): string {
  return root.slice(REGISTRY.length);
}

/** Key is one key that is written, deleted or compared. */
export type Key =
  | (KeyPlace & { readonly type: 'SIZE' })
  | (KeyPlace & { readonly type: 'MEMBER'; readonly id: string })
  /** Under a token, but not a key that is stored there. */
  | { readonly type: 'UNKNOWN' }
  /** Not under a token. */
  | { readonly type: 'OUTSIDE' };

export function parseKey(bytes: Uint8Array): Key {
  const place = placeOf(textOf(bytes));
  if (place === undefined) return { type: 'OUTSIDE' };
  const { token, root, rest } = place;
  if (rest === '/_config/size') return { type: 'SIZE', token, root };
  const id = /^\/members\/([^/]+)$/.exec(rest)?.[1];
  return id === undefined ? { type: 'UNKNOWN' } : { type: 'MEMBER', token, root, id };
}

/** KeySpan is the keys from `from` up to but not including `to`, all under one token. */
export interface KeySpan extends KeyPlace {
  readonly from: string;
  readonly to: string;
}

/**
 * Parses a key, or the range from it to `rangeEnd`. Undefined if it is not within one token. As in etcd, a
 * range that ends before it starts is empty.
 */
export function parseSpan(key: Uint8Array, rangeEnd: Uint8Array): KeySpan | undefined {
  const from = textOf(key);
  const place = placeOf(from);
  if (place === undefined) return undefined;
  const { token, root, rest } = place;
  if (rangeEnd.length === 0) return { token, root, from, to: `${from}\0` };
  const to = textOf(rangeEnd);
  if (to === FROM_KEY) return undefined;
  // Without the trailing slash the prefix also matches longer tokens, of which nothing is shown.
  if (rest === '' && to === prefixEnd(root)) return wholeSpan(place);
  const inside = from >= `${root}/` && to <= `${root}${AFTER_SLASH}`;
  return inside || to <= from ? { token, root, from, to } : undefined;
}

export function contains({ from, to }: KeySpan, key: string): boolean {
  return key >= from && key < to;
}

export function isEmpty({ from, to }: KeySpan): boolean {
  return to <= from;
}

/** Returns what a span covers: at most members, everything, or the size key without all of the members. */
export function extentOf(span: KeySpan): 'MEMBERS' | 'TOKEN' | 'SIZE' {
  if (!contains(span, sizeKey(span))) return 'MEMBERS';
  // The size key precedes all members.
  return span.to >= `${span.root}/members${AFTER_SLASH}` ? 'TOKEN' : 'SIZE';
}

/** Returns the span of all keys of a token. */
export function wholeSpan({ token, root }: KeyPlace): KeySpan {
  return { token, root, from: `${root}/`, to: `${root}${AFTER_SLASH}` };
}

/** Returns the end of the keys with a prefix: the prefix with its last byte incremented. */
function prefixEnd(prefix: string): string {
  const last = prefix.length - 1;
  return prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1);
}

/** Returns the token of a key, and the rest of the key. */
function placeOf(key: string): (KeyPlace & { rest: string }) | undefined {
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
