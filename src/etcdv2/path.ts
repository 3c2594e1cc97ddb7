import { SINCE_ETCD_2, type V2Error, v2Error } from './errors.ts';
import { decodePercent } from './params.ts';

/** What a path names. */
export type Place =
  | { readonly type: 'NEW' }
  | { readonly type: 'VERSION' }
  /** The token's directory, which lists its members. */
  | { readonly type: 'TOKEN'; readonly token: string }
  /** Its hidden directory. */
  | { readonly type: 'CONFIG'; readonly token: string }
  | { readonly type: 'SIZE'; readonly token: string }
  | { readonly type: 'MEMBER'; readonly token: string; readonly id: string }
  /** The same place has this shorter path, percent-encoded. */
  | { readonly type: 'MOVED'; readonly path: string };

/** What nearly all paths are: up to three words, in which nothing is to be decoded. */
const WORDS = /^\/([\w-]+)(?:\/([\w-]+)(?:\/([\w-]+))?)?\/?$/;

/** The words of a path. Those that it does not have may be undefined. */
type Segments = readonly (string | undefined)[];

/** Finds what a path names, in the discovery service's own form or in that of a plain etcd. */
export function locate(path: string): Place | V2Error {
  const words = WORDS.exec(path);
  return words === null ? locateDecoded(path) : locateSegments(words.slice(1));
}

function locateDecoded(path: string): Place | V2Error {
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

function locateSegments(segments: Segments): Place | V2Error {
  return segments[0] === 'v2' ? locateKey(segments) : locateOwn(segments);
}

/** The path without empty and dot segments. Encoded anew, so that no browser takes it for a host's name. */
function clean(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(encodeURIComponent(segment));
  }
  return `/${kept.join('/')}${path.endsWith('/') && kept.length > 0 ? '/' : ''}`;
}

/** /v2/keys/_etcd/registry/{token}... or, as in etcd's clustering guide, /v2/keys/discovery/{token}... */
function locateKey(segments: Segments): Place | V2Error {
  const [, keys, ...inKeys] = segments;
  if (keys !== 'keys') {
    return notFound(`this discovery service serves only ${V2_PATHS} of the v2 API`);
  }
  const [first, second] = inKeys;
  const depth = first === 'discovery' ? 1 : first === '_etcd' && second === 'registry' ? 2 : 0;
  if (depth === 0) {
    return v2Error(403, 110, `this discovery service serves only ${V2_PATHS}; use one of them, or /{token}`);
  }
  const rest = inKeys.slice(depth).filter((segment) => segment !== undefined);
  if (rest.length === 0) {
    return v2Error(
      403,
      110,
      `tokens are secrets and never listed; name one: ${V2_PATHS.replace(' and ', ' or ')}`,
    );
  }
  return locateInToken(rest);
}

const V2_PATHS = '/v2/keys/_etcd/registry/{token} and /v2/keys/discovery/{token}';

function locateOwn(segments: Segments): Place | V2Error {
  const [word, more] = segments;
  if (word === 'new' && more === undefined) return { type: 'NEW' };
  // What a node asks for whose --discovery is /new?size=3: it drops the query and puts its keys behind the path.
  if (word === 'new') return notFound('/new makes tokens; start the node with the URL that it answers', 3);
  if (word === 'version' && more === undefined) return { type: 'VERSION' };
  return locateInToken(segments);
}

function locateInToken(segments: Segments): Place | V2Error {
  const [token, key, name, below] = segments;
  // What a node asks for whose --discovery is the service's URL alone.
  if (token === undefined || token === '_config') {
    return notFound('the URL has no token; --discovery takes the whole URL that /new answers with', 3);
  }
  if (key === undefined) return { type: 'TOKEN', token };
  if (key === '_state') return v2Error(400, 209, `the key _state comes from etcd 0.4: ${SINCE_ETCD_2}`);
  if (key === '_config') {
    if (name === undefined) return { type: 'CONFIG', token };
    if (name === 'size' && below === undefined) return { type: 'SIZE', token };
  } else if (name === undefined) return { type: 'MEMBER', token, id: key };
  return notFound(
    'the keys of a token are /{token}/_config/size and /{token}/{member id}; there is nothing below them',
  );
}

function notFound(cause: string, newTokenSize?: number): V2Error {
  return v2Error(404, 100, cause, newTokenSize === undefined ? {} : { newTokenSize });
}
