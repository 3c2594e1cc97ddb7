import { hash, randomBytes } from 'node:crypto';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import { pathOf } from '../route.ts';
import { isRpc } from '../rpc/methods.ts';

/** Of this process only: a label must not be a way to test guesses at a token. */
const KEY = randomBytes(16).toString('hex');

const SERVICE = DiscoveryService.typeName;

/** Parts of paths that no token can be spelled like. */
const NEVER_TOKENS = new Set(
  `new health livez readyz robots.txt openapi.json metrics version favicon.ico v2 _page _start _clusters _etcd _config ${SERVICE}`.split(
    ' ',
  ),
);

/** Words of our paths that could be tokens as well, unless they follow the part given. */
const AFTER = new Map([
  ['keys', 'v2'],
  ['registry', '_etcd'],
  ['discovery', 'keys'],
  ['size', '_config'],
]);

/** More parts than any path of ours has. */
const PARTS_SHOWN = 8;

/**
 * A token as a log may show it: enough to tell tokens apart and to find one by its beginning, too little to
 * use it. Like `6c5d...a41f09`: at most a quarter of it, and a hash that is keyed for this process.
 */
export function tokenLabel(token: string): string {
  // What follows is no part of it: a secret, mostly.
  const name = /^[\w.~-]*/.exec(token)?.[0] ?? '';
  const start = name.slice(0, Math.min(4, Math.floor(name.length / 4)));
  return `${start}...${hash('sha256', KEY + token).slice(0, 6)}`;
}

/**
 * The path of a request target with every part that may be a token as its label. The query is left out:
 * `?message=` of a Connect GET holds tokens as well.
 */
export function redactPath(target: string): string {
  const path = pathOf(target);
  // The paths of calls hold no token.
  if (isRpc(path)) return path;
  const parts = path.split('/');
  const shown = parts.slice(0, PARTS_SHOWN).map((part, i) => {
    if (part === '' || NEVER_TOKENS.has(part)) return part;
    return i > 0 && AFTER.get(part) === parts[i - 1] ? part : tokenLabel(decoded(part));
  });
  return shown.join('/') + (parts.length > PARTS_SHOWN ? '/...' : '');
}

function decoded(part: string): string {
  if (!part.includes('%')) return part;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
