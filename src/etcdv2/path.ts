import { SINCE_ETCD_2, type V2Error, v2Error } from './errors.ts';
import { decodePercent } from './params.ts';

/** PathPlace is what a path refers to. */
export type PathPlace =
  | { readonly type: 'NEW' }
  | { readonly type: 'VERSION' }
  /** The token's directory, which lists its members. */
  | { readonly type: 'TOKEN'; readonly token: string }
  /** The token's hidden directory. */
  | { readonly type: 'CONFIG'; readonly token: string }
  | { readonly type: 'SIZE'; readonly token: string }
  | { readonly type: 'MEMBER'; readonly token: string; readonly id: string }
  /** The shorter path of the same place, percent-encoded. */
  | { readonly type: 'MOVED'; readonly path: string };

/** Matches nearly all paths: up to three segments that need no decoding. */
const WORDS = /^\/([\w-]+)(?:\/([\w-]+)(?:\/([\w-]+))?)?\/?$/;

/** Segments are the parts of a path. Missing ones may be undefined. */
type Segments = readonly (string | undefined)[];

/** Returns what a path refers to, in the form of the discovery service or of a plain etcd. */
export function locate(path: string): PathPlace | V2Error {
  const words = WORDS.exec(path);
  return words === null ? locateDecoded(path) : locateSegments(words.slice(1));
}

function locateDecoded(path: string): PathPlace | V2Error {
  const decoded = decodePercent(path);
  if (decoded === undefined) {
    return v2Error(400, 210, 'the path is not percent-encoded UTF-8 text without control characters');
  }
  if (!decoded.startsWith('/')) return v2Error(400, 210, 'the path does not begin with a slash');
  if (/\/\/|\/\.\.?(?:\/|$)/.test(decoded)) return { type: 'MOVED', path: clean(decoded) };
  const segments = decoded.slice(1).split('/');
  if (segments.at(-1) === '') segments.pop();
  return locateSegments(segments);
}

function locateSegments(segments: Segments): PathPlace | V2Error {
  return segments[0] === 'v2' ? locateKey(segments) : locateOwn(segments);
}

/** Removes empty and dot segments. Encodes the result, so that no browser reads it as a host name. */
function clean(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(encodeURIComponent(segment));
  }
  return `/${kept.join('/')}${path.endsWith('/') && kept.length > 0 ? '/' : ''}`;
}

/**
 * Handles /v2/keys/_etcd/registry/{token}... and, from etcd's clustering guide, /v2/keys/discovery/{token}...
 */
function locateKey(segments: Segments): PathPlace | V2Error {
  const [, keys, ...inKeys] = segments;
  if (keys !== 'keys') {
    return notFound(`this discovery service supports only ${V2_PATHS} of the v2 API`);
  }
  const [first, second] = inKeys;
  const depth = first === 'discovery' ? 1 : first === '_etcd' && second === 'registry' ? 2 : 0;
  if (depth === 0) {
    return v2Error(
      403,
      110,
      `this discovery service supports only ${V2_PATHS}; use one of them, or /{token}`,
    );
  }
  const rest = inKeys.slice(depth).filter((segment) => segment !== undefined);
  if (rest.length === 0) {
    return v2Error(
      403,
      110,
      `tokens are secret and cannot be listed; request one token: ${V2_PATHS.replace(' and ', ' or ')}`,
    );
  }
  return locateInToken(rest);
}

const V2_PATHS = '/v2/keys/_etcd/registry/{token} and /v2/keys/discovery/{token}';

function locateOwn(segments: Segments): PathPlace | V2Error {
  const [word, more] = segments;
  if (word === 'new' && more === undefined) return { type: 'NEW' };
  // A node started with --discovery /new?size=3 requests this: it drops the query and appends its keys to the
  // path.
  if (word === 'new') return notFound('/new creates tokens; start the node with the URL that it returns', 3);
  if (word === 'version' && more === undefined) return { type: 'VERSION' };
  return locateInToken(segments);
}

function locateInToken(segments: Segments): PathPlace | V2Error {
  const [token, key, name, below] = segments;
  // A node whose --discovery is the service's URL without a token requests this.
  if (token === undefined || token === '_config') {
    return notFound('the URL has no token; pass the full URL that /new returns to --discovery', 3);
  }
  if (key === undefined) return { type: 'TOKEN', token };
  if (key === '_state') return v2Error(400, 209, `the key _state is sent by etcd 0.4: ${SINCE_ETCD_2}`);
  if (key === '_config') {
    if (name === undefined) return { type: 'CONFIG', token };
    if (name === 'size' && below === undefined) return { type: 'SIZE', token };
  } else if (name === undefined) return { type: 'MEMBER', token, id: key };
  return notFound(
    'the keys of a token are /{token}/_config/size and /{token}/{member id}; they have no subkeys',
  );
}

function notFound(cause: string, newTokenSize?: number): V2Error {
  return v2Error(404, 100, cause, newTokenSize === undefined ? {} : { newTokenSize });
}
